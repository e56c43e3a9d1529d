/** What a line of the mount table says about writing. The options of the mount come first in it, those of its file system follow. */

/** Whether the mount itself lets anybody write, whatever its file system does. */
export function writability(options: readonly string[]): 'ro' | 'rw' | undefined {
  return options.find((option): option is 'ro' | 'rw' => option === 'ro' || option === 'rw');
}

/** True where the mount would let people write, and its file system does not: the kernel stopped it after an error. */
export function hasStoppedWriting(options: readonly string[]): boolean {
  return writability(options) === 'rw' && options.includes('ro');
}
