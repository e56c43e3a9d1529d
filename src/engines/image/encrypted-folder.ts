/**
 * The folder of an encrypted copy: a folder of ext4 with a policy of fscrypt, all of whose contents and names are encrypted
 * by the kernel. Its key is given to the file system at each mount, and gone with it.
 *
 * The kernel calls a key by an identifier that it derives from it, and the folder's policy names that of its own: so a wrong
 * key is known before anything is read or written with it (Documentation/filesystems/fscrypt.rst of Linux, "v2 policies").
 */
import { AppError } from '../../domain/errors.ts';
import type { CommandResult, Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import type { VolumeKeys } from '../../ports/volume-keys.ts';
import { statAs } from './copy-folder.ts';

const SHORT_MS = 20_000;
/** Names are padded to 32 bytes, so that their lengths say less. */
const PAD_32 = '0x3';

/** What encrypts the folders of a host's copies. */
export interface FolderEncryption {
  readonly host: Host;
  readonly keys: VolumeKeys;
}

export interface EncryptedFolder {
  /** Where the image is mounted. */
  readonly mountPoint: string;
  /** The folder below it whose contents are encrypted. */
  readonly folder: string;
  /** Name of the Secret with the key. */
  readonly keySecret: string;
  readonly signal: AbortSignal;
}

/** Lets the ext4 in an image, which is not mounted, have encrypted folders. */
export async function allowEncryption(host: Host, image: string, signal: AbortSignal): Promise<void> {
  await host.run({ file: 'tune2fs', args: ['-O', 'encrypt', image], timeoutMs: SHORT_MS, signal });
}

/** Makes the folder, encrypted from its first byte on. */
export async function makeEncrypted(tools: FolderEncryption, wanted: EncryptedFolder): Promise<void> {
  const { host, keys } = tools;
  const { folder, keySecret, mountPoint, signal } = wanted;
  const id = await addKey(host, mountPoint, await keys.read(keySecret, signal), signal);
  await host.files.makeDirectory(folder);
  await ask(host, folder, ['set_encpolicy', '-v', '2', '-f', PAD_32, id], { signal });
  await proveKey(host, wanted, id);
}

/**
 * Gives the file system the key of the folder.
 *
 * @throws {AppError} precondition WrongKey; dataLoss NotEncrypted, for a folder that is not encrypted at all
 */
export async function unlock({ host, keys }: FolderEncryption, wanted: EncryptedFolder): Promise<void> {
  const { keySecret, mountPoint, signal } = wanted;
  const id = await addKey(host, mountPoint, await keys.read(keySecret, signal), signal);
  await proveKey(host, wanted, id);
}

async function proveKey(host: Host, { folder, mountPoint, keySecret, signal }: EncryptedFolder, id: string) {
  const policy = await readPolicy(host, folder, signal);
  if (policy === id) return;
  await ask(host, mountPoint, ['rm_enckey', id], { signal });
  if (policy === undefined) {
    throw new AppError('dataLoss', `${folder} on ${host.name} is not encrypted, as it should be`, {
      reason: 'NotEncrypted',
      hint: 'nothing is written to it; look at it, and replace the copy',
    });
  }
  throw new AppError(
    'precondition',
    `the key in Secret ${keySecret} is not the one that ${folder} on ${host.name} was encrypted with`,
    {
      reason: 'WrongKey',
      hint: `nothing was changed; put the right key back into Secret ${keySecret}`,
    },
  );
}

/** Identifier of the key that the folder is encrypted with; undefined of one that is not. */
async function readPolicy(host: Host, folder: string, signal: AbortSignal): Promise<string | undefined> {
  if ((await statAs(host, folder, 'directory')) === undefined) return undefined;
  // xfs_io(8) leaves with 1 where there is none (ENODATA).
  const args = ['-r', '-c', 'get_encpolicy', folder];
  const { stdout, stderr, code } = await host.run({
    file: 'xfs_io',
    args,
    timeoutMs: SHORT_MS,
    okCodes: [0, 1],
    signal,
  });
  const found = /^\s*Master key identifier: ([0-9a-f]{32})$/m.exec(stdout)?.[1];
  if (found !== undefined || (code === 1 && stderr.includes('No data available'))) return found;
  throw new AppError(
    'unavailable',
    `what ${folder} on ${host.name} is encrypted with cannot be read: ${stderr.trim()}`,
  );
}

/** @returns the identifier that the kernel derives from the key */
async function addKey(host: Host, mountPoint: string, key: string, signal: AbortSignal): Promise<string> {
  const { stdout } = await ask(host, mountPoint, ['add_enckey'], { signal, stdin: key });
  const id = /identifier ([0-9a-f]{32})$/m.exec(stdout)?.[1];
  if (id !== undefined) return id;
  throw unsupported(host, mountPoint, 'xfs_io does not say what the kernel calls its key');
}

/** xfs_io splits its commands at blanks and has no quotes: there is nothing of a person's in them. It leaves with 1 where one fails. */
async function ask(
  host: Host,
  path: string,
  command: readonly string[],
  { signal, stdin }: { readonly signal: AbortSignal; readonly stdin?: string },
): Promise<CommandResult> {
  const run = { file: 'xfs_io', args: ['-r', '-c', command.join(' '), path], timeoutMs: SHORT_MS, signal };
  try {
    return await host.run({ ...run, ...(stdin === undefined ? {} : { stdin }) });
  } catch (error) {
    if (!isRunError(error, 'exit')) throw error;
    throw unsupported(host, path, error.stderr.trim(), error);
  }
}

function unsupported(host: Host, path: string, why: string, cause?: unknown): AppError {
  return new AppError('unsupported', `${path} on ${host.name} cannot be encrypted: ${why}`, {
    reason: 'EncryptionUnsupported',
    hint: 'use a kernel with CONFIG_FS_ENCRYPTION, as those of Debian are, or another node',
    ...(cause === undefined ? {} : { cause }),
  });
}
