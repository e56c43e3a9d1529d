/** CSI ValidateVolumeCapabilities: whether a volume is, and can be used, as a caller believes. */
import { type AskedAccess, accessFaultOf, kindOf } from '../../domain/csi/access.ts';
import { changeMisfit, classMisfit, type Misfit } from '../../domain/csi/class-misfit.ts';
import { readMutableParameters } from '../../domain/csi/mutable-parameters.ts';
import { parseCsiId } from '../../domain/csi/names.ts';
import { readParameters } from '../../domain/csi/parameters.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { CsiDeps } from './csi-deps.ts';
import { existing } from './look-at-volumes.ts';

type Texts = Readonly<Record<string, string>>;

export interface ValidateRequest {
  readonly volumeId: string;
  readonly accesses: readonly AskedAccess[];
  readonly volumeContext: Texts;
  readonly parameters: Texts;
  readonly mutableParameters: Texts;
}

/**
 * Looks at each thing that the call asks about; what is confirmed was looked at.
 *
 * @returns what is otherwise; undefined when everything is so
 * @throws {AppError} notFound; invalid, when nothing is asked
 */
export async function validateVolume(
  deps: CsiDeps,
  request: ValidateRequest,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { accesses, volumeContext } = request;
  const id = parseCsiId('volume_id', request.volumeId);
  if (accesses.length === 0) throw new AppError('invalid', 'the call has no volume capabilities');
  const volume = await existing(deps, id, signal);
  const kind = kindOf(volume.spec);
  const fault = accesses.map((access) => accessFaultOf(access, kind)).find((each) => each !== undefined);
  if (fault !== undefined) return fault;
  if (Object.keys(volumeContext).length > 0) return 'volumes of this driver have no context';
  return otherThan(volume, request);
}

function otherThan(
  { spec }: Resource<'Volume'>,
  { parameters, mutableParameters }: ValidateRequest,
): string | undefined {
  try {
    const misfit: Misfit | undefined =
      classMisfit(spec, readParameters(parameters)) ?? changeMisfit(spec, readMutableParameters(mutableParameters));
    return misfit === undefined ? undefined : `the volume has ${misfit.field} ${misfit.has}, and not ${misfit.wanted}`;
  } catch (error) {
    if (!isAppError(error, 'invalid')) throw error;
    return [error.message, ...error.faults.map(({ field, message }) => `${field} ${message}`)]
      .join('; ')
      .slice(0, 1_000);
  }
}
