/** Calls csi-sanity on the sockets of a driver, wherever that runs, and reads what it reports. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '../project.ts';
import { judgeSpecs, type SanityResult, type Spec } from './skips.ts';
import type { Suite } from './suites.ts';

/** On a machine that does other things as well. */
const RUN_MS = 30 * 60_000;
const MIB = 1024 ** 2;
/** The smallest there is: csi-sanity makes a hundred. */
const SIZE_BYTES = 128 * MIB;
const GROWN_BYTES = 144 * MIB;
const TARGETS = '/var/lib/kubelet/sanity';

/** Programs by which csi-sanity makes and looks at paths, as the driver sees them; the path is $0. */
export const PATH_PROGRAMS = {
  make: 'mkdir -p -- "$0" && echo "$0"',
  remove: 'rm -rf --one-file-system -- "$0"',
  check:
    'if [ -d "$0" ]; then echo directory; elif [ -f "$0" ]; then echo file; elif [ -e "$0" ]; then echo other; else echo not_found; fi',
} as const;

export interface SanityRun {
  /** csi-sanity. */
  readonly program: string;
  /** For its files; it is there, and left to the caller. */
  readonly folder: string;
}

/** What csi-sanity says, and what is to be thought of it. */
export interface SuiteResult extends SanityResult {
  readonly output: string;
  readonly seconds: number;
}

/** Of csi-sanity, without the prefix that all have. */
export type Flags = Readonly<Record<string, string>>;

/** @throws {Error} when it does not get to a report */
export async function callSanity(
  { program, folder }: SanityRun,
  { leftOut = {} }: Pick<Suite, 'leftOut'>,
  flags: Flags,
): Promise<SuiteResult> {
  const report = join(folder, 'report.json');
  const own = Object.entries(flags).map(([flag, value]) => `-csi.${flag}=${value}`);
  const skips = Object.keys(leftOut).map((begin) => `--ginkgo.skip=${begin.replaceAll(/[[\]()]/g, '\\$&')}`);
  const args = [...own, ...skips, '--ginkgo.no-color', '--ginkgo.succinct', `--ginkgo.json-report=${report}`];
  const { code, output, seconds } = await runTool({ file: program, args, timeoutMs: RUN_MS, output: 'capture' });
  const suites = readReport(report, output);
  const specs = suites.flatMap((each) => each.SpecReports);
  const hasFailed = specs.some((spec) => spec.State === 'failed');
  // It left badly, and no test says why.
  const unfinished = code === 0 || hasFailed ? [] : [{ ...ITSELF, State: `exit ${code}` }];
  return { ...judgeSpecs([...specs, ...unfinished], leftOut), output, seconds };
}

const ITSELF: Spec = { ContainerHierarchyTexts: [], LeafNodeType: 'It', LeafNodeText: 'csi-sanity', State: '' };

function readReport(path: string, output: string): readonly { readonly SpecReports: readonly Spec[] }[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { SpecReports: Spec[] }[];
  } catch (error) {
    throw new Error(`csi-sanity left no report: ${output.slice(-2_000)}`, { cause: error });
  }
}

/**
 * Paths for volumes, and the programs for them.
 *
 * @param lines - of shell, by what each program does with the path that it is given as $1
 */
export function pathFlags(folder: string, lines: Readonly<Record<keyof typeof PATH_PROGRAMS, string>>): Flags {
  const program = (name: keyof typeof PATH_PROGRAMS): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${lines[name]}\n`);
    chmodSync(path, 0o700);
    return path;
  };
  const [make, remove] = [program('make'), program('remove')];
  return {
    ...{ mountdir: `${TARGETS}/mount`, stagingdir: `${TARGETS}/staging` },
    ...{ createmountpathcmd: make, createstagingpathcmd: make, createpathcmdtimeout: '60s' },
    ...{ removemountpathcmd: remove, removestagingpathcmd: remove, removepathcmdtimeout: '60s' },
    ...{ checkpathcmd: program('check'), checkpathcmdtimeout: '60s' },
  };
}

/** Size and class of the volumes. */
export function volumeFlags(
  folder: string,
  { parameters, accessType }: Pick<Suite, 'parameters' | 'accessType'>,
): Flags {
  const path = join(folder, 'parameters.yaml');
  writeFileSync(path, JSON.stringify(parameters));
  return {
    ...{ testvolumesize: String(SIZE_BYTES), testvolumeexpandsize: String(GROWN_BYTES) },
    ...{ testvolumeparameters: path, testvolumeaccesstype: accessType },
  };
}
