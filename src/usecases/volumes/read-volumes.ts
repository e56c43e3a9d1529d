/** Volumes as people ask for them: the list, and one with all that belongs to it. */
import { type EncryptionState, encryptionOf } from '../../domain/volume/encryption-state.ts';
import { type ServingWord, servingCopies } from '../../domain/volume/serving-copies.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { findNamed } from '../finding/find-named.ts';

export interface ShownVolume {
  readonly volume: Resource<'Volume'>;
  /** In the engine's order. */
  readonly copies: readonly Resource<'VolumeCopy'>[];
  readonly attachments: readonly Resource<'VolumeAttachmentRecord'>[];
  /** Whether each copy serves now, by its name; what the volume itself holds may be older than a node's loss. */
  readonly serving: Readonly<Record<string, ServingWord>>;
  /** Of an encrypted one: how, and whether its copies are open. */
  readonly encryption?: EncryptionState;
}

export interface ListedVolume {
  readonly volume: Resource<'Volume'>;
  /** How many of its copies serve now. */
  readonly servingCount: number;
}

interface ReadDeps {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}

/** All volumes, by name. */
export async function listVolumes(deps: ReadDeps): Promise<readonly Resource<'Volume'>[]> {
  const { items } = await deps.client.list('Volume', scopeOf(deps));
  return items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** All volumes, by name, with how many of their copies serve. */
export async function listServedVolumes(deps: ReadDeps): Promise<readonly ListedVolume[]> {
  const [volumes, nodes] = await Promise.all([listVolumes(deps), deps.client.list('StorageNode', scopeOf(deps))]);
  return volumes.map((volume) => {
    const words = [...servingCopies(volume, nodes.items).values()];
    return { volume, servingCount: words.filter((word) => word === 'yes').length };
  });
}

/**
 * One volume with its copies and mounts.
 *
 * @throws {AppError} notFound, with the nearest name
 */
export async function showVolume(deps: ReadDeps, name: string): Promise<ShownVolume> {
  const scope = scopeOf(deps);
  const volume = await findVolume(deps, name);
  const [copies, attachments, nodes] = await Promise.all([
    deps.client.list('VolumeCopy', scope),
    deps.client.list('VolumeAttachmentRecord', scope),
    deps.client.list('StorageNode', scope),
  ]);
  const { uid } = volume.metadata;
  const own = copies.items
    .filter((copy) => copy.spec.volume === name && copy.spec.volumeUid === uid)
    .toSorted((a, b) => a.spec.index - b.spec.index);
  const encryption = encryptionOf(volume, own);
  return {
    volume,
    copies: own,
    ...(encryption === undefined ? {} : { encryption }),
    attachments: attachments.items
      .filter((record) => record.spec.volume === name)
      .toSorted((a, b) => (a.spec.node < b.spec.node ? -1 : 1)),
    serving: Object.fromEntries(servingCopies(volume, nodes.items)),
  };
}

/** @throws {AppError} notFound, with the nearest name */
export function findVolume(deps: ReadDeps, name: string): Promise<Resource<'Volume'>> {
  const naming = { what: 'volume', reason: 'VolumeNotFound', seeAll: 'holdfast volume list' };
  return findNamed(deps, { kind: 'Volume', name }, naming);
}

function scopeOf({ signal }: ReadDeps): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
