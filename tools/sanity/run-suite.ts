/** Runs csi-sanity against the driver in a lab of one host, as kubelet and the sidecars would call it there. */
import { mkdirSync } from 'node:fs';
import type { ComposedLab } from '../../src/main/compose-lab.ts';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import { bringUpHoldfast, csiSockets, type HoldfastLab } from '../../src/usecases/lab/bring-up-holdfast.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { waitForObject } from '../../src/usecases/waiting/wait-for-object.ts';
import { startCsiWorld } from '../../test/contract/csi-world.ts';
import { callSanity, type Flags, PATH_PROGRAMS, pathFlags, type SuiteResult, volumeFlags } from './call-sanity.ts';
import type { Suite } from './suites.ts';

const POOL_MS = 5 * 60_000;

export interface SuiteRun {
  readonly composed: ComposedLab;
  /** csi-sanity. */
  readonly program: string;
  /** For its files; made, and left to the caller. */
  readonly folder: string;
  readonly signal: AbortSignal;
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
