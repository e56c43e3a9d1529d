/** How people name an entry of a volume: a path from its root, or gfid:UUID where GlusterFS knows no name. */
import { isPlainPath } from '../paths.ts';

const GFID = /^gfid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The gfid of "gfid:UUID"; undefined for a path. */
export function gfidOf(entry: string): string | undefined {
  return GFID.exec(entry)?.[1];
}

/** True for a name that leaves neither the volume nor what belongs to its users. */
export function isEntryPath(entry: string): boolean {
  if (entry.length > 4096) return false;
  if (gfidOf(entry) !== undefined) return true;
  return isPlainPath(entry) && entry !== '/.glusterfs' && !entry.startsWith('/.glusterfs/');
}

/** The folder that an entry is in: / for /file. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
