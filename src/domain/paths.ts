/** Paths that come from people or from the API, before anything is joined to them. */

/** True for an absolute path without "..", ".", empty parts or control characters: no join with it leaves its folder. */
export function isPlainPath(path: string): boolean {
  if (!path.startsWith('/') || /[\u0000-\u001f\u007f]/.test(path)) return false;
  return path
    .slice(1)
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..');
}
