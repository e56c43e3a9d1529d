/** Makes a volume that begins with what another one holds now, or held when a snapshot was taken. */
import { AppError, isAppError } from '../../domain/errors.ts';
import { parseVolumeName } from '../../domain/names.ts';
import type { Registration } from '../../domain/volume/persistent-volume.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { persistentVolumeInTheWay, registerVolume } from '../persistent-volumes/register-volume.ts';
import { findVolume } from '../volumes/read-volumes.ts';
import { waitUntilReady } from '../volumes/wait-until-ready.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';
import { deleteSnapshot } from './delete-snapshot.ts';
import { findSnapshot } from './read-snapshots.ts';
import { takeSnapshot } from './take-snapshot.ts';

const API = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume' } as const;

export interface CloneRequest {
  readonly volume: string;
  readonly name: string;
  /** Left out, a snapshot is taken for it, and removed again when the clone is ready. */
  readonly snapshot?: string;
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
 * Clones a volume. Interrupted, the same call goes on; without a snapshot of its own the one taken for it, clone-for-NAME, stays
 * until then.
 *
 * @throws {AppError} notFound; exists, when there is another volume of that name; precondition; capacity; timeout; cancelled
 */
export async function cloneVolume(deps: WaitDeps, request: CloneRequest, options: CloneOptions): Promise<ClonedVolume> {
  const { client } = deps;
  const { isDryRun = false, onProgress: tell = () => undefined } = options;
  const scope = scopeOf(options);
  const name = parseVolumeName(request.name);
  const snapshot = request.snapshot ?? `clone-for-${name}`.slice(0, 63);
  const existing = await client.get('Volume', name, scope);
  const done = { name, volume: request.volume, snapshot, isDryRun };
  if (existing !== undefined) assertSame(existing, snapshot);
  else await assertUnregistered(deps, request, scope);
  const isOwn = request.snapshot === undefined;
  if (existing === undefined && isOwn) {
    tell(`takes snapshot ${snapshot} of volume ${request.volume}`);
    await takeSnapshot(deps, { volume: request.volume, name: snapshot }, options);
  }
  const spec = existing?.spec ?? (await wantedSpec(deps, { volume: request.volume, snapshot }, options, isOwn));
  if (isDryRun) return { ...done, size: spec.size };
  const volume = existing ?? (await client.create('Volume', { ...API, metadata: { name }, spec }, scope));
  tell(`makes volume ${name} from snapshot ${snapshot}`);
  const ready = await waitUntilReady(deps, volume, { waitMs: options.waitMs, ...scope });
  await register(deps, ready, request, scope);
  if (isOwn) await removeOwn(deps, snapshot, options);
  return { ...done, size: spec.size };
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

function assertSame({ metadata, spec }: Resource<'Volume'>, snapshot: string): void {
  if (spec.source?.snapshot === snapshot && metadata.deletionTimestamp === undefined) return;
  const { name } = metadata;
  const hint = 'choose another name for the clone';
  throw new AppError('exists', `there is a volume ${name} already`, { resource: `volume ${name}`, hint });
}

async function removeOwn(deps: WaitDeps, name: string, options: CloneOptions): Promise<void> {
  const { waitMs, signal } = options;
  try {
    await deleteSnapshot(deps, name, {
      confirm: async () => true,
      waitMs,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    // Removed by the same call before, which was interrupted after that.
    if (!isAppError(error, 'notFound')) throw error;
  }
}
