/** Makes a volume larger while it is in use: whether there is room is found out before anything is stored. */
import { adoptedGrowthFaults } from '../../domain/adopt/adopted-growth.ts';
import { describeBytes, formatQuantity, parseQuantity } from '../../domain/bytes.ts';
import { AppError } from '../../domain/errors.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { placementNode } from '../../domain/placement/from-resources.ts';
import { growthFaults } from '../../domain/placement/growth-faults.ts';
import { snapshotPromises } from '../../domain/snapshot/snapshot-promises.ts';
import { parseVolumeSize, poolBytesOf } from '../../domain/volume/copy-size.ts';
import { bytesFor, grantedSize, growingCopies, withGrants } from '../../domain/volume/granted-sizes.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { findVolume } from './read-volumes.ts';

export interface GrowVolumeOptions {
  /** Checks for room, and changes nothing. */
  readonly isDryRun?: boolean;
  /** Waits this long until the new size holds; does not wait when left out. */
  readonly waitMs?: number;
  /** Told how far the copies are, whenever that changes. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export interface VolumeGrowth {
  readonly name: string;
  /** The size that it has. */
  readonly from: string;
  readonly to: string;
  readonly copies: readonly {
    readonly copy: string;
    readonly node: string;
    readonly pool: string;
    readonly fromBytes: number;
    readonly toBytes: number;
    /** Bytes that it will take from its pool beside what it has. */
    readonly poolBytes: number;
  }[];
  readonly isDryRun: boolean;
  /** The new size was seen to hold. */
  readonly isDone: boolean;
}

/**
 * Grows a volume. Repeated with the same size it waits for what was begun.
 *
 * @param size - the new size ("20Gi"), or how much more ("+5Gi")
 * @throws {AppError} invalid or range, for a size that is none; precondition, for a smaller one; capacity, with the numbers of
 *   each place without room; timeout; cancelled
 */
export async function growVolume(
  deps: WaitDeps,
  { name, size }: { readonly name: string; readonly size: string },
  options: GrowVolumeOptions = {},
): Promise<VolumeGrowth> {
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const volume = await findVolume({ client: deps.client, ...scope }, name);
  const to = formatQuantity(newSize(volume, size));
  assertGrowable(volume, to);
  const stored = await readPlaces(deps, scope);
  const growth = { ...describeGrowth(volume, to, stored.copies), isDryRun: options.isDryRun ?? false };
  assertRoom(volume, to, stored);
  if (growth.isDryRun) return growth;
  if (parseQuantity(volume.spec.size) !== parseQuantity(to)) {
    await deps.client.patch('Volume', name, { spec: { size: to } }, { uid: volume.metadata.uid, ...scope });
  }
  if (options.waitMs === undefined) return growth;
  await waitUntilGrown(deps, volume, { ...options, to, waitMs: options.waitMs });
  return { ...growth, isDone: true };
}

function newSize({ spec }: Resource<'Volume'>, written: string): number {
  if (!written.startsWith('+')) return parseVolumeSize(written);
  return parseVolumeSize(formatQuantity(parseQuantity(spec.size) + parseQuantity(written.slice(1))));
}

function assertGrowable(volume: Resource<'Volume'>, to: string): void {
  const { name, deletionTimestamp } = volume.metadata;
  const refuse = (message: string, reason: string, hint: string): AppError =>
    new AppError('precondition', `${message}; nothing was changed`, { resource: `volume ${name}`, reason, hint });
  if (deletionTimestamp !== undefined) {
    throw refuse(`volume ${name} is being deleted`, 'VolumeDeleting', 'wait until it is gone, and add another one');
  }
  if (volume.spec.share !== undefined) {
    const hint = 'give the share more room on its file server; the size of such a volume is enforced by nobody';
    throw refuse(
      `volume ${name} is a share of a file server, which alone decides about its size`,
      'SizeOfServer',
      hint,
    );
  }
  if (volume.status?.placement === undefined) {
    const hint = `see: holdfast explain volume ${name}`;
    throw refuse(`volume ${name} has no place yet, so it has no size to grow from`, 'NotPlaced', hint);
  }
  const least = grantedSize(volume);
  if (parseQuantity(to) >= parseQuantity(least)) return;
  throw refuse(
    `volume ${name} has ${least} and cannot become ${to}: the file systems of its copies grow and never shrink`,
    'NeverShrinks',
    'add a smaller volume and copy the data',
  );
}

interface StoredPlaces {
  readonly nodes: readonly Resource<'StorageNode'>[];
  readonly volumes: readonly Resource<'Volume'>[];
  readonly copies: readonly Resource<'VolumeCopy'>[];
  /** Room that images of snapshots are promised. */
  readonly promised: readonly VolumeCopy[];
}

