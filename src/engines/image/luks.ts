/**
 * LUKS2 in the image of an encrypted copy: all of it but the header is encrypted by dm-crypt. A mapping is named after the
 * copy's UID, so that one that was left behind is known as that copy's, whoever made it.
 *
 * A mapping lets no discards through (that is what dm-crypt does unless it is told otherwise): they would take the image's
 * reservation away, and show on the disk which blocks are in use. Only those of thin volumes do, whose room is not reserved,
 * and which show that for it.
 */
import { AppError } from '../../domain/errors.ts';
import { LUKS_HEADER_BYTES } from '../../domain/volume/copy-size.ts';
import type { Command, Host } from '../../ports/host.ts';
import { isRunError, type RunError } from '../../ports/run-error.ts';
import type { VolumeKeys } from '../../ports/volume-keys.ts';
import { withDiscardingDevice } from './loop-devices.ts';
import { UID } from './paths.ts';

/** The first mapping after a start of the machine loads what the kernel encrypts with. */
const SHORT_MS = 60_000;
/** Writes the header, and waits for the disk. */
const FORMAT_MS = 120_000;
const SECTOR_BYTES = 512;
const PREFIX = 'holdfast-';
const VERSION_AT = 14;
/** At the beginning of an image with LUKS of whatever version (LUKS2 On-Disk Format Specification, 2.1). */
const MAGIC = 'LUKS\xba\xbe';
/** What cryptsetup(8) leaves with. */
const WRONG_KEY = 2;
const NO_DEVICE = 4;
const BUSY = 5;

/**
 * A key of Holdfast's is 64 random letters: there is nothing to guess, so nothing is gained by making each guess slow, and
 * Argon2 would take up to a GiB of memory at each mount. PBKDF2 with as few rounds as LUKS allows is a mere hash then.
 *
 * Metadata is kept twice by LUKS2, in 16 KiB each; one slot with a key takes 250 KiB of what is left of the 2 MiB.
 */
const FORMAT = [
  ...['--type', 'luks2', '--cipher', 'aes-xts-plain64', '--key-size', '512', '--hash', 'sha256'],
  ...['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', '--sector-size', '512'],
  ...['--luks2-metadata-size', '16k', '--luks2-keyslots-size', '2016k'],
  ...['--offset', String(LUKS_HEADER_BYTES / SECTOR_BYTES), '--batch-mode'],
] as const;

/** What opens an image. */
export interface LuksTools {
  readonly host: Host;
  readonly keys: VolumeKeys;
}

