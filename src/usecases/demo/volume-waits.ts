/** The facts that the demo waits for, each with a deadline and the reason it was missed. */

import { AppError } from '../../domain/errors.ts';
import { findCondition } from '../../domain/find-condition.ts';
import type { Condition } from '../../schemas/common.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';

const MOUNT_TIMEOUT_MS = 90_000;
const HEALTH_TIMEOUT_MS = 120_000;

interface Mounts {
  readonly hosts: readonly string[];
  readonly volume: string;
}

/** Waits until the volume is served, saying how it gets on, and mounted on every host. */
export async function waitForMounts(
  deps: WaitDeps,
  { hosts, volume }: Mounts,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  let said = '';
  await waitForObject(deps, {
    kind: 'Volume',
    name: volume,
    check: (found) => {
      const ready = findCondition(found, 'Ready');
      const line = `volume ${volume}: ${describeProgress(ready)}`;
      if (line !== said) say(line);
      said = line;
      return ready?.status === 'True' ? true : undefined;
    },
    timeoutMs: MOUNT_TIMEOUT_MS,
    describeTimeout: (found) => late(`volume ${volume} is not ready`, findCondition(found, 'Ready')?.message),
    signal,
  });
  await Promise.all(hosts.map((host) => waitForMount(deps, `${volume}.${host}`, signal)));
}

/** While hosts and disks are only just starting, that none of them fits yet is no news. */
function describeProgress(ready: Condition | undefined): string {
  if (ready === undefined || ready.reason === 'NoPlaceForCopies') return 'waits for nodes with a pool and GlusterFS';
  return ready.message;
}

async function waitForMount(deps: WaitDeps, name: string, signal: AbortSignal): Promise<void> {
  await waitForObject(deps, {
    kind: 'VolumeAttachmentRecord',
    name,
    check: (found) => (found?.status?.state === 'Mounted' ? true : undefined),
    timeoutMs: MOUNT_TIMEOUT_MS,
    describeTimeout: (found) => late(`${name} is not mounted`, found?.status?.message),
    signal,
  });
}

/** Waits until the controller has noticed that a copy is missing. */
export async function waitUntilDegraded(deps: WaitDeps, volume: string, signal: AbortSignal): Promise<void> {
  await waitForRedundancy(deps, { volume, wanted: false, signal });
}

/** Waits until every copy is there and current. */
export async function waitUntilRedundant(deps: WaitDeps, volume: string, signal: AbortSignal): Promise<void> {
  await waitForRedundancy(deps, { volume, wanted: true, signal });
}

async function waitForRedundancy(
  deps: WaitDeps,
  { volume, wanted, signal }: { readonly volume: string; readonly wanted: boolean; readonly signal: AbortSignal },
): Promise<void> {
  await waitForObject(deps, {
    kind: 'Volume',
    name: volume,
    check: (found) => ((findCondition(found, 'Redundant')?.status === 'True') === wanted ? true : undefined),
    timeoutMs: HEALTH_TIMEOUT_MS,
    describeTimeout: (found) => {
      const what = wanted
        ? `volume ${volume} is not redundant again`
        : `nobody noticed that a copy of ${volume} is gone`;
      return late(what, findCondition(found, 'Redundant')?.message);
    },
    signal,
  });
}

function late(what: string, why: string | undefined): AppError {
  return new AppError('timeout', `${what}: ${why ?? 'nothing was reported about it'}`, {
    reason: 'DemoWaitedTooLong',
    hint: 'run it again with --keep and look with: holdfast status',
  });
}
