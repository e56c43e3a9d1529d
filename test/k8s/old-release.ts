/** An older Holdfast, out of this project's history: its chart and its program. */
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, runTool } from '../../tools/project.ts';

/** "Pools of a cluster's nodes are below /mnt/holdfast; tell how to install on Kubernetes": the first that told people how. */
const COMMIT = 'd1079c261ec716690fb5d410c4694a1c74601791';
const GIT_MS = 60_000;
const BUILD_MS = 600_000;

export interface OldRelease {
  /** Of the whole project as it was, with dist/. */
  readonly folder: string;
  readonly chart: string;
}

/** Why there is none here; undefined when there is. */
export async function whyNoOldRelease(): Promise<string | undefined> {
  const args = ['-C', ROOT, 'cat-file', '-e', `${COMMIT}^{commit}`];
  const { code } = await runTool({ file: 'git', args, timeoutMs: GIT_MS, output: 'capture' });
  return code === 0 ? undefined : `the history of this project does not reach back to ${COMMIT} (a shallow clone?)`;
}

/** Takes it out of the history into a folder below this one, and builds it with the tools of today. */
export async function buildOldRelease(below: string): Promise<OldRelease> {
  const folder = join(below, 'old-release');
  const archive = join(below, 'old-release.tar');
  await mkdir(folder);
  await run('git', ['-C', ROOT, 'archive', '--output', archive, COMMIT]);
  await run('tar', ['-C', folder, '-xf', archive]);
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await run('node', ['tools/build.mjs', '--quiet'], folder);
  return { folder, chart: join(folder, 'deploy/chart/holdfast') };
}

async function run(file: string, args: readonly string[], cwd: string = ROOT): Promise<void> {
  const { code, output } = await runTool({ file, args, cwd, timeoutMs: BUILD_MS, output: 'capture' });
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${output}`);
}
