/** Makes a volume that begins with what another one holds now, or held when a snapshot was taken. */
import { AppError, isAppError } from '../../domain/errors.ts';
import { parseVolumeName } from '../../domain/names.ts';
import { MADE_FOR_CLONE_LABEL } from '../../domain/snapshot/left-over.ts';
import type { Registration } from '../../domain/volume/persistent-volume.ts';
import type { Random } from '../../ports/random.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { persistentVolumeInTheWay, registerVolume } from '../persistent-volumes/register-volume.ts';
import { findVolume } from '../volumes/read-volumes.ts';
import { waitUntilReady } from '../volumes/wait-until-ready.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';
import { deleteSnapshot } from './delete-snapshot.ts';
import { findSnapshot, listSnapshots } from './read-snapshots.ts';
import { takeSnapshot } from './take-snapshot.ts';

const API = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume' } as const;

export interface CloneRequest {
  readonly volume: string;
  readonly name: string;
  /** Left out, a snapshot is taken for it, and removed again when the clone is ready. */
  readonly snapshot?: string;
  /** Kept on the stored volume. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** How it is offered to claims, once it is ready; to none when left out. */
  readonly registration?: Registration;
}

export interface CloneOptions {
  readonly isDryRun?: boolean;
  /** For each thing that is waited for. */
  readonly waitMs: number;
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export interface ClonedVolume {
  readonly name: string;
  readonly volume: string;
  readonly snapshot: string;
  readonly size: string;
  readonly isDryRun: boolean;
}

/**
 * On a clone that took a snapshot for itself: the UID of the volume that it is of. The same call, repeated, knows it by that;
 * the snapshot may be gone by then.
 */
const CLONE_OF_LABEL = 'holdfast.dev/clone-of';

/** What cloning needs. */
export type CloneDeps = WaitDeps & { readonly random: Random };

/**
 * Clones a volume. Interrupted, the same call goes on with the volume that it has made; before there is one, it begins anew
 * with a snapshot of what the volume holds then. Those that it took itself are removed in the end; what a call leaves that
 * does not come again, the controller removes.
 *
 * @throws {AppError} notFound; exists, when there is another volume of that name; precondition; capacity; timeout; cancelled
 */
export async function cloneVolume(
  deps: CloneDeps,
  request: CloneRequest,
  options: CloneOptions,
): Promise<ClonedVolume> {
  const { client } = deps;
  const { isDryRun = false, onProgress: tell = () => undefined } = options;
  const scope = scopeOf(options);
  const begun = await seeClone(deps, request, scope);
  const { name, snapshot, existing, ownOf } = begun;
  const spec = existing?.spec ?? (await prepare(deps, request, begun, options));
  const done = { name, volume: request.volume, snapshot, size: spec.size, isDryRun };
  if (isDryRun) return done;
  const metadata = cloneMetadata(request, begun);
  const volume = existing ?? (await client.create('Volume', { ...API, metadata, spec }, scope));
  tell(`makes volume ${name} from snapshot ${snapshot}`);
  const ready = await waitUntilReady(deps, volume, { waitMs: options.waitMs, ...scope });
  await register(deps, ready, request, scope);
  if (ownOf !== undefined) await removeOwn(deps, { clone: name, volumeUid: ownOf }, options);
  return done;
}

function cloneMetadata({ annotations = {} }: CloneRequest, { name, ownOf }: BegunClone): { readonly name: string } {
  return { name, ...{ annotations }, ...(ownOf === undefined ? {} : { labels: { [CLONE_OF_LABEL]: ownOf } }) };
}

/** A clone as it stands when the command begins. */
interface BegunClone {
  readonly name: string;
  readonly snapshot: string;
  /** What a call before this one has made. */
  readonly existing: Resource<'Volume'> | undefined;
  /** UID of the volume that it is of, where it takes a snapshot for itself. */
  readonly ownOf: string | undefined;
}

async function seeClone(
  deps: CloneDeps,
  request: CloneRequest,
  scope: { readonly signal?: AbortSignal },
): Promise<BegunClone> {
  const { client, random } = deps;
  const name = parseVolumeName(request.name);
  // A snapshot that was named may be of a volume that is gone.
  const isOwn = request.snapshot === undefined;
  const ownOf = isOwn ? (await findVolume({ client, ...scope }, request.volume)).metadata.uid : undefined;
  const existing = await client.get('Volume', name, scope);
  if (existing !== undefined) return { name, snapshot: assertSame(existing, request, ownOf), existing, ownOf };
  await assertUnregistered(deps, request, scope);
  // Its own each time: one that is there already may hold what was long ago, or be somebody else's.
  const ownName = `${`clone-for-${name}`.slice(0, 54)}-${random.uuid().slice(0, 8)}`;
  return { name, snapshot: request.snapshot ?? ownName, existing, ownOf };
}

/** Takes its own snapshot, if none was named. @returns what the volume is to be */
async function prepare(
  deps: CloneDeps,
  { volume }: CloneRequest,
  { name, snapshot, ownOf }: BegunClone,
  options: CloneOptions,
): Promise<Resource<'Volume'>['spec']> {
  const isOwn = ownOf !== undefined;
  if (isOwn) {
    const isDryRun = options.isDryRun === true;
    if (!isDryRun) options.onProgress?.(`takes snapshot ${snapshot} of volume ${volume}`);
    await takeSnapshot(deps, { volume, name: snapshot, madeFor: name }, options);
    if (isDryRun) options.onProgress?.(`would take snapshot ${snapshot} of volume ${volume}`);
  }
  return wantedSpec(deps, { volume, snapshot }, options, isOwn);
}

/** @throws {AppError} exists, when a PersistentVolume has the name */
async function assertUnregistered(
  { client }: WaitDeps,
  { name, registration }: CloneRequest,
  scope: { readonly signal?: AbortSignal },
): Promise<void> {
  if (registration === undefined) return;
  const found = await client.get('PersistentVolume', name, scope);
  if (found !== undefined) throw persistentVolumeInTheWay(found);
}

async function register(
  { client }: WaitDeps,
  volume: Resource<'Volume'>,
  { registration }: CloneRequest,
  scope: { readonly signal?: AbortSignal },
): Promise<void> {
  if (registration !== undefined) await registerVolume({ client, ...scope }, volume, registration);
}

function scopeOf({ signal }: CloneOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function wantedSpec(
  deps: WaitDeps,
  request: { readonly volume: string; readonly snapshot: string },
  options: CloneOptions,
  isOwn: boolean,
): Promise<Resource<'Volume'>['spec']> {
  const scope = scopeOf(options);
  // Its own snapshot is not taken in a dry run; the volume is what it would be of.
  const isTaken = options.isDryRun !== true || !isOwn;
  if (isTaken) return cloneSpec(deps, request, scope);
  return (await findVolume({ client: deps.client, ...scope }, request.volume)).spec;
}

/** The volume as it was, and where it begins. */
async function cloneSpec(
  { client }: WaitDeps,
  { volume, snapshot }: { readonly volume: string; readonly snapshot: string },
  scope: { readonly signal?: AbortSignal },
): Promise<Resource<'Volume'>['spec']> {
  const record = await findSnapshot({ client, ...scope }, snapshot);
  const refuse = (why: string, hint: string) =>
    new AppError('precondition', `no volume can be made from snapshot ${snapshot}: ${why}`, {
      resource: `snapshot ${snapshot}`,
      reason: 'CloneRefused',
      hint,
    });
  const { phase = 'Pending', volumeSpec } = record.status ?? {};
  if (record.spec.volume !== volume) throw refuse(`it is of volume ${record.spec.volume}`, 'name that volume');
  if (phase !== 'Ready' || volumeSpec === undefined || record.metadata.deletionTimestamp !== undefined) {
    throw refuse(`it is ${phase}`, 'see: holdfast volume snapshot list');
  }
  return { ...volumeSpec, source: { snapshot, snapshotUid: record.metadata.uid } };
}

/**
 * @returns the snapshot that it was begun with
 * @throws {AppError} exists, when it is not what the request asks for
 */
function assertSame(
  { metadata, spec }: Resource<'Volume'>,
  request: CloneRequest,
  volumeUid: string | undefined,
): string {
  const { name, labels = {}, deletionTimestamp } = metadata;
  const { snapshot } = spec.source ?? {};
  const isAskedFor =
    request.snapshot === undefined ? labels[CLONE_OF_LABEL] === volumeUid : snapshot === request.snapshot;
  if (snapshot !== undefined && isAskedFor && deletionTimestamp === undefined) return snapshot;
  const hint = 'choose another name for the clone';
  throw new AppError('exists', `there is a volume ${name} already`, { resource: `volume ${name}`, hint });
}

/** Removes what was taken for this clone, also by calls that were interrupted, and nothing else. */
async function removeOwn(
  deps: WaitDeps,
  { clone, volumeUid }: { readonly clone: string; readonly volumeUid: string },
  options: CloneOptions,
): Promise<void> {
  const { waitMs } = options;
  const scope = scopeOf(options);
  const snapshots = await listSnapshots({ client: deps.client, ...scope });
  for (const { metadata, spec } of snapshots) {
    if (metadata.labels?.[MADE_FOR_CLONE_LABEL] !== clone || spec.volumeUid !== volumeUid) continue;
    try {
      await deleteSnapshot(deps, metadata.name, { confirm: async () => true, waitMs, ...scope });
    } catch (error) {
      // Removed by the same call before, which was interrupted after that.
      if (!isAppError(error, 'notFound')) throw error;
    }
  }
}
