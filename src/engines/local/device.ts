/** Copies that are used as devices: a loop device of the image, or the mapping over it, bound to where it is wanted. */
import { AppError } from '../../domain/errors.ts';
import type { Host, MountEntry } from '../../ports/host.ts';
import { attachForDiscard, type LoopDevice, loopDevicesOf, refuseDiscard } from '../image/loop-devices.ts';
import { closeLuks, findMapping, hasLuksHeader, type LuksTools, mappingPath, openLuks } from '../image/luks.ts';
import { OWNER_FILE, plainPath } from '../image/paths.ts';
import { copyBehind, findEntry, uidOf } from './attachment.ts';
import type { LocalDeviceStep } from './steps.ts';

const SHORT_MS = 20_000;

/**
 * Attaches the image and binds its device to the path; no error when it is there already. A device that an agent has left
 * behind between the two is taken.
 *
 * @throws {AppError} unavailable, when the image is not there, or somebody else has attached it otherwise; precondition, when
 *   something else is at the path
 */
export async function attachDevice(
  tools: LuksTools,
  step: Extract<LocalDeviceStep, { step: 'attachDevice' }>,
  signal: AbortSignal,
): Promise<void> {
  const { host } = tools;
  const [image, mountPath] = [plainPath(step.copyPath, 'copy path'), plainPath(step.mountPath, 'mount path')];
  const entry = await findEntry(host, mountPath);
  if (entry !== undefined && (await copyBehind(host, entry)) === uidOf(image)) return;
  if ((await host.files.stat(image))?.type !== 'file') {
    throw new AppError('unavailable', `the image of ${step.volume} is not at ${image} on ${host.name}`, {
      reason: 'CopyNotServed',
      hint: `see: holdfast explain volume ${step.volume}`,
    });
  }
  await proveOwned(host, step);
  await makeFile(host, mountPath);
  const source = await (step.keySecret === undefined
    ? plainDevice(host, step, signal)
    : openDevice(tools, step, signal));
  await host.mounts.mount({ source, target: mountPath, options: ['bind'], timeoutMs: SHORT_MS, signal });
}

type AttachStep = Extract<LocalDeviceStep, { step: 'attachDevice' }>;

/** @throws {AppError} precondition, when the image's folder says that it is another volume's, or nobody's */
async function proveOwned(host: Host, { volume, copyPath }: AttachStep): Promise<void> {
  const path = `${copyPath.slice(0, copyPath.lastIndexOf('/'))}/${OWNER_FILE}`;
  const owner = (await host.files.stat(path))?.type === 'file' ? await host.files.readText(path) : '';
  if (owner.startsWith(`volume ${volume}\n`)) return;
  throw new AppError('precondition', `${path} on ${host.name} does not say that the image is that of ${volume}`, {
    reason: 'NotTheOwner',
    hint: 'nothing of it is touched; look at it',
  });
}

async function plainDevice(host: Host, step: AttachStep, signal: AbortSignal): Promise<string> {
  const { path } = (await findDevice(host, step, signal)) ?? (await makeDevice(host, step, signal));
  if (step.thinProvision !== true) await refuseDiscard(host, path, signal);
  return path;
}

/** The mapping of an encrypted image: the one that is there, or a new one. */
async function openDevice(tools: LuksTools, step: AttachStep, signal: AbortSignal): Promise<string> {
  const { host } = tools;
  const { copyPath: image, keySecret = '', thinProvision, isReadOnly } = step;
  const copyUid = uidOf(image);
  const mapping = await findMapping(host, copyUid);
  if (mapping === undefined) {
    const opened = { copyUid, image, keySecret, thinProvision, signal };
    if (await hasLuksHeader(host, image)) return openLuks(tools, opened, isReadOnly);
    throw new AppError('dataLoss', `${image} on ${host.name} is not encrypted, as it should be`, {
      reason: 'NotEncrypted',
      hint: 'nothing is written to it; look at it, and clone a snapshot',
    });
  }
  const isSeenReadOnly = (await host.files.readText(`/sys/block/${mapping.slice('/dev/'.length)}/ro`)).trim() === '1';
  if (isSeenReadOnly === isReadOnly) return mapping;
  throw held(host, step, `open as ${mapping}`);
}

