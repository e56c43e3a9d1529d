/** CSI ControllerExpandVolume: grows the copies; a mount, and a device, shows the new size by itself. */
import { formatQuantity, parseQuantity } from '../../domain/bytes.ts';
import { type AskedAccess, assertAccess, kindOf, parseAccess } from '../../domain/csi/access.ts';
import { type CapacityRange, chooseSize, isInRange, NO_RANGE } from '../../domain/csi/capacity.ts';
import { parseCsiId } from '../../domain/csi/names.ts';
import { AppError } from '../../domain/errors.ts';
import { growVolume } from '../volumes/grow-volume.ts';
import { CALL_MS, type CsiDeps } from './csi-deps.ts';

export interface ExpandRequest {
  readonly volumeId: string;
  /** Undefined when the call has none. */
  readonly range: CapacityRange | undefined;
  readonly access: AskedAccess | undefined;
}

/**
 * Grows a volume and waits until every copy has the size. One that is as large already stays as it is.
 *
 * @returns bytes that it has
 * @throws {AppError} notFound; invalid; range, for a limit below what it has; capacity
 */
export async function expandVolume(deps: CsiDeps, request: ExpandRequest, signal: AbortSignal): Promise<number> {
  const name = parseCsiId('volume_id', request.volumeId);
  const { range = NO_RANGE } = request;
  if (range.requiredBytes === 0n && range.limitBytes === 0n) {
    throw new AppError('invalid', 'the call has no capacity range');
  }
  if (request.access !== undefined) parseAccess(request.access);
  const volume = await deps.client.get('Volume', name, { signal });
  if (volume === undefined) throw new AppError('notFound', `there is no volume ${name}`);
  assertAccess(request.access, kindOf(volume.spec));
  const has = parseQuantity(volume.spec.size);
  if (!isInRange(Math.max(has, Number(range.requiredBytes)), range)) {
    throw new AppError('range', `volume ${name} has ${volume.spec.size}, which is above the limit, and never shrinks`);
  }
  if (volume.spec.share !== undefined) return keepSize(name, has, range);
  const size = Math.max(has, chooseSize(range, has));
  await growVolume(deps, { name, size: formatQuantity(size) }, { waitMs: CALL_MS, signal });
  return size;
}

/** @throws {AppError} range, for more: a claim that is told of it would believe in room that nobody keeps */
function keepSize(name: string, has: number, { requiredBytes }: CapacityRange): number {
  if (requiredBytes <= BigInt(has)) return has;
  throw new AppError('range', `volume ${name} is a share of a file server, which alone decides about its size`, {
    reason: 'SizeOfServer',
    hint: 'give the share more room on its file server',
  });
}
