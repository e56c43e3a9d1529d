/** Carries out what `domain/volume/decide-sizes.ts` decides: a volume's copies grow together, and its PersistentVolume follows. */
import { adoptedGrowthFaults } from '../../domain/adopt/adopted-growth.ts';
import { parseQuantity } from '../../domain/bytes.ts';
import { isAppError } from '../../domain/errors.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { usableSince } from '../../domain/node/is-usable.ts';
import { placementNode } from '../../domain/placement/from-resources.ts';
import { growthFaults } from '../../domain/placement/growth-faults.ts';
import { isHolding } from '../../domain/volume/decide-restore.ts';
import { decideSizes, type SizeDecision } from '../../domain/volume/decide-sizes.ts';
import type { VolumeDecision } from '../../domain/volume/decide-volume.ts';
import { bytesFor, growingCopies } from '../../domain/volume/granted-sizes.ts';
import { leadsTo, VOLUME_UID_ANNOTATION } from '../../domain/volume/persistent-volume.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { ControllerDeps } from '../deps.ts';

type StoredVolume = Resource<'Volume'>;

export interface SizeLook {
  readonly nodes: readonly Resource<'StorageNode'>[];
  /** Copies of the volume. */
  readonly own: readonly Resource<'VolumeCopy'>[];
  /** Copies of all volumes with the sizes they were granted, and those that are promised. Asked only for a growth. */
  readonly taken: () => readonly VolumeCopy[];
}

const NONE: SizeDecision = { status: {}, claims: [], growCopies: [], isRefused: false };

/** True for a volume, no share, that is to grow: whoever decides about it needs the newest truth about what is promised. */
export function asksForGrowth({ metadata, spec, status }: StoredVolume): boolean {
  if (metadata.deletionTimestamp !== undefined || status?.placement === undefined) return false;
  return status.grantedSize === undefined || parseQuantity(spec.size) > parseQuantity(status.grantedSize);
}

/** What is to be done about the sizes of one volume, beside what was decided about it otherwise. */
export function sizeCopies(volume: StoredVolume, decision: VolumeDecision, look: SizeLook): SizeDecision {
  const { metadata, spec, status } = volume;
  // Its copies stay as they are while a snapshot is being put in their place.
  if (metadata.deletionTimestamp !== undefined || isHolding(status)) return NONE;
  if (status?.placement === undefined) {
    // Placed just now: there was room for the size as it is in the spec.
    return decision.status.placement === undefined ? NONE : { ...NONE, status: { grantedSize: spec.size } };
  }
  const usable = usableSince(look.nodes, spec.engine);
  const own = ofPlacement(volume, look.own);
  // One that is placed and not recorded yet is told its size with its creation; until then nothing is known of it.
  if (own.length < stayingCopies(volume).length) return NONE;
  const roles = new Map(own.map((copy) => [copy.metadata.name, copy.spec.role]));
  return decideSizes({
    wanted: spec.size,
    ...(status.grantedSize === undefined ? {} : { granted: status.grantedSize }),
    ...(status.size === undefined ? {} : { size: status.size }),
    copies: own.map((copy) => ({
      name: copy.metadata.name,
      node: copy.spec.node,
      sizeBytes: copy.spec.sizeBytes,
      isReachable: usable.has(copy.spec.node),
      ...(copy.status?.sizeBytes === undefined ? {} : { seenBytes: copy.status.sizeBytes }),
      ...(copy.status?.message === undefined ? {} : { message: copy.status.message }),
    })),
    bytesOf: (copy, size) => bytesFor(spec, roles.get(copy.name) ?? 'data', size),
    ...(isLimited(volume) ? { limitBytes: status.engine?.limitBytes ?? 0 } : {}),
    findFaults: () => findFaults(volume, look),
    isTold: findCondition(volume, 'Sized') !== undefined,
  });
}

/**
 * The engine itself holds the volume to a limit: where its copies are folders, and an adopted one only if it had one. A local
 * folder has none.
 */
