/** What every controller and agent loop is given. */
import type { Clock, Millis } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { ResourceClient } from '../ports/resource-client.ts';
import { SYSTEM_NAMESPACE } from '../schemas/kinds.ts';
import { createInformer, type Informer } from './runtime/informer.ts';
import type { StatusWriter } from './runtime/status-writer.ts';

/** The kinds that controllers and agents keep in memory. */
const WATCHED = [
  'StorageCluster',
  'StorageNode',
  'Volume',
  'VolumeCopy',
  'VolumeAttachmentRecord',
  'VolumeSnapshotRecord',
  'Task',
  'Lease',
] as const;
export type WatchedKind = (typeof WATCHED)[number];

export type Informers = { readonly [K in WatchedKind]: Informer<K> };

export interface ControllerDeps {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: Events;
  readonly informers: Informers;
  readonly statusWriter: StatusWriter;
}

/**
 * One informer per kind, shared by all loops of a process; run them with {@link runInformers}.
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
    Volume: createInformer(deps, { kind: 'Volume', idleMs }),
    VolumeCopy: createInformer(deps, { kind: 'VolumeCopy', idleMs, indexes: { volume: (copy) => [copy.spec.volume] } }),
    VolumeAttachmentRecord: createInformer(deps, {
      kind: 'VolumeAttachmentRecord',
      idleMs,
      indexes: { volume: (record) => [record.spec.volume] },
    }),
    VolumeSnapshotRecord: createInformer(deps, { kind: 'VolumeSnapshotRecord', idleMs }),
    Task: createInformer(deps, { kind: 'Task', idleMs }),
    Lease: createInformer(deps, { kind: 'Lease', namespace: SYSTEM_NAMESPACE, idleMs }),
  };
}

/** Runs them until the signal aborts; an agent leaves out the kinds it does not read. */
export async function runInformers(
  informers: Informers,
  kinds: readonly WatchedKind[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(kinds.map((kind) => informers[kind].run(signal)));
}
