/** Offers a volume to claims: its PersistentVolume, made once however often it is asked for. */
import { AppError, isAppError } from '../../domain/errors.ts';
import {
  isRegistrationOf,
  leadsTo,
  persistentVolumeOf,
  type Registration,
} from '../../domain/volume/persistent-volume.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';

interface RegisterDeps {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}

/**
 * Creates the PersistentVolume of a volume unless it is there; one that is there is not changed.
 *
 * @throws {AppError} exists, when another PersistentVolume has the name
 */
export async function registerVolume(
  { client, signal }: RegisterDeps,
  volume: Resource<'Volume'>,
  registration: Registration,
): Promise<Resource<'PersistentVolume'>> {
  const scope = signal === undefined ? {} : { signal };
  const { name, uid } = volume.metadata;
  const existing = await client.get('PersistentVolume', name, scope);
  if (existing !== undefined) return belonging(existing, volume);
  const size = volume.status?.size ?? volume.spec.size;
  const object = persistentVolumeOf(
    { name, uid, size, isBlock: volume.spec.brick === 'block', ...onlyNodeOf(volume) },
    registration,
  );
  try {
    return await client.create('PersistentVolume', object, scope);
  } catch (error) {
    if (!isAppError(error, 'exists')) throw error;
    // Somebody was faster, most likely with the very same.
    const created = await client.get('PersistentVolume', name, scope);
    if (created === undefined) throw error;
    return belonging(created, volume);
  }
}

/** A local volume is used where its one copy is. */
function onlyNodeOf({ spec, status }: Resource<'Volume'>): { readonly onlyNode?: string } {
  const [placed] = status?.placement ?? [];
  return spec.engine === 'local' && placed !== undefined ? { onlyNode: placed.node } : {};
}

function belonging(
  persistentVolume: Resource<'PersistentVolume'>,
  volume: Resource<'Volume'>,
): Resource<'PersistentVolume'> {
  if (isRegistrationOf(persistentVolume, volume.metadata)) return persistentVolume;
  throw persistentVolumeInTheWay(persistentVolume);
}

/** The failure of whoever needs the name of a PersistentVolume that is there. */
export function persistentVolumeInTheWay(persistentVolume: Resource<'PersistentVolume'>): AppError {
  const { name, deletionTimestamp } = persistentVolume.metadata;
  const what = leadsTo(persistentVolume, name) ? 'for an earlier volume of that name' : 'for something else';
  const leaving = deletionTimestamp === undefined ? '' : ' and is being deleted';
  return new AppError('exists', `a PersistentVolume ${name} exists already, ${what}${leaving}`, {
    resource: `persistentvolume ${name}`,
    reason: 'PersistentVolumeExists',
    hint: `choose another name, or remove it: kubectl delete persistentvolume ${name}`,
  });
}
