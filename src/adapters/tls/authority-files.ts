/** Keeps an authority in a folder. It appears there whole or not at all, and is never replaced. */
import { chmod, mkdir, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError, messageOf } from '../../domain/errors.ts';
import type { CertificateAuthority } from '../../ports/certificate-authority.ts';
import type { Clock } from '../../ports/clock.ts';
import { syncFolder } from '../system/sync-folder.ts';
import { type AuthorityMaterial, generateAuthority, openAuthority } from './authority.ts';

const CERTIFICATE_FILE = 'ca.crt';
const KEY_FILE = 'ca.key';

/**
 * Loads the authority kept in `directory`, or makes one there when the folder is missing or empty.
 *
 * @throws {AppError} precondition, when there is half an authority, a damaged one, or one whose key others can read;
 * nothing is changed then
 */
export async function loadOrCreateAuthority(
  deps: { readonly clock: Pick<Clock, 'now'> },
  directory: string,
): Promise<CertificateAuthority> {
  const origin = { certificate: join(directory, CERTIFICATE_FILE), key: join(directory, KEY_FILE) };
  const known = await read(origin);
  if (known !== undefined) return openAuthority(deps.clock, known, origin);
  await create(deps.clock, directory);
  const made = await read(origin);
  if (made === undefined) throw new AppError('internal', `the new authority in ${directory} is gone again`);
  return openAuthority(deps.clock, made, origin);
}

async function read(origin: { certificate: string; key: string }): Promise<AuthorityMaterial | undefined> {
  const [certificatePem, keyPem] = await Promise.all([readIfThere(origin.certificate), readIfThere(origin.key)]);
  if (certificatePem === undefined && keyPem === undefined) return undefined;
  if (certificatePem === undefined) throw halfWritten(origin.certificate, origin.key);
  if (keyPem === undefined) throw halfWritten(origin.key, origin.certificate);
  const { mode } = await stat(origin.key);
  if ((mode & 0o077) !== 0) {
    throw new AppError('precondition', `${origin.key} can be read by others (mode ${(mode & 0o777).toString(8)})`, {
      reason: 'KeyReadable',
      hint: `chmod 600 ${origin.key}; if others may have read it, move the authority away and start over`,
    });
  }
  return { certificatePem, keyPem };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AppError('unavailable', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function halfWritten(missing: string, present: string): AppError {
  return new AppError('precondition', `${present} is there but ${missing} is missing; nothing was changed`, {
    reason: 'AuthorityIncomplete',
    hint: `restore ${missing} from a backup; to start over, move the folder away (every certificate then becomes void)`,
  });
}

/** Writes both files into a folder beside, then renames that folder: a crash leaves no half of an authority. */
async function create(clock: Pick<Clock, 'now'>, directory: string): Promise<void> {
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  const staging = await mkdtemp(join(parent, `.${basename(directory)}-`));
  try {
    const material = await generateAuthority(clock);
    await chmod(staging, 0o700);
    await writeSynced(join(staging, KEY_FILE), material.keyPem, 0o600);
    await writeSynced(join(staging, CERTIFICATE_FILE), material.certificatePem, 0o644);
    await syncFolder(staging);
    // Succeeds only where nothing, or an empty folder, is in the way (rename(2)).
    await rename(staging, directory);
    await syncFolder(parent);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (error instanceof AppError) throw error;
    throw new AppError('precondition', `no authority can be made in ${directory}: ${messageOf(error)}`, {
      reason: 'AuthorityFolder',
      hint: 'name a folder that is missing or empty, on a disk that can be written',
      cause: error,
    });
  }
}

async function writeSynced(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
