/** Volumes mounted on this node: what is there, mount and unmount. */
import { AppError } from '../../domain/errors.ts';
import { parseEngineVolumeName, parseNodeName } from '../../domain/names.ts';
import type { DesiredAttachment, ObservedAttachment } from '../../ports/engine.ts';
import type { Host, MountEntry } from '../../ports/host.ts';
import { plainPath } from '../image/paths.ts';
import { lookAtMount } from '../mount/look-at-mount.ts';
import { hasMountOptions } from './options.ts';
import type { AttachmentStep } from './steps.ts';

/** A look at a mount that is served is answered in milliseconds. */
const LOOK_MS = 5_000;
const SHORT_MS = 20_000;
/** mount.glusterfs tries each server in turn. */
const MOUNT_MS = 60_000;

/**
 * Observes a mount.
 *
 * A mount that does not answer is 'dead' only when no process serves it any more. A volume that has lost its quorum
 * answers ENOTCONN too, and a partition makes it hang for up to twice the ping-timeout, but both recover by themselves
 * with every open file; detaching them would take that away from whoever uses them.
 */
export async function observeAttachment(
  host: Host,
  desired: Pick<DesiredAttachment, 'mountPath' | 'profile' | 'isProfileSeen'> & { readonly volume: string },
  signal: AbortSignal,
): Promise<ObservedAttachment> {
  const { volume, mountPath } = desired;
  const entry = await findEntry(host, plainPath(mountPath, 'mount path'));
  if (entry === undefined) return { subject: 'attachment', state: 'absent' };
  if (!isOurs(entry, volume)) {
    const message = `${entry.source} (${entry.fsType}) is mounted at ${mountPath} on ${host.name}; it is left alone`;
    return { subject: 'attachment', state: 'foreign', message };
  }
  const silence = (await lookAtMount(host, 'usage', { mountPath, timeoutMs: LOOK_MS, signal }))?.message;
  if (silence === undefined) {
    const connections = await readConnections(host, desired, signal);
    const profile = desired.isProfileSeen === true ? {} : await seeProfile(host, desired, signal);
    return {
      subject: 'attachment',
      state: 'mounted',
      isAnswering: true,
      ...profile,
      ...(connections === undefined ? {} : { connections }),
    };
  }
  if (await isServed(host, mountPath, signal)) {
    const message = `${mountPath} on ${host.name} does not answer now (${silence}); it does again when enough copies are back`;
    return { subject: 'attachment', state: 'mounted', isAnswering: false, message };
  }
  return {
    subject: 'attachment',
    state: 'dead',
    message: `no process serves the mount at ${mountPath} on ${host.name} any more (${silence})`,
  };
}

/** Mounts; no error when the volume is mounted there already. */
export async function mountVolume(
  host: Host,
  step: Extract<AttachmentStep, { step: 'mountVolume' }>,
  signal: AbortSignal,
): Promise<void> {
  const volume = parseEngineVolumeName(step.volume);
  const mountPath = plainPath(step.mountPath, 'mount path');
  const [first, ...others] = step.servers.map(parseNodeName);
  if (first === undefined) {
    throw new AppError('invalid', `volume ${volume} cannot be mounted at ${mountPath}: no server is named`, {
      resource: `volume ${volume}`,
      reason: 'NoServer',
      hint: 'name the nodes that hold its copies',
    });
  }
  const entry = await findEntry(host, mountPath);
  if (entry !== undefined && isOurs(entry, volume)) return;
  await host.files.makeDirectory(mountPath);
  await host.mounts.mount({
    source: `${first}:/${volume}`,
    target: mountPath,
    fsType: 'glusterfs',
    options: [
      ...(others.length === 0 ? [] : [`backup-volfile-servers=${others.join(':')}`]),
      `log-file=/var/log/glusterfs/holdfast-${volume}.log`,
      ...(step.isReadOnly ? ['ro'] : []),
      ...(step.options ?? []),
    ],
    timeoutMs: MOUNT_MS,
    signal,
  });
}

