/** Takes a snapshot of a volume: what is in the way for good is found out before anything is stored; what passes is waited for. */
import { AppError } from '../../domain/errors.ts';
import { parseVolumeName } from '../../domain/names.ts';
import { MADE_FOR_CLONE_LABEL } from '../../domain/snapshot/left-over.ts';
import { lastingFaults, type SnapshotFault, snapshotFaults } from '../../domain/snapshot/snapshot-faults.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { findVolume } from '../volumes/read-volumes.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { deleteSnapshot } from './delete-snapshot.ts';

export interface TakeSnapshotOptions {
  /** Looks whether one can be taken, and stores nothing. */
  readonly isDryRun?: boolean;
  /** Waits this long until it is taken; does not wait when left out. */
  readonly waitMs?: number;
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export interface TakenSnapshot {
  readonly name: string;
  readonly volume: string;
  readonly phase: string;
  readonly takenAt?: string;
  readonly isDryRun: boolean;
}

export interface SnapshotRequest {
  readonly volume: string;
  readonly name: string;
  /** The clone that it is taken for. It is a new one then: one of that name that is there is not waited for. */
  readonly madeFor?: string;
}

/** A name for a snapshot that was given none: the volume's and the time, in UTC. */
export function snapshotName(volume: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${volume.slice(0, 47)}-${stamp}`;
}

/**
 * Takes a snapshot. Repeated with the same name it waits for the one that was begun; one that failed is taken anew.
 *
 * @throws {AppError} notFound; precondition, with why none can be taken, or why it failed; exists, when another volume has a
 *   snapshot of that name, or for a clone any one; timeout; cancelled
 */
export async function takeSnapshot(
  deps: WaitDeps,
  request: SnapshotRequest,
  options: TakeSnapshotOptions = {},
): Promise<TakenSnapshot> {
  const { client } = deps;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const name = parseVolumeName(request.name);
  const volume = await findVolume({ client, ...scope }, request.volume);
  const existing = await findSame(deps, { ...request, name }, volume, options);
  if (existing === undefined) await assertPossible(deps, volume, options);
  const dry = { name, volume: request.volume, phase: existing?.status?.phase ?? 'Pending' };
  if (options.isDryRun === true) return { ...dry, isDryRun: true };
  const snapshot = existing ?? (await create(deps, { ...request, name }, volume, scope));
  if (options.waitMs === undefined) return { ...dry, isDryRun: false };
  const ready = await waitUntilTaken(deps, snapshot, { ...options, waitMs: options.waitMs });
  const { takenAt } = ready.status ?? {};
  return { ...dry, phase: 'Ready', isDryRun: false, ...(takenAt === undefined ? {} : { takenAt }) };
}

async function create(
  { client }: WaitDeps,
  { name, madeFor }: SnapshotRequest,
  volume: Resource<'Volume'>,
  scope: { readonly signal?: AbortSignal },
): Promise<Resource<'VolumeSnapshotRecord'>> {
  const spec = { volume: volume.metadata.name, volumeUid: volume.metadata.uid };
  const forClone = madeFor === undefined ? {} : { [MADE_FOR_CLONE_LABEL]: madeFor };
  const labels = { 'holdfast.dev/volume': volume.metadata.name, ...forClone };
  const record = {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'VolumeSnapshotRecord',
    metadata: { name, labels },
    spec,
  } as const;
  return client.create('VolumeSnapshotRecord', record, scope);
}

/**
 * The one that was begun before; none for a clone. One that failed holds nothing and is removed, since its name is wanted
 * again; without waiting it stays in the way, and says so.
 *
 * @throws {AppError} exists, when that is of another volume
 */
async function findSame(
  deps: WaitDeps,
  { name, madeFor }: SnapshotRequest,
  volume: Resource<'Volume'>,
  { isDryRun, waitMs, signal, onProgress }: TakeSnapshotOptions,
): Promise<Resource<'VolumeSnapshotRecord'> | undefined> {
  const scope = signal === undefined ? {} : { signal };
  const existing = madeFor === undefined ? await deps.client.get('VolumeSnapshotRecord', name, scope) : undefined;
  if (existing === undefined) return undefined;
  assertSame(existing, volume);
  const { phase, message = 'no reason was given' } = existing.status ?? {};
  if (phase !== 'Failed') return existing;
  if (isDryRun === true) return undefined;
  if (waitMs === undefined) throw failed(name, message);
  onProgress?.(`removes what is left of snapshot ${name}, which failed: ${message}`);
  await deleteSnapshot(deps, name, { waitMs, confirm: async () => true, ...scope });
  return undefined;
}

function assertSame(existing: Resource<'VolumeSnapshotRecord'>, volume: Resource<'Volume'>): void {
  const { name, deletionTimestamp } = existing.metadata;
  if (existing.spec.volumeUid === volume.metadata.uid && deletionTimestamp === undefined) return;
  const why = deletionTimestamp === undefined ? `is of another volume, ${existing.spec.volume}` : 'is being deleted';
  throw new AppError('exists', `snapshot ${name} ${why}`, {
    resource: `snapshot ${name}`,
    hint: 'choose another name',
  });
}

async function assertPossible(
  { client }: WaitDeps,
  volume: Resource<'Volume'>,
  { signal, isDryRun = false, onProgress }: TakeSnapshotOptions,
): Promise<void> {
  const scope = signal === undefined ? {} : { signal };
  const [nodes, volumes, copies, snapshots] = await Promise.all([
    client.list('StorageNode', scope),
    client.list('Volume', scope),
    client.list('VolumeCopy', scope),
    client.list('VolumeSnapshotRecord', scope),
  ]);
  const world = {
    ...{ nodes: nodes.items, volumes: volumes.items },
    ...{ copies: copies.items, snapshots: snapshots.items },
  };
  const faults = snapshotFaults(volume, world);
  const lasting = lastingFaults(faults);
  if (lasting.length === 0) {
    // Without the dry run the controller tells what it waits for.
    if (isDryRun && faults.length > 0) onProgress?.(`it would wait: ${describe(faults)}`);
    return;
  }
  const { name } = volume.metadata;
  throw new AppError('precondition', `no snapshot of volume ${name} can be taken: ${describe(lasting)}`, {
    resource: `volume ${name}`,
    reason: 'SnapshotRefused',
    hint: `see: holdfast volume show ${name}`,
  });
}

function describe(faults: readonly SnapshotFault[]): string {
  return faults.map(({ message }) => message).join('; ');
}

async function waitUntilTaken(
  deps: WaitDeps,
  { metadata }: Resource<'VolumeSnapshotRecord'>,
  options: TakeSnapshotOptions & { readonly waitMs: number },
): Promise<Resource<'VolumeSnapshotRecord'>> {
  const { name, uid } = metadata;
  const { signal, waitMs } = options;
  let told: string | undefined;
  return waitForObject(deps, {
    ...{ kind: 'VolumeSnapshotRecord', name, timeoutMs: waitMs },
    ...(signal === undefined ? {} : { signal }),
    check: (seen) => {
      if (seen?.metadata.uid !== uid) throw new AppError('notFound', `snapshot ${name} was deleted meanwhile`);
      const { phase, message } = seen.status ?? {};
      if (phase === 'Ready') return seen;
      if (phase === 'Failed') throw failed(name, message);
      if (message !== undefined && message !== told) options.onProgress?.(message);
      told = message;
      return undefined;
    },
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `snapshot ${name} is not taken after ${waitMs / 1000} s: ${seen?.status?.message ?? 'no controller has looked at it yet'}`,
        {
          resource: `snapshot ${name}`,
          reason: 'NotTakenInTime',
          hint: 'it goes on by itself; see: holdfast volume snapshot list',
        },
      ),
  });
}

function failed(name: string, message = 'no reason was given'): AppError {
  return new AppError('precondition', `snapshot ${name} failed: ${message}`, {
    resource: `snapshot ${name}`,
    reason: 'SnapshotFailed',
    hint: 'repeat the command when that is mended: it removes what is left and takes another',
  });
}
