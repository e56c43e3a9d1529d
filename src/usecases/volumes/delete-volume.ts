/**
 * Deletes a volume with all its data, and waits until nothing is left of it: first its PersistentVolume, so that nobody
 * can claim what is going, then the volume. Stopped anywhere in between, the same call does the rest.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import { describePlace, isExport } from '../../domain/nfs-export/names.ts';
import { stateMessage } from '../../domain/volume/describe-volume.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { assertUnclaimed, findRegistration, removeRegistration } from '../persistent-volumes/remove-registration.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { type ShownVolume, showVolume } from './read-volumes.ts';

export interface DeleteVolumeOptions {
  /** Unmounts it where it is mounted, first. */
  readonly detach?: boolean;
  /** Of an adopted volume: deletes it in the engine too, instead of forgetting it. Its directories stay either way. */
  readonly removeFromEngine?: boolean;
  /** How long to wait until it is gone; does not wait when left out. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** The PersistentVolume is somebody else's, who deletes it after the volume: external-provisioner's. */
  readonly isRegistrationKept?: boolean;
  /** Asked once everything else is in order; the volume stays when the answer is false. */
  readonly confirm: (shown: ShownVolume) => Promise<boolean>;
}

export interface DeletedVolume {
  readonly name: string;
  /** kept: the question was answered with no. marked: the deletion goes on by itself. */
  readonly outcome: 'kept' | 'marked' | 'gone';
  readonly detachedFrom: readonly string[];
  /** Of an adopted volume: the directories, with all their data, that stay where they are, as NODE:PATH. */
  readonly leftBehind?: readonly string[];
}

/**
 * Deletes a volume.
 *
 * @throws {AppError} notFound; precondition, while it is mounted somewhere or claimed; timeout, with what it waits for
 */
export async function deleteVolume(deps: WaitDeps, name: string, options: DeleteVolumeOptions): Promise<DeletedVolume> {
  const { client } = deps;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const [found, registration] = await Promise.all([
    showVolume({ client, ...scope }, name).catch(asMissing),
    options.isRegistrationKept === true ? undefined : findRegistration(client, name, scope),
  ]);
  if ('missing' in found) {
    // Nothing but the PersistentVolume was left, by whoever deleted the volume alone: there is no data to ask about.
    if (registration === undefined) throw found.missing;
    await removeRegistration(deps, registration, options);
    return { name, outcome: options.waitMs === undefined ? 'marked' : 'gone', detachedFrom: [] };
  }
  assertDeletable(found, options);
  assertUnclaimed(registration);
  if (!(await options.confirm(found))) return { name, outcome: 'kept', detachedFrom: [] };

  await removeRegistration(deps, registration, options);
  await markDeleted(deps, found, options);
  const detachedFrom = found.attachments.map((record) => record.spec.node);
  const left = leftBehind(found);
  const { waitMs } = options;
  if (waitMs === undefined) return { name, outcome: 'marked', detachedFrom, ...left };
  const { uid } = found.volume.metadata;
  await waitForObject(deps, {
    kind: 'Volume',
    name,
    timeoutMs: waitMs,
    ...scope,
    check: (seen) => (seen === undefined || seen.metadata.uid !== uid ? true : undefined),
    describeTimeout: (seen) => stillThere(name, seen, waitMs),
  });
  return { name, outcome: 'gone', detachedFrom, ...left };
}

function assertDeletable(shown: ShownVolume, { removeFromEngine, detach }: DeleteVolumeOptions): void {
  const { metadata, spec } = shown.volume;
  if (removeFromEngine === true && spec.adopted === undefined) throw notAdopted(metadata.name);
  if (shown.attachments.length > 0 && detach !== true) throw inUse(shown);
}

function leftBehind({ volume }: ShownVolume): Pick<DeletedVolume, 'leftBehind'> {
  const { adopted } = volume.spec;
  return adopted === undefined ? {} : { leftBehind: adopted.bricks.map((brick) => `${brick.node}:${brick.path}`) };
}

/** Asks for the end of its mounts and then of the volume, which the controller and the agents carry out. */
async function markDeleted({ client }: WaitDeps, shown: ShownVolume, options: DeleteVolumeOptions): Promise<void> {
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  for (const { metadata } of shown.attachments) {
    await client.delete('VolumeAttachmentRecord', metadata.name, { ...scope, uid: metadata.uid });
  }
  const { name, uid } = shown.volume.metadata;
  if (shown.volume.spec.adopted !== undefined) {
    // Said before the deletion, which is carried out as is said then.
    const isRemovedFromEngine = options.removeFromEngine === true ? true : null;
    await client.patch('Volume', name, { spec: { adopted: { isRemovedFromEngine } } }, { ...scope, uid });
  }
  // While a mount is left the controller keeps the volume, so both deletions can be asked for at once.
  await client.delete('Volume', name, { ...scope, uid });
}

function notAdopted(name: string): AppError {
  return new AppError('invalid', `volume ${name} was not adopted: deleting it always removes it from the engine`, {
    resource: `volume ${name}`,
    hint: `leave --remove-from-engine out: holdfast volume delete ${name}`,
  });
}

function asMissing(error: unknown): { readonly missing: AppError } {
  if (isAppError(error, 'notFound')) return { missing: error };
  throw error;
}

function inUse({ volume, attachments }: ShownVolume): AppError {
  const { name } = volume.metadata;
  // An export is ended by another verb than a mount; --detach ends both.
  const isExported = attachments.some(isExport);
  const word = isExported ? 'in use' : 'mounted';
  const places = attachments.map((record) => describePlace(record.spec));
  return new AppError('precondition', `volume ${name} is ${word} on ${places.join(', ')}; nothing was deleted`, {
    resource: `volume ${name}`,
    reason: 'VolumeInUse',
    hint: `${isExported ? 'end that' : 'unmount it there'} first, or let Holdfast do it: holdfast volume delete ${name} --detach`,
  });
}

function stillThere(name: string, seen: Resource<'Volume'> | undefined, waitMs: number): AppError {
  const why = seen === undefined ? 'it was not seen' : stateMessage(seen);
  return new AppError(
    'timeout',
    `volume ${name} is marked for deletion but still there after ${waitMs / 1000} s: ${why}`,
    {
      resource: `volume ${name}`,
      reason: 'NotGoneInTime',
      hint: `the deletion goes on by itself; see: holdfast volume show ${name}`,
    },
  );
}
