/** What every controller and agent loop is given. */
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { ResourceClient } from '../ports/resource-client.ts';
import { createInformer, type Informer } from './runtime/informer.ts';
import type { StatusWriter } from './runtime/status-writer.ts';

/** The kinds that controllers and agents keep in memory. */
const WATCHED = ['StorageCluster', 'StorageNode', 'Volume', 'VolumeCopy', 'VolumeAttachmentRecord', 'Lease'] as const;
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

/** One informer per kind, shared by all loops of a process; run each with {@link runInformers}. */
export function createInformers(deps: Pick<ControllerDeps, 'client' | 'clock' | 'random' | 'log'>): Informers {
  return {
    StorageCluster: createInformer(deps, { kind: 'StorageCluster' }),
    StorageNode: createInformer(deps, { kind: 'StorageNode' }),
    Volume: createInformer(deps, { kind: 'Volume' }),
    VolumeCopy: createInformer(deps, { kind: 'VolumeCopy', indexes: { volume: (copy) => [copy.spec.volume] } }),
    VolumeAttachmentRecord: createInformer(deps, {
      kind: 'VolumeAttachmentRecord',
      indexes: { volume: (record) => [record.spec.volume] },
    }),
    Lease: createInformer(deps, { kind: 'Lease', namespace: 'holdfast-system' }),
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