async function readPlaces({ client }: WaitDeps, scope: { readonly signal?: AbortSignal }): Promise<StoredPlaces> {
  const [nodes, volumes, copies, snapshots] = await Promise.all([
    client.list('StorageNode', scope),
    client.list('Volume', scope),
    client.list('VolumeCopy', scope),
    client.list('VolumeSnapshotRecord', scope),
  ]);
  const promised = snapshotPromises(snapshots.items);
  return { nodes: nodes.items, volumes: volumes.items, copies: copies.items, promised };
}

/** The copies that the volume keeps, in the engine's order. */
function ownCopies<C extends VolumeCopy>({ metadata, status }: Resource<'Volume'>, copies: readonly C[]): readonly C[] {
  const names = (status?.placement ?? []).filter(({ isLeaving }) => isLeaving !== true).map(({ copy }) => copy);
  return copies
    .filter(({ spec, metadata: { name = '' } }) => spec.volumeUid === metadata.uid && names.includes(name))
    .toSorted((a, b) => a.spec.index - b.spec.index);
}

function describeGrowth(
  volume: Resource<'Volume'>,
  to: string,
  copies: StoredPlaces['copies'],
): Omit<VolumeGrowth, 'isDryRun'> {
  return {
    name: volume.metadata.name,
    from: volume.status?.size ?? grantedSize(volume),
    to,
    copies: ownCopies(volume, copies).map(({ metadata, spec, status }) => {
      const fromBytes = status?.sizeBytes ?? spec.sizeBytes;
      const toBytes = Math.max(fromBytes, bytesFor(volume.spec, spec.role, to));
      const poolBytes = poolBytesOf(spec, toBytes) - poolBytesOf(spec, fromBytes);
      return { copy: metadata.name, node: spec.node, pool: spec.pool, fromBytes, toBytes, poolBytes };
    }),
    isDone: false,
  };
}

function assertRoom(volume: Resource<'Volume'>, to: string, { nodes, volumes, copies, promised }: StoredPlaces): void {
  if (parseQuantity(to) <= parseQuantity(grantedSize(volume))) return;
  const { name } = volume.metadata;
  const { engine } = volume.spec;
  const taken = withGrants([...copies, ...promised], volumes);
  const seen = nodes.map((node) => placementNode(node, taken, engine));
  const own = ownCopies(volume, taken);
  const faults =
    volume.spec.adopted === undefined
      ? growthFaults({ name, engine }, growingCopies(volume.spec, own, to), seen)
      : adoptedGrowthFaults(volume, own, to);
  if (faults.length === 0) return;
  throw new AppError(
    'capacity',
    `volume ${name} does not grow to ${to}: not all its copies have room; nothing was changed`,
    {
      resource: `volume ${name}`,
      reason: 'NoRoomToGrow',
      hint: 'free or add space in these pools, bring nodes back, or ask for less',
      faults: faults.map((fault) => {
        const [node = '', ...why] = fault.split(': ');
        return { field: `node ${node}`, message: why.join(': ') };
      }),
    },
  );
}

interface GrownWait extends GrowVolumeOptions {
  readonly to: string;
  readonly waitMs: number;
}

async function waitUntilGrown(deps: WaitDeps, volume: Resource<'Volume'>, options: GrownWait): Promise<void> {
  const { to, waitMs, signal, onProgress } = options;
  const { name, uid } = volume.metadata;
  let told: string | undefined;
  await waitForObject(deps, {
    kind: 'Volume',
    name,
    timeoutMs: waitMs,
    ...(signal === undefined ? {} : { signal }),
    check: (seen) => {
      if (seen === undefined || seen.metadata.uid !== uid) {
        throw new AppError('notFound', `volume ${name} was deleted while it grew`, { resource: `volume ${name}` });
      }
      const { size } = seen.status ?? {};
      if (size !== undefined && parseQuantity(size) >= parseQuantity(to)) return true;
      const sized = findCondition(seen, 'Sized');
      // What was said about an earlier size says nothing about this one.
      if (sized?.observedGeneration !== seen.metadata.generation) return undefined;
      if (sized.reason === 'NoRoomToGrow') throw noRoomAnyMore(name, sized.message);
      if (sized.status === 'False' && sized.message !== told) onProgress?.(sized.message);
      told = sized.message;
      return undefined;
    },
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `volume ${name} has not grown to ${describeBytes(parseQuantity(to))} after ${waitMs / 1000} s: ` +
          `${(seen && findCondition(seen, 'Sized')?.message) ?? 'no controller has looked at it yet'}`,
        {
          resource: `volume ${name}`,
          reason: 'NotGrownInTime',
          hint: `it goes on by itself; see: holdfast volume show ${name}`,
        },
      ),
  });
}

/** Somebody else took the room between the look and the grant. */
function noRoomAnyMore(name: string, message: string): AppError {
  return new AppError('capacity', `volume ${name} keeps its size: ${message}`, {
    resource: `volume ${name}`,
    reason: 'NoRoomToGrow',
    hint: 'it grows as soon as there is room; to take the wish back, set spec.size to the size that it has',
  });
}
