/** Has a volume hold again what it held when a snapshot was taken. The wish is the spec; controller and agents carry it out. */
import { AppError } from '../../domain/errors.ts';
import { parseVolumeName } from '../../domain/names.ts';
import { isExport } from '../../domain/nfs-export/names.ts';
import { placeRestore, restoredSnapshotFault, restoreFaults } from '../../domain/snapshot/restore-placement.ts';
import { lastingFaults } from '../../domain/snapshot/snapshot-faults.ts';
import { asksForRestore, isRestoring } from '../../domain/volume/decide-restore.ts';
import { grantedSize } from '../../domain/volume/granted-sizes.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { RestoreWish } from '../../schemas/volume.ts';
import { findVolume } from '../volumes/read-volumes.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { findSnapshot } from './read-snapshots.ts';

export interface RestoreOptions {
  /** Looks whether it can be done, and changes nothing. */
  readonly isDryRun?: boolean;
  /** Waits this long until it is done; does not wait when left out. */
  readonly waitMs?: number;
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
  /** Asked once everything else is in order; nothing is changed when the answer is false. */
  readonly confirm: (plan: RestoredVolume) => Promise<boolean>;
}

export interface RestoredVolume {
  readonly name: string;
  readonly snapshot: string;
  /** What the volume holds now is kept under this name. */
  readonly safetySnapshot: string;
  readonly size: string;
  /** Nodes of the new copies. */
  readonly nodes: readonly string[];
  readonly outcome: 'planned' | 'kept' | 'asked' | 'done';
}

