/** CSI ControllerModifyVolume: what `holdfast volume set-profile` and `volume convert` do, for a VolumeAttributesClass. */

import { readMutableParameters, type VolumeChange } from '../../domain/csi/mutable-parameters.ts';
import { parseCsiId } from '../../domain/csi/names.ts';
import { AppError } from '../../domain/errors.ts';
import { convertVolume } from '../volumes/convert-volume.ts';
import { findVolume } from '../volumes/read-volumes.ts';
import { setProfile } from '../volumes/set-profile.ts';
import { CALL_MS, type CsiDeps } from './csi-deps.ts';

/**
 * Changes a volume and waits until the change holds. Repeated, it waits for what was begun.
 *
 * @throws {AppError} notFound; invalid, for what is no parameter or cannot be changed; precondition, for a volume that cannot
 *   become so; timeout
 */
export async function modifyVolume(
  deps: CsiDeps,
  request: { readonly volumeId: string; readonly parameters: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<void> {
  const name = parseCsiId('volume_id', request.volumeId);
  const change = readMutableParameters(request.parameters);
  const { metadata } = await findVolume({ client: deps.client, signal }, name);
  if (metadata.deletionTimestamp !== undefined) throw new AppError('precondition', `volume ${name} is being deleted`);
  await changeVolume(deps, name, change, signal);
}

/** As {@link modifyVolume}, with the change that was read. Nothing is changed when a part of it is refused. */
export async function changeVolume(
  deps: CsiDeps,
  name: string,
  { profile, replicas }: VolumeChange,
  signal: AbortSignal,
): Promise<void> {
  for (const isDryRun of [true, false]) {
    const options = { isDryRun, waitMs: CALL_MS, signal };
    if (profile !== undefined) await setProfile(deps, { name, profile }, options);
    if (replicas !== undefined) {
      await convertVolume(deps, { name, replicas }, { ...options, onProgress: () => undefined });
    }
  }
}
