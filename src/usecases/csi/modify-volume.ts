/** CSI ControllerModifyVolume: what `holdfast volume set-profile` and `volume convert` do, for a VolumeAttributesClass. */

import { readMutableParameters, type VolumeChange } from '../../domain/csi/mutable-parameters.ts';
import { parseCsiId } from '../../domain/csi/names.ts';
import { AppError } from '../../domain/errors.ts';
import type { Locality } from '../../domain/locality/locality.ts';
import { engineFaults } from '../../domain/volume/engines.ts';
import { KEPT_BY_SERVER, NO_QUORUM } from '../../domain/volume/unused-words.ts';
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
  { profile, replicas, locality, failureMode }: VolumeChange,
  signal: AbortSignal,
): Promise<void> {
  if (failureMode !== undefined) await assertHasQuorum(deps, { name, failureMode }, signal);
  for (const isDryRun of [true, false]) {
    const options = { isDryRun, waitMs: CALL_MS, signal };
    if (locality !== undefined) await setLocality(deps, { name, locality }, options);
    if (profile !== undefined) await setProfile(deps, { name, profile }, options);
    if (replicas !== undefined) {
      await convertVolume(deps, { name, replicas }, { ...options, onProgress: () => undefined });
    }
  }
}

/** Hard is what a volume of engine gluster always is. @throws {AppError} invalid, for an engine that has no use for the word */
async function assertHasQuorum(
  { client }: CsiDeps,
  { name, failureMode }: { readonly name: string; readonly failureMode: string },
  signal: AbortSignal,
): Promise<void> {
  const { spec } = await findVolume({ client, signal }, name);
  if (spec.engine === 'gluster') return;
  const why = spec.engine === 'local' ? NO_QUORUM : KEPT_BY_SERVER;
  throw new AppError('invalid', `volume ${name}: ${failureMode} ${why}`, { reason: 'InvalidParameters' });
}

/** Nothing has to be waited for: who asks next is answered so. */
async function setLocality(
  { client }: CsiDeps,
  { name, locality }: { readonly name: string; readonly locality: Locality },
  { isDryRun, signal }: { readonly isDryRun: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { spec, metadata } = await findVolume({ client, signal }, name);
  const fault = engineFaults({ ...spec, locality }).find(({ field }) => field === 'locality');
  if (fault !== undefined) {
    throw new AppError('invalid', `volume ${name}: locality ${fault.message}`, { reason: 'InvalidParameters' });
  }
  if (isDryRun || spec.locality === locality) return;
  await client.patch('Volume', name, { spec: { locality } }, { uid: metadata.uid, signal });
}