export interface LuksImage {
  readonly copyUid: string;
  readonly image: string;
  /** Name of the Secret with the key. */
  readonly keySecret: string;
  /** Lets discards through. */
  readonly thinProvision?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** Name of a copy's mapping. */
export function mappingName(copyUid: string): string {
  return `${PREFIX}${copyUid}`;
}

/** Where programs find the device of a copy's mapping. */
export function mappingPath(copyUid: string): string {
  return `/dev/mapper/${mappingName(copyUid)}`;
}

/** The copy that a mapping is of; undefined for one of somebody else. */
export function copyOfMapping(name: string): string | undefined {
  const uid = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
  return UID.test(uid) ? uid : undefined;
}

/** The UUID of a copy's header: not that of the file system in it, which mkfs.btrfs refuses while any other device has it. */
export function headerUuid(copyUid: string): string {
  // The digit with the version of a UUID, where no two copies can differ.
  const version = Number.parseInt(copyUid.charAt(VERSION_AT), 16) ^ 0xc;
  return `${copyUid.slice(0, VERSION_AT)}${version.toString(16)}${copyUid.slice(VERSION_AT + 1)}`;
}

/** Whether an image begins with the header of LUKS. */
export async function hasLuksHeader(host: Host, image: string): Promise<boolean> {
  return Buffer.from(await host.files.readBytes(image, 0, MAGIC.length)).toString('latin1') === MAGIC;
}

/** Encrypts an image in which nothing is yet, and names it after the copy. */
export async function formatLuks(tools: LuksTools, { copyUid, image, keySecret, signal }: LuksImage): Promise<void> {
  const { host, keys } = tools;
  await proveEmpty(host, image, signal);
  const args = ['luksFormat', ...FORMAT, '--uuid', headerUuid(copyUid), '--key-file', '-', '--', image];
  await ask(host, { args, stdin: await keys.read(keySecret, signal), timeoutMs: FORMAT_MS, signal });
}

/** mkfs does the same by itself. @throws {AppError} dataLoss */
async function proveEmpty(host: Host, image: string, signal: AbortSignal): Promise<void> {
  const args = ['-p', '-o', 'export', '--', image];
  const { code } = await host.run({ file: 'blkid', args, okCodes: [0, 2, 8], timeoutMs: SHORT_MS, signal });
  if (code === 2) return;
  throw new AppError('dataLoss', `${image} on ${host.name} holds something already; it is not encrypted`, {
    reason: 'ImageUnknown',
    hint: 'look at it, and move it away',
  });
}

/**
 * Opens an image, which no mapping has.
 *
 * @returns the mapping's device, as the kernel calls it
 * @throws {AppError} precondition WrongKey; unavailable, while something else uses the image
 */
export async function openLuks(
  { host, keys }: LuksTools,
  { copyUid, image, keySecret, thinProvision = false, signal }: LuksImage,
  isReadOnly = false,
): Promise<string> {
  const how = ['--type', 'luks2', '--key-file', '-', ...(isReadOnly ? ['--readonly'] : [])];
  const stdin = await keys.read(keySecret, signal);
  const open = (device: string, more: readonly string[] = []) => {
    const args = ['open', ...how, ...more, '--', device, mappingName(copyUid)];
    return ask(host, { args, stdin, timeoutMs: SHORT_MS, signal });
  };
  try {
    if (thinProvision && !isReadOnly) {
      await withDiscardingDevice(host, image, signal, (device) => open(device, ['--allow-discards']));
    } else await open(image);
  } catch (error) {
    if (!isRunError(error, 'exit')) throw error;
    throw refusal(host, { image, keySecret }, error);
  }
  const device = await findMapping(host, copyUid);
  if (device !== undefined) return device;
  throw new AppError('unavailable', `cryptsetup on ${host.name} opened ${image}, but there is no mapping of it`, {
    reason: 'ImageHeld',
    hint: 'it is tried again by itself',
  });
}

function refusal(host: Host, { image, keySecret }: Pick<LuksImage, 'image' | 'keySecret'>, cause: RunError): AppError {
  if (cause.code === WRONG_KEY) {
    const message = `the key in Secret ${keySecret} is not the one that ${image} on ${host.name} was encrypted with`;
    const hint = `nothing was changed; put the right key back into Secret ${keySecret}`;
    return new AppError('precondition', message, { reason: 'WrongKey', hint, cause });
  }
  if (cause.code === BUSY) {
    return new AppError('unavailable', `${image} on ${host.name} is still in use`, {
      reason: 'ImageHeld',
      hint: 'end what uses it: see "lsblk" and "fuser -vm" of its mapping',
      cause,
    });
  }
  return new AppError('unavailable', `${image} on ${host.name} cannot be opened: ${cause.stderr.trim()}`, {
    reason: 'EncryptionFailed',
    hint: 'see with "cryptsetup luksDump" what is left of its header; else replace the copy, or clone a snapshot',
    cause,
  });
}

/** Device of the copy's mapping, as the kernel calls it; undefined where there is none. */
export async function findMapping(host: Host, copyUid: string): Promise<string | undefined> {
  const wanted = mappingName(copyUid);
  for (const name of await host.files.list('/sys/block')) {
    if (name.startsWith('dm-') && (await nameOfMapping(host, name)) === wanted) return `/dev/${name}`;
  }
  return undefined;
}

/** What the mapping of a device (dm-0) is called; undefined where it has just gone. */
export async function nameOfMapping(host: Host, device: string): Promise<string | undefined> {
  const path = `/sys/block/${device}/dm/name`;
  if ((await host.files.stat(path)) === undefined) return undefined;
  return (await host.files.readText(path).catch(() => '')).trim();
}

/**
 * Closes a copy's mapping; no error when there is none.
 *
 * @param isPatient - one that is in use is left to go by itself as soon as nobody uses it any more
 * @throws {AppError} unavailable, while it is in use
 */
export async function closeLuks(host: Host, copyUid: string, isPatient = false): Promise<void> {
  if ((await findMapping(host, copyUid)) === undefined) return;
  const name = mappingName(copyUid);
  const args = ['close', ...(isPatient ? ['--deferred'] : []), '--', name];
  const { code, stderr } = await ask(host, { args, timeoutMs: SHORT_MS, okCodes: [0, NO_DEVICE, BUSY] });
  if (code !== BUSY) return;
  throw new AppError('unavailable', `the mapping ${name} on ${host.name} is still in use: ${stderr.trim()}`, {
    reason: 'ImageHeld',
    hint: `end what uses it: see "findmnt /dev/mapper/${name}" and "fuser -vm /dev/mapper/${name}"`,
  });
}

/** Makes a mapping as large as its image has become. The kernel holds the key of one that is open, and asks for it all the same. */
export async function resizeLuks(
  { host, keys }: LuksTools,
  { copyUid, keySecret, signal }: Omit<LuksImage, 'image'>,
): Promise<void> {
  const stdin = await keys.read(keySecret, signal);
  const args = ['resize', '--key-file', '-', '--', mappingName(copyUid)];
  try {
    await ask(host, { args, stdin, timeoutMs: SHORT_MS, signal });
  } catch (error) {
    if (!isRunError(error, 'exit')) throw error;
    throw refusal(host, { image: mappingPath(copyUid), keySecret }, error);
  }
}

/** Gives a clone its own UID, so that it can be told from what it was made of. Its key stays. */
export async function renameLuks(host: Host, { copyUid, image, signal }: LuksImage): Promise<void> {
  const args = ['luksUUID', '--batch-mode', '--uuid', headerUuid(copyUid), '--', image];
  await ask(host, { args, timeoutMs: SHORT_MS, signal });
}

/** True for a device that is a mapping, by whichever of its names. */
export function isMappingDevice(path: string): boolean {
  return path.startsWith('/dev/mapper/') || path.startsWith('/dev/dm-');
}

/** Without udev: in a container its daemon is in another namespace, and would never be heard of. */
function ask(host: Host, command: Omit<Command, 'file' | 'env'>) {
  return host.run({ file: 'cryptsetup', env: { DM_DISABLE_UDEV: '1' }, ...command });
}
