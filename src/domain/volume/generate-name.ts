/** Names for volumes that were given none. */

/** Kismatic's letters: no 0, 1, l or o, which look alike. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** "kismatic-" and five letters. @param next - chance, uniform in [0, 1) */
export function generateVolumeName(next: () => number): string {
  const letters = Array.from({ length: 5 }, () => LETTERS[Math.floor(next() * LETTERS.length)]);
  return `kismatic-${letters.join('')}`;
}