/** Unmounts the volume; whatever else is mounted at the path stays. */
export async function unmountVolume(
  host: Host,
  step: Extract<AttachmentStep, { step: 'unmountVolume' }>,
): Promise<void> {
  const entry = await findEntry(host, plainPath(step.mountPath, 'mount path'));
  if (entry === undefined || !isOurs(entry, step.volume)) return;
  await host.mounts.unmount(entry.target, { lazy: step.isLazy, timeoutMs: SHORT_MS });
}

/** What is mounted at the path: the last one, for it hides the others. */
async function findEntry(host: Host, mountPath: string): Promise<MountEntry | undefined> {
  return (await host.mounts.list()).findLast((entry) => entry.target === mountPath);
}

function isOurs(entry: MountEntry, volume: string): boolean {
  if (entry.fsType !== 'fuse.glusterfs') return false;
  const remote = entry.source.slice(entry.source.indexOf(':') + 1);
  return remote === volume || remote === `/${volume}`;
}

/**
 * Which bricks the client behind a mount is connected to, from the client's own view of itself: the meta translator shows
 * one folder per brick, named VOLUME-client-N, whose file `private` says "connected = 1" (xlators/meta in GlusterFS).
 * A client looks for a brick that was away every 3 s, so it lags behind what `volume status` says.
 */
async function readConnections(
  host: Host,
  { volume, mountPath }: Pick<DesiredAttachment, 'mountPath'> & { readonly volume: string },
  signal: AbortSignal,
): Promise<ObservedAttachment['connections']> {
  const graph = `${mountPath}/.meta/graphs/active`;
  const clients = ['-mindepth', '2', '-maxdepth', '2', '-path', `*/${volume}-client-*/private`];
  try {
    const found = await host.run({
      file: 'find',
      // -H: "active" is a symlink, which find(1) does not follow by itself.
      args: ['-H', graph, ...clients, '-exec', 'grep', '-H', '^connected = ', '{}', '+'],
      timeoutMs: LOOK_MS,
      signal,
    });
    const lines = found.stdout.split('\n').filter((line) => line.includes(':connected = '));
    if (lines.length === 0) return undefined;
    return { connected: lines.filter((line) => line.endsWith(' 1')).length, copies: lines.length };
  } catch {
    // The mount itself answered; a graph that is being exchanged just now is no reason to call it anything else.
    signal.throwIfAborted();
    return undefined;
  }
}

async function isServed(host: Host, mountPath: string, signal: AbortSignal): Promise<boolean> {
  return (await findClient(host, mountPath, signal)) !== undefined;
}

/** From the arguments of the process that serves it: the mount table does not show them. */
async function seeProfile(
  host: Host,
  { mountPath, profile }: Pick<DesiredAttachment, 'mountPath' | 'profile'>,
  signal: AbortSignal,
): Promise<Pick<ObservedAttachment, 'hasProfile'>> {
  const client = await findClient(host, mountPath, signal);
  if (client === undefined) return {};
  // mount.glusterfs gives each of them on as a long option of the same name.
  const given = client.split(' ').flatMap((word) => (word.startsWith('--') ? [word.slice(2)] : []));
  return { hasProfile: hasMountOptions(profile, given) };
}

/** Command line of the process that serves a mount. */
async function findClient(host: Host, mountPath: string, signal: AbortSignal): Promise<string | undefined> {
  // The mount path is the last word of the process that serves it. pgrep(1) leaves with 1 when there is none.
  const found = await host.run({
    file: 'pgrep',
    args: ['--list-full', '--exact', 'glusterfs'],
    okCodes: [0, 1],
    timeoutMs: SHORT_MS,
    signal,
  });
  return found.stdout
    .split('\n')
    .find((line) => line.includes('--process-name fuse') && line.endsWith(` ${mountPath}`));
}
