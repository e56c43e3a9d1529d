/** Takes the PersistentVolume of a volume away, before the volume itself goes. */
import { AppError } from '../../domain/errors.ts';
import { leadsTo } from '../../domain/volume/persistent-volume.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';

/** The PersistentVolume that leads to the volume of this name; one of another driver is not ours to touch. */
export async function findRegistration(
  client: ResourceClient,
  volume: string,
  scope: { readonly signal?: AbortSignal },
): Promise<Resource<'PersistentVolume'> | undefined> {
  const found = await client.get('PersistentVolume', volume, scope);
  return found !== undefined && leadsTo(found, volume) ? found : undefined;
}

/** @throws {AppError} precondition, while a claim holds the PersistentVolume */
export function assertUnclaimed(persistentVolume: Resource<'PersistentVolume'> | undefined): void {
  if (persistentVolume?.status?.phase !== 'Bound') return;
  const { name } = persistentVolume.metadata;
  const { namespace = 'default', name: claim = '' } = persistentVolume.spec.claimRef ?? {};
  throw new AppError('precondition', `volume ${name} is claimed by ${namespace}/${claim}; nothing was deleted`, {
    resource: `persistentvolume ${name}`,
    reason: 'VolumeClaimed',
    hint: `delete the claim first: kubectl -n ${namespace} delete persistentvolumeclaim ${claim}`,
  });
}

/**
 * Deletes a PersistentVolume, and waits until it is gone, so that its name is free again. Does nothing when there is none.
 *
 * @throws {AppError} timeout
 */
export async function removeRegistration(
  deps: WaitDeps,
  persistentVolume: Resource<'PersistentVolume'> | undefined,
  options: { readonly waitMs?: number; readonly signal?: AbortSignal },
): Promise<void> {
  if (persistentVolume === undefined) return;
  const { name, uid } = persistentVolume.metadata;
  const { waitMs, signal } = options;
  const scope = signal === undefined ? {} : { signal };
  await deps.client.delete('PersistentVolume', name, { ...scope, uid });
  if (waitMs === undefined) return;
  await waitForObject(deps, {
    kind: 'PersistentVolume',
    name,
    timeoutMs: waitMs,
    ...scope,
    check: (seen) => (seen === undefined || seen.metadata.uid !== uid ? true : undefined),
    describeTimeout: (seen) => {
      const held = (seen?.metadata.finalizers ?? []).join(', ');
      return new AppError(
        'timeout',
        `PersistentVolume ${name} is marked for deletion but still there after ${waitMs / 1000} s` +
          `${held === '' ? '' : `, held by ${held}`}; the volume is kept until then`,
        {
          resource: `persistentvolume ${name}`,
          reason: 'NotGoneInTime',
          hint: `see: kubectl describe persistentvolume ${name}; then delete the volume again`,
        },
      );
    },
  });
}
