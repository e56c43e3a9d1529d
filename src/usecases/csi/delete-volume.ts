/** CSI DeleteVolume. */
import { parseCsiId } from '../../domain/csi/names.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import { deleteVolume as deleteStored } from '../volumes/delete-volume.ts';
import { CALL_MS, CSI_NAME, type CsiDeps } from './csi-deps.ts';

/**
 * Deletes a volume that a call has made, and waits until nothing is left of it. Success when there is none.
 *
 * @throws {AppError} precondition, while it is published, and for a volume that people made
 */
export async function deleteVolume(deps: CsiDeps, id: string, signal: AbortSignal): Promise<void> {
  const name = parseCsiId('volume_id', id);
  const volume = await deps.client.get('Volume', name, { signal });
  if (volume === undefined) return;
  if (volume.metadata.annotations?.[CSI_NAME] === undefined) {
    throw new AppError('precondition', `volume ${name} was not made for a claim, and is not deleted with one`, {
      resource: `volume ${name}`,
      reason: 'NotOurs',
      hint: `delete it with: holdfast volume delete ${name}`,
    });
  }
  try {
    await deleteStored(deps, name, { isRegistrationKept: true, confirm: async () => true, waitMs: CALL_MS, signal });
  } catch (error) {
    // Gone meanwhile, which is what was asked for.
    if (!isAppError(error, 'notFound')) throw error;
  }
}
