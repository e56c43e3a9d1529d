/** Sizes in placement's words: what is there is rounded down, what is needed is rounded up, so a sentence never lies. */
import { GIB, KIB, MIB, TIB } from '../bytes.ts';

const UNITS = [
  ['TiB', TIB],
  ['GiB', GIB],
  ['MiB', MIB],
  ['KiB', KIB],
] as const;

/** A size that is available, rounded down to one decimal: "12.5 GiB". */
export function describeSize(value: number): string {
  return describe(value, Math.floor);
}

/** A size that is needed, rounded up to one decimal. */
export function describeNeed(value: number): string {
  return describe(value, Math.ceil);
}

function describe(value: number, round: (tenths: number) => number): string {
  for (const [unit, factor] of UNITS) {
    if (value >= factor) return `${round((value / factor) * 10) / 10} ${unit}`;
  }
  return `${value} B`;
}
