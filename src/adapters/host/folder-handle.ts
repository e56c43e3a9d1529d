/** The file handle of a folder: name_to_handle_at(2), which Node has not, by way of what the kernel tells of a watch. */
import type { Command, CommandResult } from '../../ports/host.ts';

/** As long as a `soft` mount takes to give up. */
const READ_MS = 30_000;
/**
 * Watches the folder that it is started in, for as long as it takes to read about that in /proc: proc_pid_fdinfo(5). In a process
 * of its own: the kernel may ask the server first, and nothing else waits for that.
 */
const READ_HANDLE = `
const { readdirSync, readFileSync, watch } = require('node:fs');
watch('.');
const told = readdirSync('/proc/self/fd').map((fd) => {
  try {
    return readFileSync('/proc/self/fdinfo/' + fd, 'utf8');
  } catch {
    return '';
  }
});
process.stdout.write(told.join(''));
process.exit(0);
`;
/**
 * The kernel makes one itself where a file system gives none (NFSv4.0 does not): the inode, and 0 for its generation. That tells no folder from
 * a later one with its inode.
 */
const MADE_UP = /^1:[0-9a-f]{8}00000000$/;
const WATCHED = /^inotify wd:.* fhandle-type:(?<type>[0-9a-f]+) f_handle:(?<bytes>[0-9a-f]+)$/m;

export interface HandleDeps {
  readonly run: (command: Command) => Promise<CommandResult>;
}

/**
 * Reads it. Over NFS it holds the server's own handle, which a server gives to no other object as long as it runs.
 *
 * @param cwd - a path to the folder, held open
 * @returns its type and bytes as hexadecimal digits; undefined where there is none that says more than the inode
 * @throws {RunError}
 */
export async function readHandle({ run }: HandleDeps, cwd: string, signal: AbortSignal): Promise<string | undefined> {
  const { stdout } = await run({
    ...{ file: process.execPath, args: ['--eval', READ_HANDLE], cwd },
    ...{ timeoutMs: READ_MS, signal },
  });
  const found = WATCHED.exec(stdout)?.groups;
  const handle = found === undefined ? undefined : `${found['type']}:${found['bytes']}`;
  return handle === undefined || MADE_UP.test(handle) ? undefined : handle;
}
