/** Files of /proc, whose processes may end while they are read. */
import { isAppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';

/** The text of a file below /proc; empty when its process has ended (ENOENT or ESRCH). */
export async function readProc(machine: Host, path: string): Promise<string> {
  try {
    return await machine.files.readText(path);
  } catch (error) {
    if (isAppError(error)) return '';
    throw error;
  }
}
