/** FNV-1a of a text, a whole number from 0 to 2^32 - 1: to choose evenly, and the same each time. Not for anything secret. */
export function spread(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01_00_01_93) >>> 0;
  return hash;
}