async function findDevice(host: Host, step: AttachStep, signal: AbortSignal): Promise<LoopDevice | undefined> {
  const [device, ...others] = await loopDevicesOf(host, step.copyPath, signal);
  if (device === undefined || (others.length === 0 && device.isReadOnly === step.isReadOnly)) return device;
  throw held(host, step, `attached as ${[device, ...others].map(({ path }) => path).join(', ')}`);
}

async function makeDevice(host: Host, step: AttachStep, signal: AbortSignal): Promise<LoopDevice> {
  if (step.thinProvision === true && !step.isReadOnly) {
    return { path: await attachForDiscard(host, step.copyPath, signal), isReadOnly: false, isAutoclear: false };
  }
  // losetup(8) of util-linux 2.38 takes no "--"; the path is an absolute one.
  const args = ['--find', '--show', ...(step.isReadOnly ? ['--read-only'] : []), step.copyPath];
  const { stdout } = await host.run({ file: 'losetup', args, timeoutMs: SHORT_MS, signal });
  return { path: stdout.trim(), isReadOnly: step.isReadOnly, isAutoclear: false };
}

/** A device is bound to a file, as a folder is to a folder. */
async function makeFile(host: Host, path: string): Promise<void> {
  const found = await host.files.stat(path);
  if (found?.type === 'file' && found.sizeBytes === 0) return;
  if (found !== undefined) {
    throw new AppError('precondition', `${path} on ${host.name} is a ${found.type}, and a device needs an empty file`, {
      reason: 'MountPathOccupied',
      hint: 'move it away, or choose another path',
    });
  }
  await host.files.makeDirectory(path.slice(0, path.lastIndexOf('/')));
  await host.files.writeText(path, '', { mode: 0o600 });
}

/**
 * Detaches the image; no error when it is not attached.
 *
 * Invariant: no device is let go that is still bound somewhere, as by a pod: the kernel would give its number to the next
 * image, and with it that one's data.
 *
 * @throws {AppError} unavailable, while it is bound or open
 */
export async function detachDevice(
  host: Host,
  step: Extract<LocalDeviceStep, { step: 'detachDevice' }>,
  signal: AbortSignal,
): Promise<void> {
  const mounts = await host.mounts.list();
  const copyUid = uidOf(step.copyPath);
  const mapping = await findMapping(host, copyUid);
  if (mapping !== undefined) {
    for (const device of [mapping, mappingPath(copyUid)]) proveUnbound(host, step, { mounts, device });
    await closeLuks(host, copyUid);
  }
  for (const { path } of await loopDevicesOf(host, step.copyPath, signal)) {
    proveUnbound(host, step, { mounts, device: path });
    await host.run({ file: 'losetup', args: ['--detach', path], timeoutMs: SHORT_MS });
  }
  // One that is open goes only when it is closed.
  const [left] = await loopDevicesOf(host, step.copyPath, signal);
  if (left !== undefined) throw held(host, step, `open as ${left.path}`);
}

function proveUnbound(
  host: Host,
  step: Extract<LocalDeviceStep, { step: 'detachDevice' }>,
  { mounts, device }: { readonly mounts: readonly MountEntry[]; readonly device: string },
): void {
  const root = device.slice('/dev'.length);
  const bound = mounts.find((entry) => entry.root === root || entry.source === device);
  if (bound !== undefined) throw held(host, step, `bound at ${bound.target}`);
}

function held(host: Host, { volume }: { readonly volume: string }, how: string): AppError {
  return new AppError('unavailable', `the image of ${volume} on ${host.name} is still ${how}`, {
    reason: 'ImageHeld',
    hint: 'end what uses it; see "losetup --list" and "fuser -v" of the device',
  });
}
