/** Sizes: one branded number for bytes, and the one place where a Kubernetes Quantity is read and written. */
import { AppError } from './errors.ts';

/** A count of bytes: a safe integer, so less than 8 PiB. */
export type Bytes = number & { readonly __unit: 'bytes' };

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const TIB = 1024 * GIB;

const SUFFIX_FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: KIB,
  Mi: MIB,
  Gi: GIB,
  Ti: TIB,
  Pi: 1024 * TIB,
};

const QUANTITY = /^(?<digits>\d{1,16}(?:\.\d{1,9})?)(?<suffix>k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

/**
 * Checks a number of bytes.
 *
 * @throws {AppError} range, when it is negative, fractional, or 8 PiB or more
 */
export function bytes(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new AppError('range', `${value} is not a size: expected a whole number of bytes from 0 to less than 8Pi`);
  }
  return value as Bytes;
}

/**
 * Reads a Kubernetes Quantity ("10Gi", "500M", "1.5Ti", "1024") as bytes, rounded up to a whole byte as Kubernetes does.
 *
 * @throws {AppError} invalid, when the text is no quantity; range, when it is 8 PiB or more
 */
export function parseQuantity(text: string): Bytes {
  const match = QUANTITY.exec(text);
  const digits = match?.groups?.['digits'];
  const factor = SUFFIX_FACTORS[match?.groups?.['suffix'] ?? ''];
  if (digits === undefined || factor === undefined) {
    throw new AppError('invalid', `"${text.slice(0, 40)}" is not a size`, {
      hint: 'write a number and a unit, for example 10Gi, 500Mi or 1.5Ti',
    });
  }
  const value = Math.ceil(Number(digits) * factor);
  if (!Number.isSafeInteger(value)) {
    throw new AppError('range', `${text.slice(0, 40)} is too large: a size is from 0 to less than 8Pi`, {
      hint: 'choose a smaller size',
    });
  }
  return bytes(value);
}

/** Writes bytes as the shortest exact Quantity with a binary unit: 10737418240 is "10Gi", 1500 is "1500". */
export function formatQuantity(value: number): string {
  for (const [suffix, factor] of [
    ['Pi', 1024 * TIB],
    ['Ti', TIB],
    ['Gi', GIB],
    ['Mi', MIB],
    ['Ki', KIB],
  ] as const) {
    if (value !== 0 && value % factor === 0) return `${value / factor}${suffix}`;
  }
  return String(value);
}

/** Writes bytes for a person, rounded to one decimal: "12.5 GiB". */
export function describeBytes(value: number): string {
  return describe(value, Math.round);
}

/** Bytes that are available, rounded down, so that "12.5 GiB free" is never more than there is. */
export function describeAvailable(value: number): string {
  return describe(value, Math.floor);
}

/** Bytes that are needed, rounded up, so that "needs 12.5 GiB" is never less than it takes. */
export function describeNeed(value: number): string {
  return describe(value, Math.ceil);
}

function describe(value: number, round: (tenths: number) => number): string {
  for (const [unit, factor] of [
    ['TiB', TIB],
    ['GiB', GIB],
    ['MiB', MIB],
    ['KiB', KIB],
  ] as const) {
    if (value >= factor) return `${round((value / factor) * 10) / 10} ${unit}`;
  }
  return `${value} B`;
}
