/** Files of a machine behind ssh, through the small programs that every Debian has (coreutils, findutils). */
import { AppError, type ErrorKind } from '../../domain/errors.ts';
import type { Command, CommandResult, FileInfo, HostFiles } from '../../ports/host.ts';
import { isRunError, type RunError } from '../../ports/run-error.ts';

export interface SshFilesOptions {
  readonly hostName: string;
  readonly run: (command: Command) => Promise<CommandResult>;
}

const TIMEOUT_MS = 30_000;
const MISSING = 44;
/** A program in sh that gets all text as arguments or on standard input, never as part of itself. */
const SHELL = '/bin/sh';

const READ_RANGE =
  'dd if="$1" iflag=skip_bytes,count_bytes,fullblock skip="$2" count="$3" bs=64K status=none | base64 -w 0';
/** As the local host does it: beside, synced, renamed, the folder synced. A symlink is followed. */
const REPLACE = `set -e
path=$(readlink -m -- "$1")
beside=$(mktemp -- "$(dirname -- "$path")/.holdfast.XXXXXXXX")
trap 'rm -f -- "$beside"' EXIT
cat > "$beside"
chmod -- "$2" "$beside"
sync -- "$beside"
mv -T -- "$beside" "$path"
sync -- "$(dirname -- "$path")"`;
const MAKE_DIRECTORY = '[ -d "$1" ] || { mkdir -p -- "$1" && { [ -z "$2" ] || chmod -- "$2" "$1"; }; }';
const STAT = `[ -e "$1" ] || [ -L "$1" ] || exit ${MISSING}
stat --format='%f %s %d %i' -- "$1"`;
const LIST = `[ -e "$1" ] || exit ${MISSING}
cd -- "$1" && find . -mindepth 1 -maxdepth 1 -printf '%f\\0'`;

/** What programs of coreutils say in the C locale, and what it means. */
const MEANINGS: readonly (readonly [RegExp, ErrorKind, string])[] = [
  [/No such file or directory|Not a directory/, 'notFound', 'ENOENT'],
  [/Permission denied|Operation not permitted/, 'denied', 'EACCES'],
  [/No space left on device|Disk quota exceeded/, 'capacity', 'ENOSPC'],
  [/Directory not empty|resource busy|Read-only file system/, 'precondition', 'EBUSY'],
  [/File exists/, 'exists', 'EEXIST'],
  [/Is a directory/, 'invalid', 'EISDIR'],
];

/** Creates the file access. */
export function createSshFiles({ hostName, run }: SshFilesOptions): HostFiles {
  const at = async (verb: string, path: string, command: Pick<Command, 'file' | 'args' | 'stdin' | 'okCodes'>) => {
    try {
      return await run({ ...command, timeoutMs: TIMEOUT_MS });
    } catch (error) {
      throw isRunError(error, 'exit') ? meaningOf(error, `cannot ${verb} ${path} on ${hostName}`) : error;
    }
  };
  const script = (verb: string, text: string, [path, ...more]: readonly [string, ...string[]]) => ({
    run: (options: Pick<Command, 'stdin' | 'okCodes'> = {}) =>
      at(verb, path, { file: SHELL, args: ['-c', text, 'sh', path, ...more], ...options }),
  });
  return {
    readText: async (path) => (await at('read', path, { file: 'cat', args: ['--', path] })).stdout,
    readBytes: async (path, offset, length) => {
      const range = script('read', READ_RANGE, [path, String(offset), String(length)]);
      return Buffer.from((await range.run()).stdout, 'base64');
    },
    writeText: async (path, text, options) => {
      await script('write', REPLACE, [path, modeText(options?.mode ?? 0o644)]).run({ stdin: text });
    },
    makeDirectory: async (path, options) => {
      await script('create', MAKE_DIRECTORY, [path, options?.mode === undefined ? '' : modeText(options.mode)]).run();
    },
    remove: async (path) => void (await at('remove', path, { file: 'rm', args: ['-f', '-d', '--', path] })),
    stat: async (path) => {
      const { code, stdout } = await script('look at', STAT, [path]).run({ okCodes: [0, MISSING] });
      return code === MISSING ? undefined : parseStat(stdout);
    },
    list: async (path) => {
      const { code, stdout } = await script('list', LIST, [path]).run({ okCodes: [0, MISSING] });
      if (code === MISSING) return [];
      return stdout
        .split('\0')
        .filter((name) => name !== '')
        .toSorted();
    },
    usage: async (path) => {
      const seen = await at('measure', path, { file: 'stat', args: ['-f', '--format=%b %a %S', '--', path] });
      const [blocks = 0, available = 0, size = 0] = seen.stdout.trim().split(' ').map(Number);
      return { capacityBytes: blocks * size, freeBytes: available * size };
    },
  };
}

function modeText(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

const FILE_TYPE_MASK = 0o170000;
const FILE_TYPES: Readonly<Record<number, FileInfo['type']>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
  0o060000: 'device',
  0o020000: 'device',
};

/** stat(1): %f is st_mode in hexadecimal. */
function parseStat(text: string): FileInfo {
  const [mode = '0', size, device, inode] = text.trim().split(' ');
  const bits = Number.parseInt(mode, 16);
  return {
    type: FILE_TYPES[bits & FILE_TYPE_MASK] ?? 'other',
    sizeBytes: Number(size),
    mode: bits & 0o7777,
    deviceId: Number(device),
    inode: Number(inode),
  };
}

function meaningOf(error: RunError, what: string): AppError {
  const [, kind = 'unavailable', code] = MEANINGS.find(([said]) => said.test(error.stderr)) ?? [];
  const why = code ?? error.stderr.trim().split('\n').at(-1) ?? '';
  return new AppError(kind, `${what}: ${why}`, { reason: 'FileAccessFailed', cause: error });
}
