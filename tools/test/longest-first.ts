/**
 * Order of the test files: the longest first, so that none of them is left to run alone at the end. vitest knows how long a
 * file took only where it ran before, and takes the size of a file for its length, which is wrong for those listed here.
 */
import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files of the engine level that take minutes, the longest first (seen in CI). */
const LONGEST = [
  ...['docs', 'verbs-interrupted', 'gluster-contract', 'tls', 'gluster-faults', 'nfs-export', 'gluster-copies'],
  ...['product-faults', 'lab', 'snapshots', 'demo', 'doctor', 'tasks'],
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rest = await super.sort(files);
    return rest.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId, project }: TestSpecification): number {
  const index = project.name === 'engine' ? LONGEST.indexOf(basename(moduleId, '.test.ts')) : -1;
  return index === -1 ? LONGEST.length : index;
}