/** A name for the snapshot of the present state: the volume's and the time, in UTC. */
export function safetySnapshotName(volume: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${volume.slice(0, 32)}-before-restore-${stamp}`;
}

/**
 * Restores a volume. Repeated while it is under way the same call waits for it.
 *
 * @throws {AppError} notFound; precondition, with what is in the way, or why it failed; timeout; cancelled
 */
export async function restoreVolume(
  deps: WaitDeps,
  request: { readonly volume: string; readonly snapshot: string },
  options: RestoreOptions,
): Promise<RestoredVolume> {
  const { client } = deps;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const name = parseVolumeName(request.volume);
  const volume = await findVolume({ client, ...scope }, name);
  const running = underWay(volume, request.snapshot);
  const { wish, nodes } = running ?? (await plan(deps, volume, request.snapshot, scope));
  const { snapshot, safetySnapshot } = wish;
  const restored = { name, snapshot, safetySnapshot, size: grantedSize(volume), nodes };
  if (options.isDryRun === true) return { ...restored, outcome: 'planned' };
  if (running === undefined) {
    if (!(await options.confirm({ ...restored, outcome: 'planned' }))) return { ...restored, outcome: 'kept' };
    await client.patch('Volume', name, { spec: { restoreFrom: wish } }, { uid: volume.metadata.uid, ...scope });
  }
  options.onProgress?.(`keeps what volume ${name} holds now as snapshot ${safetySnapshot}`);
  if (options.waitMs === undefined) return { ...restored, outcome: 'asked' };
  await waitUntilRestored(deps, volume, safetySnapshot, { ...options, waitMs: options.waitMs });
  return { ...restored, outcome: 'done' };
}

interface Plan {
  readonly wish: RestoreWish;
  readonly nodes: readonly string[];
}

/** A restoration that was asked for before and is not over. @throws {AppError} precondition, when it is another one */
function underWay({ metadata, spec, status }: Resource<'Volume'>, snapshot: string): Plan | undefined {
  const isUnderWay = isRestoring(status);
  const isNew = status?.restore?.phase !== 'Waiting' && asksForRestore(spec.restoreFrom, status);
  if (!isUnderWay && !isNew) return undefined;
  const wish = (isUnderWay ? status?.restore : undefined) ?? spec.restoreFrom;
  if (wish === undefined) return undefined;
  const nodes = placedNodes(status);
  if (wish.snapshot === snapshot) return { wish, nodes };
  throw refuse(metadata.name, `snapshot ${wish.snapshot} is being put in its place`, 'wait until that is done');
}

function placedNodes(status: Resource<'Volume'>['status']): readonly string[] {
  return (status?.restore?.placement ?? status?.placement ?? []).map((placed) => placed.node);
}

async function plan(
  { client, clock }: WaitDeps,
  volume: Resource<'Volume'>,
  snapshot: string,
  scope: { readonly signal?: AbortSignal },
): Promise<Plan> {
  const { name } = volume.metadata;
  const record = await findSnapshot({ client, ...scope }, snapshot);
  const [nodes, volumes, copies, snapshots, attachments] = await Promise.all([
    client.list('StorageNode', scope),
    client.list('Volume', scope),
    client.list('VolumeCopy', scope),
    client.list('VolumeSnapshotRecord', scope),
    client.list('VolumeAttachmentRecord', scope),
  ]);
  const used = attachments.items.filter((each) => each.spec.volume === name);
  if (used.length > 0) {
    const where = [...new Set(used.map((each) => each.spec.node))].toSorted().join(', ');
    const exports = used.filter(isExport);
    const ends = [
      ...(exports.length > 0 ? [`end its exports (holdfast volume unexport ${name})`] : []),
      ...(exports.length < used.length ? ['delete its VolumeAttachmentRecords'] : []),
    ];
    const word = exports.length > 0 ? 'in use' : 'mounted';
    const hint = `stop what uses it, and ${ends.join(' and ')}; see: holdfast volume show ${name}`;
    throw refuse(name, `it is ${word} on ${where}`, hint);
  }
  const world = {
    ...{ nodes: nodes.items, volumes: volumes.items },
    ...{ copies: copies.items, snapshots: snapshots.items },
  };
  // The controller waits for what passes by itself.
  const [inTheWay] = lastingFaults(restoreFaults(volume, world));
  const fault = restoredSnapshotFault(volume, record, record.metadata.uid) ?? inTheWay?.message;
  if (fault !== undefined) throw refuse(name, fault, `see: holdfast volume show ${name}`);
  const place = placeRestore(volume, record, world, () => '');
  if (!place.ok) throw refuse(name, place.message, 'free or add space in these pools, or delete snapshots');
  const wish = { snapshot, snapshotUid: record.metadata.uid, safetySnapshot: safetySnapshotName(name, clock.now()) };
  return { wish, nodes: place.placement.map((placed) => placed.node) };
}

function refuse(volume: string, why: string, hint: string): AppError {
  return new AppError('precondition', `volume ${volume} is not restored: ${why}`, {
    ...{ resource: `volume ${volume}`, reason: 'RestoreRefused', hint },
  });
}

async function waitUntilRestored(
  deps: WaitDeps,
  { metadata }: Resource<'Volume'>,
  safetySnapshot: string,
  { waitMs, signal, onProgress }: RestoreOptions & { readonly waitMs: number },
): Promise<void> {
  const { name, uid } = metadata;
  let told: string | undefined;
  await waitForObject(deps, {
    ...{ kind: 'Volume', name, timeoutMs: waitMs },
    ...(signal === undefined ? {} : { signal }),
    check: (seen) => {
      if (seen?.metadata.uid !== uid) throw new AppError('notFound', `volume ${name} was deleted meanwhile`);
      const { restore } = seen.status ?? {};
      if (restore?.safetySnapshot !== safetySnapshot) return isAskedStill(seen, safetySnapshot);
      if (restore.phase === 'Done') return true;
      if (restore.phase === 'Failed') throw refuse(name, restore.message, 'repeat the command when that is mended');
      if (restore.message !== told) onProgress?.(`${name}: ${restore.message}`);
      told = restore.message;
      return undefined;
    },
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `volume ${name} is not restored after ${waitMs / 1000} s: ${seen?.status?.restore?.message ?? 'nobody has begun'}`,
        {
          resource: `volume ${name}`,
          reason: 'NotRestoredInTime',
          hint: 'it goes on by itself; the same command waits for it',
        },
      ),
  });
}

/** @throws {AppError} conflict, when somebody has asked for another one: it is not known what became of this one */
function isAskedStill({ metadata, spec, status }: Resource<'Volume'>, safetySnapshot: string): undefined {
  if (spec.restoreFrom?.safetySnapshot === safetySnapshot || isRestoring(status)) return undefined;
  throw new AppError(
    'conflict',
    `somebody has taken back the restoration of volume ${metadata.name}, or asked for another`,
    {
      resource: `volume ${metadata.name}`,
      reason: 'RestoreReplaced',
      hint: `see: holdfast volume show ${metadata.name}`,
    },
  );
}
