/** Folders as part of what must survive a power cut. */
import { open } from 'node:fs/promises';

/** Makes the names in a folder durable: a new file survives only when the folder that names it was synced too (man 2 fsync). */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
