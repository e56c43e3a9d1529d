/** What every controller and agent loop is given. */
import { isAtRest } from '../domain/volume/is-at-rest.ts';
import type { Clock, Millis } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { KeyAccess } from '../ports/key-access.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Random } from '../ports/random.ts';
import type { Resource, ResourceClient } from '../ports/resource-client.ts';
import { SYSTEM_NAMESPACE } from '../schemas/kinds.ts';
import { createInformer, type Informer } from './runtime/informer.ts';
import { type ReconcileLoop, waitForSources } from './runtime/reconcile-loop.ts';
import type { StatusWriter } from './runtime/status-writer.ts';

/** The kinds that controllers and agents keep in memory. */
export const WATCHED_KINDS = [
  'StorageCluster',
  'StorageNode',
  'Volume',
  'VolumeCopy',
  'VolumeAttachmentRecord',
  'VolumeSnapshotRecord',
  'VolumeGroupSnapshotRecord',
  'FenceRecord',
  'Task',
  'Lease',
] as const;
export type WatchedKind = (typeof WATCHED_KINDS)[number];

export type Informers = { readonly [K in WatchedKind]: Informer<K> };

export interface ControllerDeps {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: Events;
  readonly informers: Informers;
  readonly statusWriter: StatusWriter;
  /** Left out where nobody asks for them. */
  readonly metrics?: Metrics;
  /** Left out where the API server judges by itself who may read a key: the embedded one. */
  readonly keyAccess?: KeyAccess;
}

/**
 * One informer per kind, shared by all loops of a process; run them with {@link runLoops}.
 *
 * @param idleMs - silence of the server that is taken for a dead connection
 */
export function createInformers(
  deps: Pick<ControllerDeps, 'client' | 'clock' | 'random' | 'log'>,
  idleMs: Millis,
): Informers {
  return {
    StorageCluster: createInformer(deps, { kind: 'StorageCluster', idleMs }),
    StorageNode: createInformer(deps, { kind: 'StorageNode', idleMs }),
    Volume: createInformer(deps, {
      kind: 'Volume',
      idleMs,
      indexes: { node: placedOn, rest: (volume) => (isAtRest(volume) ? [] : ['none']) },
    }),
    VolumeCopy: createInformer(deps, {
      kind: 'VolumeCopy',
      idleMs,
      indexes: { volume: (copy) => [copy.spec.volume], node: (copy) => [copy.spec.node] },
    }),
    VolumeAttachmentRecord: createInformer(deps, {
      kind: 'VolumeAttachmentRecord',
      idleMs,
      indexes: { volume: (record) => [record.spec.volume], node: (record) => [record.spec.node] },
    }),
    VolumeSnapshotRecord: createInformer(deps, { kind: 'VolumeSnapshotRecord', idleMs }),
    VolumeGroupSnapshotRecord: createInformer(deps, { kind: 'VolumeGroupSnapshotRecord', idleMs }),
    FenceRecord: createInformer(deps, { kind: 'FenceRecord', idleMs }),
    Task: createInformer(deps, { kind: 'Task', idleMs }),
    Lease: createInformer(deps, { kind: 'Lease', namespace: SYSTEM_NAMESPACE, idleMs }),
  };
}

function placedOn({ status }: Resource<'Volume'>): readonly string[] {
  return [...(status?.placement ?? []), ...(status?.restore?.placement ?? [])].map(({ node }) => node);
}

/**
 * Runs informers, and loops as soon as every one of those has its first list, until the signal aborts; an agent leaves out
 * the kinds it does not read.
 *
 * Invariant: no loop takes what was not heard yet for what is not there. A loop looks up more kinds than those whose changes
 * wake it: an agent that knew its copies and not the volumes would make a lost copy anew, empty.
 */
export async function runLoops(
  { informers, log }: Pick<ControllerDeps, 'informers' | 'log'>,
  { kinds, loops }: { readonly kinds: readonly WatchedKind[]; readonly loops: readonly ReconcileLoop[] },
  signal: AbortSignal,
): Promise<void> {
  const sources = kinds.map((kind) => informers[kind]);
  const start = async (): Promise<void> => {
    await waitForSources(sources, log, signal);
    await Promise.all(loops.map((loop) => loop.run(signal)));
  };
  await Promise.all([...sources.map((informer) => informer.run(signal)), start()]);
}
