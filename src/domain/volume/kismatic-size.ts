/** Sizes as Kismatic writes them in its lists (apprenda/kismatic, pkg/cli/volume_list.go, HumanFormat). */
import { GIB, KIB, MIB, TIB } from '../bytes.ts';

/** Bytes with two decimals and a unit of 1024: 10 GiB is "10.00GB". */
export function kismaticSize(bytes: number): string {
  for (const [unit, factor] of [
    ['TB', TIB],
    ['GB', GIB],
    ['MB', MIB],
    ['KB', KIB],
  ] as const) {
    if (bytes >= factor) return `${(bytes / factor).toFixed(2)}${unit}`;
  }
  return `${bytes.toFixed(2)}B`;
}
