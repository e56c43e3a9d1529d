/** What is seen before anything is decided about a volume: from the cache, or from the API where the cache may not lag behind. */
import { snapshotPromises } from '../../domain/snapshot/snapshot-promises.ts';
import { withGrants } from '../../domain/volume/granted-sizes.ts';
import { unrecordedCopies } from '../../domain/volume/promised-copies.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { ControllerDeps, WatchedKind } from '../deps.ts';
import { readSource } from './place-clone.ts';
import { isAskedToRestore } from './restore-volume.ts';
import { asksForGrowth } from './size-copies.ts';

type StoredVolume = Resource<'Volume'>;

/** What a decision about a volume rests on beside the volume and the nodes. */
export interface Look {
  /** Its copies. */
  readonly own: readonly Resource<'VolumeCopy'>[];
  /** Asked only where room is looked for: there are many. */
  readonly allVolumes: () => readonly StoredVolume[];
  readonly allCopies: () => readonly Resource<'VolumeCopy'>[];
  readonly attachments: readonly Resource<'VolumeAttachmentRecord'>[];
  /** Of all nodes; only of a volume that is to go. */
  readonly knownNodes?: ReadonlySet<string>;
  /** The snapshot that it begins with. */
  readonly source?: Resource<'VolumeSnapshotRecord'> | undefined;
  readonly allSnapshots: () => readonly Resource<'VolumeSnapshotRecord'>[];
}

/** All that room is promised to, as it was read from the API. */
export type Reading = Pick<Look, 'allVolumes' | 'allCopies' | 'allSnapshots'>;

/** Whoever decides about it needs the newest of all volumes, copies or nodes. */
export function readsAll(volume: StoredVolume): boolean {
  return volume.metadata.deletionTimestamp !== undefined || isAskedToRestore(volume) || asksForPlace(volume);
}

/**
 * The cache may lag behind others' writes and our own. Placement needs the newest truth about what is promised, be it
 * recorded as copies, or only as another volume's placement, or as images of a snapshot; a deletion about which copies are left, one not seen would
 * be left behind for ever, and about who has the volume mounted.
 */
export async function look(
  deps: ControllerDeps,
  volume: StoredVolume,
  signal: AbortSignal,
  { isChanging = false, reading }: { readonly isChanging?: boolean; readonly reading?: Reading | undefined } = {},
): Promise<Look> {
  const { client, informers } = deps;
  const { name, deletionTimestamp } = volume.metadata;
  const isDeleting = deletionTimestamp !== undefined;
  const isRestored = isAskedToRestore(volume);
  const isPlacing = isChanging || isRestored || (!isDeleting && asksForPlace(volume));
  const isCounting = isPlacing || isDeleting;
  const { allVolumes, allSnapshots, allCopies } = reading ?? (await readRoom(deps, { isPlacing, isCounting, signal }));
  return {
    own: (isCounting ? allCopies() : informers.VolumeCopy.byIndex('volume', name)).filter(isCopyOf(volume)),
    ...{ allVolumes, allSnapshots, allCopies },
    attachments: await readAttachments(deps, name, { isFresh: isDeleting || isRestored, signal }),
    ...(await readKnownNodes(client, volume, signal)),
    ...(isPlacing ? { source: await readSource(client, volume, signal) } : {}),
  };
}

async function readRoom(
  { client, informers }: ControllerDeps,
  how: { readonly isPlacing: boolean; readonly isCounting: boolean; readonly signal: AbortSignal },
): Promise<Reading> {
  const { isPlacing, isCounting, signal } = how;
  const read = async <K extends WatchedKind>(kind: K, isFresh: boolean): Promise<() => readonly Resource<K>[]> => {
    if (!isFresh) return () => informers[kind].list();
    const { items } = await client.list(kind, { signal });
    return () => items;
  };
  const [allVolumes, allSnapshots] = await Promise.all([
    read('Volume', isPlacing),
    read('VolumeSnapshotRecord', isPlacing),
  ]);
  // After the volumes: a copy that is recorded in between is counted once, and one that is not yet, as a promise.
  const allCopies = await read('VolumeCopy', isCounting);
  return { allVolumes, allSnapshots, allCopies };
}

async function readAttachments(
  { client, informers }: ControllerDeps,
  volume: string,
  { isFresh, signal }: { readonly isFresh: boolean; readonly signal: AbortSignal },
): Promise<Look['attachments']> {
  if (!isFresh) return informers.VolumeAttachmentRecord.byIndex('volume', volume);
  const { items } = await client.list('VolumeAttachmentRecord', { signal });
  return items.filter((record) => record.spec.volume === volume);
}

/** Who was given up decides about a deletion alone. */
async function readKnownNodes(
  client: ControllerDeps['client'],
  { metadata }: StoredVolume,
  signal: AbortSignal,
): Promise<Pick<Look, 'knownNodes'>> {
  if (metadata.deletionTimestamp === undefined) return {};
  const { items } = await client.list('StorageNode', { signal });
  return { knownNodes: new Set(items.map((node) => node.metadata.name)) };
}

function asksForPlace(volume: StoredVolume): boolean {
  // A share has its room on its server.
  if (volume.spec.share !== undefined) return false;
  return volume.status?.placement === undefined || asksForGrowth(volume);
}

/** The room that is taken or promised, of all volumes. */
export function takenRoom({ allVolumes, allCopies, allSnapshots }: Look): readonly VolumeCopy[] {
  const [volumes, copies] = [allVolumes(), allCopies()];
  const promised = [...unrecordedCopies(volumes, copies), ...snapshotPromises(allSnapshots())];
  return withGrants([...copies, ...promised], volumes);
}

function isCopyOf({ metadata }: StoredVolume): (copy: Resource<'VolumeCopy'>) => boolean {
  return ({ spec }) => spec.volume === metadata.name && spec.volumeUid === metadata.uid;
}
