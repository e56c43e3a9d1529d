/** The mount table of a host, read from /proc, and changes to it by mount(8) and umount(8) with what they claim checked. */
import { AppError } from '../../domain/errors.ts';
import type { Command, CommandResult, HostMounts, MountEntry, MountRequest } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import { type MountInfo, parseMountInfo } from './parse-mountinfo.ts';

export interface MountsOptions {
  readonly hostName: string;
  readonly run: (command: Command) => Promise<CommandResult>;
  /** Text of the host's mount table: /proc/self/mountinfo, or that of a lab host's first process. */
  readonly table: () => Promise<string>;
}

/** More mounts than this on one target are no accident that umount should undo. */
const MAX_STACKED = 16;

/** Creates the mount operations of a host. */
export function createHostMounts(options: MountsOptions): HostMounts {
  const read = createReader(options.table);
  const list = async () => (await read()).infos;
  return {
    list: async () => (await read()).entries,
    mount: (request) => mount(options, list, request),
    unmount: async (target, { lazy = false, timeoutMs }) => {
      for (let left = MAX_STACKED; left > 0 && (await list()).some((entry) => entry.target === target); left--) {
        await unmountOnce(options, list, { target, lazy, timeoutMs });
      }
    },
  };
}

interface Table {
  readonly text: string;
  readonly infos: readonly MountInfo[];
  readonly entries: readonly MountEntry[];
}

/** Reads the table; one with the same text as before is not parsed again: it has a line for each copy, and is read for each. */
function createReader(read: () => Promise<string>): () => Promise<Table> {
  let last: Table = { text: '', infos: [], entries: [] };
  return async () => {
    const text = await read();
    if (text !== last.text) {
      const infos = parseMountInfo(text);
      last = { text, infos, entries: infos.map(({ id: _id, device: _device, ...entry }) => entry) };
    }
    return last;
  };
}

type List = () => Promise<readonly MountInfo[]>;

async function mount(options: MountsOptions, list: List, request: MountRequest): Promise<void> {
  const { source, target, fsType, options: flags = [], timeoutMs, signal } = request;
  const within = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
  // The table shows the path with its symlinks followed; nothing is mounted there yet, so this cannot hang on it.
  const real = (await options.run({ file: 'readlink', args: ['-m', '--', target], ...within })).stdout.replace(
    /\n$/,
    '',
  );
  const before = new Set((await list()).map((entry) => entry.id));
  const args = [
    ...(fsType === undefined ? [] : ['-t', fsType]),
    ...(flags.length === 0 ? [] : ['-o', flags.join(',')]),
  ];
  await options.run({ file: 'mount', args: [...args, '--', source, target], ...within });
  if (flags.includes('remount')) return;

  const isThere = (await list()).some((entry) => entry.target === real && !before.has(entry.id));
  if (!isThere) {
    throw new AppError(
      'unavailable',
      `mounting ${source} at ${target} on ${options.hostName} was refused without a word`,
      {
        reason: 'MountRefused',
        hint: 'look into the log of the mount helper; an allow list that lacks this host is the usual cause',
      },
    );
  }
  try {
    // In a program of its own: stat on a mount whose server is silent blocks whoever calls it.
    await options.run({ file: 'stat', args: ['--format=%i', '--', target], ...within });
  } catch (error) {
    await unmountOnce(options, list, { target: real, lazy: true, timeoutMs });
    throw new AppError('unavailable', `${source} was mounted at ${target} on ${options.hostName} but does not answer`, {
      reason: 'MountDead',
      cause: error,
    });
  }
}

async function unmountOnce(
  options: MountsOptions,
  list: List,
  { target, lazy, timeoutMs }: { target: string; lazy: boolean; timeoutMs: number },
): Promise<void> {
  const count = async () => (await list()).filter((entry) => entry.target === target).length;
  const before = await count();
  try {
    // --no-canonicalize: the path is as the table has it, and looking at it could hang on a dead server.
    const args = ['--no-canonicalize', ...(lazy ? ['--lazy'] : []), '--', target];
    await options.run({ file: 'umount', args, timeoutMs });
  } catch (error) {
    // Somebody else was faster: it is unmounted, which is what was asked for.
    if (isRunError(error, 'exit') && (await count()) < before) return;
    if (!isRunError(error, 'exit') || !error.stderr.includes('busy')) throw error;
    throw new AppError('precondition', `${target} on ${options.hostName} is in use and stays mounted`, {
      reason: 'MountBusy',
      hint: `find who uses it with: fuser -vm ${target}`,
      cause: error,
    });
  }
}
