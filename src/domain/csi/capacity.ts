/** Sizes of CSI calls: a range of bytes becomes the one size that a volume gets. */
import { GIB, MIB } from '../bytes.ts';
import { AppError } from '../errors.ts';
import { MIN_VOLUME_BYTES } from '../volume/copy-size.ts';

/** As on the wire; 0 says nothing. */
export interface CapacityRange {
  readonly requiredBytes: bigint;
  readonly limitBytes: bigint;
}

export const NO_RANGE: CapacityRange = { requiredBytes: 0n, limitBytes: 0n };
const DEFAULT_BYTES = GIB;

/**
 * The size for a range: what is required in whole MiB, at least the smallest volume; where nothing is required
 * what it begins with, else 1 GiB or, under a limit, that.
 *
 * @param atLeast - bytes that it has to have in any case: those of what it begins with
 * @throws {AppError} invalid, for a range that is none; range, for one that no volume fits
 */
export function chooseSize(range: CapacityRange, atLeast = 0): number {
  const { required, limit } = checkRange(range);
  const wanted = required > 0 ? required : Math.min(atLeast > 0 ? atLeast : DEFAULT_BYTES, limit);
  const least = Math.max(wanted, atLeast, MIN_VOLUME_BYTES);
  const rounded = Math.ceil(least / MIB) * MIB;
  const size = rounded > limit ? least : rounded;
  if (size <= limit && Number.isSafeInteger(size)) return size;
  throw new AppError('range', `no volume fits the range of ${required} to ${limit} bytes: the least is ${least}`, {
    reason: 'CapacityRange',
    hint: 'ask for more, or raise the limit',
  });
}

/** Whether a volume of so many bytes is one that the range asks for. @throws {AppError} as {@link chooseSize} */
export function isInRange(sizeBytes: number, range: CapacityRange): boolean {
  const { required, limit } = checkRange(range);
  return sizeBytes >= required && sizeBytes <= limit;
}

function checkRange({ requiredBytes, limitBytes }: CapacityRange): { required: number; limit: number } {
  if (requiredBytes < 0n || limitBytes < 0n) {
    throw new AppError('invalid', 'the capacity range holds a negative number of bytes');
  }
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  if (requiredBytes > most) throw new AppError('range', `${requiredBytes} bytes are more than any volume can have`);
  if (limitBytes > 0n && limitBytes < requiredBytes) {
    throw new AppError('invalid', `the limit of ${limitBytes} bytes is below the ${requiredBytes} that are required`);
  }
  const limit = limitBytes === 0n || limitBytes > most ? Number.MAX_SAFE_INTEGER : Number(limitBytes);
  return { required: Number(requiredBytes), limit };
}
