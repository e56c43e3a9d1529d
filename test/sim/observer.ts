/** The API's state in memory, kept by watches of its own, so that invariants can look at every version of every object. */
import type { Resource } from '../../src/ports/resource-client.ts';
import type { KindName } from '../../src/schemas/kinds.ts';
import type { World } from './world.ts';

const KEPT = [
  'StorageCluster',
  'StorageNode',
  'Volume',
  'VolumeCopy',
  'VolumeAttachmentRecord',
  'VolumeSnapshotRecord',
  'VolumeGroupSnapshotRecord',
  'FenceRecord',
] as const;
type KeptKind = (typeof KEPT)[number];

export type Seen = { readonly [K in KeptKind]: ReadonlyMap<string, Resource<K>> };

/** Told of every change in the order of the API's events of that kind; `after` is undefined when the object is gone. */
export type OnChange = <K extends KeptKind>(
  kind: K,
  before: Resource<K> | undefined,
  after: Resource<K> | undefined,
) => void;

export interface Observer {
  readonly seen: Seen;
  /** Writes to anything but Leases so far; Events count. */
  writes(): number;
}

/** Starts the watches; they end with the world. */
export function createObserver(world: World, onChange: OnChange): Observer {
  const maps: { [K in KeptKind]: Map<string, Resource<K>> } = {
    StorageCluster: new Map(),
    StorageNode: new Map(),
    Volume: new Map(),
    VolumeCopy: new Map(),
    VolumeAttachmentRecord: new Map(),
    VolumeSnapshotRecord: new Map(),
    VolumeGroupSnapshotRecord: new Map(),
    FenceRecord: new Map(),
  };
  const forever = new AbortController().signal;
  const start = world.resources.resourceVersion();
  let leaseWrites = 0;

  const keep = async <K extends KeptKind>(kind: K): Promise<void> => {
    const map: Map<string, Resource<K>> = maps[kind];
    for await (const { events } of world.resources.watch(kind, { resourceVersion: start, signal: forever })) {
      for (const event of events) {
        // The use cases have put the object through its schema.
        const object = event.read() as unknown as Resource<K>;
        const before = map.get(object.metadata.name);
        if (event.type === 'DELETED') map.delete(object.metadata.name);
        else map.set(object.metadata.name, object);
        onChange(kind, before, event.type === 'DELETED' ? undefined : object);
      }
    }
  };
  const count = async (kind: KindName): Promise<void> => {
    for await (const { events } of world.resources.watch(kind, { resourceVersion: start, signal: forever })) {
      leaseWrites += events.length;
    }
  };
  for (const kind of KEPT) void keep(kind);
  void count('Lease');
  return { seen: maps, writes: () => Number(world.resources.resourceVersion()) - Number(start) - leaseWrites };
}
