/** Runs csi-sanity against the driver in a lab of one host, as kubelet and the sidecars would call it there. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ComposedLab } from '../../src/main/compose-lab.ts';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import { bringUpHoldfast, csiSockets, type HoldfastLab } from '../../src/usecases/lab/bring-up-holdfast.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { waitForObject } from '../../src/usecases/waiting/wait-for-object.ts';
import { startCsiWorld } from '../../test/contract/csi-world.ts';
import { runTool } from '../project.ts';
import { judgeSpecs, type SanityResult, type Spec } from './skips.ts';
import type { Suite } from './suites.ts';

/** On a machine that does other things as well. */
const RUN_MS = 30 * 60_000;
const POOL_MS = 5 * 60_000;
const MIB = 1024 ** 2;
/** The smallest there is: csi-sanity makes a hundred. */
const SIZE_BYTES = 128 * MIB;
const GROWN_BYTES = 144 * MIB;
const TARGETS = '/var/lib/kubelet/sanity';

/** Programs by which csi-sanity makes and looks at paths: those that the driver sees, in the host. */
const PATH_PROGRAMS = {
  make: 'mkdir -p -- "$0" && echo "$0"',
  remove: 'rm -rf --one-file-system -- "$0"',
  check:
    'if [ -d "$0" ]; then echo directory; elif [ -f "$0" ]; then echo file; elif [ -e "$0" ]; then echo other; else echo not_found; fi',
} as const;

export interface SuiteRun {
  readonly composed: ComposedLab;
  /** csi-sanity. */
  readonly program: string;
  /** For its files; made, and left to the caller. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** What csi-sanity says, and what is to be thought of it. */
export interface SuiteResult extends SanityResult {
  readonly output: string;
  readonly seconds: number;
}

/**
 * Runs one suite; its lab is down in the end.
 *
 * @throws {Error} when there is no lab, or csi-sanity does not get to a report
 */
export async function runSuite(run: SuiteRun, suite: Suite): Promise<SuiteResult> {
  const { composed, folder, signal } = run;
  mkdirSync(folder, { recursive: true });
  if (suite.isWithoutLab === true) return runWithoutLab(run, suite);
  const name = `san${process.pid % 100_000}${suite.name.slice(0, 3)}${suite.accessType.slice(0, 1)}`;
  const up = await bringUpHoldfast(composed, { name, hosts: 1, hasCsi: true }, signal);
  try {
    await preparePool(up, composed.clock);
    return await runSanity(run, suite, up);
  } finally {
    await up.lab.down();
  }
}

async function preparePool({ lab, client }: HoldfastLab, clock: ComposedLab['clock']): Promise<void> {
  const pools = [{ name: 'default', path: '/mnt/pool', device: LAB_DATA_DISK }];
  const nodes = lab.hostNames.map((host) => ({ host, ip: lab.addressOf(host), pools }));
  await applyPlan({ client }, { storage: { nodes }, volumes: [] });
  for (const name of lab.hostNames) {
    await waitForObject(
      { client, clock },
      {
        kind: 'StorageNode',
        name,
        timeoutMs: POOL_MS,
        check: (seen) => (seen?.status?.pools?.some((each) => each.isReady) === true ? true : undefined),
        describeTimeout: (seen) => {
          throw new Error(`the pool of ${name} does not get ready: ${JSON.stringify(seen?.status?.pools)}`);
        },
      },
    );
  }
}

/** The real services over what test/contract has for the rest: nothing is mounted, so nothing of the node service is asked. */
async function runWithoutLab(run: SuiteRun, suite: Suite): Promise<SuiteResult> {
  const world = await startCsiWorld();
  try {
    for (const { metadata } of (await world.client.list('StorageNode')).items) {
      const engines = [{ name: 'nfs', isInstalled: true, isRunning: true }];
      await world.client.patch('StorageNode', metadata.name, { status: { engines } }, { subresource: 'status' });
    }
    const flags = {
      ...volumeFlags(run.folder, suite),
      ...{ endpoint: `unix://${world.nodeSocket}`, controllerendpoint: `unix://${world.controllerSocket}` },
      // The folders of the stand-in are its own.
      ...pathFlags(run.folder, { make: 'echo "$1"', remove: 'true', check: 'echo not_found' }),
    };
    return await callSanity(run, suite, flags);
  } finally {
    await world.stop();
  }
}

async function runSanity(run: SuiteRun, suite: Suite, up: HoldfastLab): Promise<SuiteResult> {
  const { composed, folder } = run;
  const controllerFolder = composed.controllerFolder(up.lab.name);
  return callSanity(run, suite, await sanityFlags({ folder, suite, up, controllerFolder }));
}

type Flags = Readonly<Record<string, string>>;

async function callSanity({ program, folder }: SuiteRun, { leftOut = {} }: Suite, flags: Flags): Promise<SuiteResult> {
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

async function sanityFlags({
  folder,
  suite,
  up,
  controllerFolder,
}: {
  readonly folder: string;
  readonly suite: Suite;
  readonly up: HoldfastLab;
  readonly controllerFolder: string;
}): Promise<Flags> {
  const pid = (await up.lab.record()).hosts[0]?.init?.pid;
  if (pid === undefined) throw new Error('the host of the lab is off');
  const inHost = (name: keyof typeof PATH_PROGRAMS) =>
    `exec nsenter --target ${pid} --mount -- sh -c '${PATH_PROGRAMS[name]}' "$1"`;
  const sockets = csiSockets(controllerFolder);
  return {
    endpoint: `unix:///proc/${pid}/root${sockets.node}`,
    controllerendpoint: `unix://${sockets.controller}`,
    ...pathFlags(folder, { make: inHost('make'), remove: inHost('remove'), check: inHost('check') }),
    ...volumeFlags(folder, suite),
  };
}

/** @param lines - of shell, by what each program does with the path that it is given */
function pathFlags(folder: string, lines: Readonly<Record<keyof typeof PATH_PROGRAMS, string>>): Flags {
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

function volumeFlags(folder: string, { parameters, accessType }: Suite): Flags {
  const path = join(folder, 'parameters.yaml');
  writeFileSync(path, JSON.stringify(parameters));
  return {
    ...{ testvolumesize: String(SIZE_BYTES), testvolumeexpandsize: String(GROWN_BYTES) },
    ...{ testvolumeparameters: path, testvolumeaccesstype: accessType },
  };
}