function isLimited({ spec }: StoredVolume): boolean {
  if (spec.engine === 'local') return false;
  return spec.brick === 'directory' && (spec.adopted === undefined || spec.adopted.limit !== undefined);
}

/** A share has the size that its server gives: what it was seen to have is the capacity of its PersistentVolume. */
export function sizeShare({ status: { size } }: VolumeDecision): SizeDecision {
  return size === undefined ? NONE : { ...NONE, status: { size } };
}

function findFaults(volume: StoredVolume, look: SizeLook): readonly string[] {
  const { name } = volume.metadata;
  const { engine, size } = volume.spec;
  if (volume.spec.adopted !== undefined) return adoptedGrowthFaults(volume, look.own, size);
  const taken = look.taken();
  const own = ofPlacement(volume, taken);
  const seen = look.nodes.map((node) => placementNode(node, taken, engine));
  return growthFaults({ name, engine }, growingCopies(volume.spec, own, size), seen);
}

/** The decision about a volume with what is decided about its sizes. */
export function withSizes(decision: VolumeDecision, sizes: SizeDecision): VolumeDecision {
  return {
    ...decision,
    status: { ...decision.status, ...sizes.status },
    claims: [...decision.claims, ...sizes.claims],
  };
}

/**
 * Asks the copies to grow. Called when the grant is stored.
 *
 * Safe to repeat, and late: a copy that is not as it was seen stays as it is, so who believes something outdated never tells
 * it less than it was told before.
 *
 * @throws {AppError} conflict, when a copy has changed meanwhile
 */
export async function growCopies(
  { client }: ControllerDeps,
  sizes: SizeDecision,
  { own, signal }: Pick<SizeLook, 'own'> & { readonly signal: AbortSignal },
): Promise<void> {
  for (const { name, sizeBytes } of sizes.growCopies) {
    const seen = own.find((copy) => copy.metadata.name === name);
    if (seen === undefined) continue;
    const { uid, resourceVersion } = seen.metadata;
    try {
      await client.patch('VolumeCopy', name, { spec: { sizeBytes } }, { uid, resourceVersion, signal });
    } catch (error) {
      if (!isAppError(error, 'notFound')) throw error; // removed meanwhile: it needs no room any more
    }
  }
}

/** Raises the capacity of the volume's PersistentVolume; before the size is stored as reached, so that it is not forgotten. */
export async function raiseCapacity(
  { client }: ControllerDeps,
  volume: StoredVolume,
  { status: { size } }: SizeDecision,
  signal: AbortSignal,
): Promise<void> {
  // The first size is that of its creation; what registers it afterwards reads it.
  if (size === undefined || volume.status?.size === undefined || volume.status.size === size) return;
  const { name, uid } = volume.metadata;
  const found = await client.get('PersistentVolume', name, { signal });
  if (found === undefined || !leadsTo(found, name) || found.metadata.annotations?.[VOLUME_UID_ANNOTATION] !== uid)
    return;
  const had = found.spec.capacity?.['storage'];
  if (had !== undefined && parseQuantity(had) >= parseQuantity(size)) return;
  await client.patch(
    'PersistentVolume',
    name,
    { spec: { capacity: { storage: size } } },
    { uid: found.metadata.uid, signal },
  );
}

/** Names of the copies that the volume is to keep: one that leaves is not made larger. */
function stayingCopies({ status }: StoredVolume): readonly string[] {
  return (status?.placement ?? []).filter((placed) => placed.isLeaving !== true).map((placed) => placed.copy);
}

function ofPlacement<C extends VolumeCopy>(volume: StoredVolume, copies: readonly C[]): readonly C[] {
  const names = stayingCopies(volume);
  return copies.filter((copy) => isOf(copy, volume) && names.includes(copy.metadata.name ?? ''));
}

function isOf({ spec }: VolumeCopy, { metadata }: StoredVolume): boolean {
  return spec.volume === metadata.name && spec.volumeUid === metadata.uid;
}
