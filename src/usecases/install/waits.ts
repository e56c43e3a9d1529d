/** What an installation waits for: pools that are ready, volumes that are served, mounts on every node. */
import { AppError } from '../../domain/errors.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { attachmentName } from '../../domain/plan/diff-plan.ts';
import type { ResolvedPlan } from '../../domain/plan/resolve-plan.ts';
import type { PoolStatus, StorageNode } from '../../schemas/storage-node.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';

export interface WaitOptions {
  readonly waitMs: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Every node is there, with its engine and all of its pools. */
export async function waitForNodes(deps: WaitDeps, plan: ResolvedPlan, options: WaitOptions): Promise<void> {
  const { waitMs, say, signal } = options;
  say(`waiting for the agents of ${plan.nodes.map((node) => node.name).join(', ')}`);
  await Promise.all(
    plan.nodes.map(({ name }) =>
      waitForObject(deps, {
        ...({ kind: 'StorageNode', name, timeoutMs: waitMs, signal } as const),
        check: (node) => (node !== undefined && whyNotReady(node) === undefined ? true : undefined),
        describeTimeout: (node) =>
          late(`node ${name} is not ready`, node === undefined ? 'it has not registered' : whyNotReady(node)),
      }),
    ),
  );
}

function whyNotReady({ spec, status }: StorageNode): string | undefined {
  const ready = findCondition({ status }, 'Ready');
  if (ready?.status !== 'True') return ready?.message ?? 'its agent has not reported yet';
  const { pools = [], engines = [] } = status ?? {};
  const faults = spec.pools.flatMap(({ name }) => whyPoolNotReady(name, pools) ?? []);
  return faults[0] ?? engines.find((engine) => !engine.isRunning)?.message;
}

function whyPoolNotReady(name: string, pools: readonly PoolStatus[]): string | undefined {
  const pool = pools.find((each) => each.name === name);
  if (pool === undefined) return `pool ${name} has not been looked at yet`;
  return pool.isReady ? undefined : `pool ${name}: ${pool.message ?? 'is not ready'}`;
}

/** Every volume of the plan is served, and mounted wherever the plan mounts it. */
export async function waitForVolumes(deps: WaitDeps, plan: ResolvedPlan, options: WaitOptions): Promise<void> {
  const { waitMs, say, signal } = options;
  for (const { name, mounts } of plan.volumes) {
    say(`waiting for volume ${name}`);
    await waitForObject(deps, {
      ...({ kind: 'Volume', name, timeoutMs: waitMs, signal } as const),
      check: (volume) => (findCondition(volume, 'Ready')?.status === 'True' ? true : undefined),
      describeTimeout: (volume) => late(`volume ${name} is not ready`, findCondition(volume, 'Ready')?.message),
    });
    await Promise.all(
      mounts.map(({ node, path }) =>
        waitForObject(deps, {
          ...({ kind: 'VolumeAttachmentRecord', name: attachmentName(name, node), timeoutMs: waitMs, signal } as const),
          check: (record) => (record?.status?.state === 'Mounted' ? true : undefined),
          describeTimeout: (record) =>
            late(`volume ${name} is not mounted at ${path} on ${node}`, record?.status?.message),
        }),
      ),
    );
  }
}

function late(what: string, why: string | undefined): AppError {
  return new AppError('timeout', `${what}: ${why ?? 'nothing is known of it'}`, {
    reason: 'InstallationWaits',
    hint: 'see what is wrong with: holdfast status; then install again, which goes on from here',
  });
}
