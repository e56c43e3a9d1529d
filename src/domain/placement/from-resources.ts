/** Placement's view of the stored objects: the one mapping that the controller, dry runs and `explain` share. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { VolumeSpec } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { isStranger } from '../node/is-usable.ts';
import { neededAbilities } from '../volume/abilities.ts';
import { copySizes, poolBytesOf } from '../volume/copy-size.ts';
import { type LayoutSpec, setCount, setRoles, wantedCopies } from '../volume/replica-sets.ts';
import type { PlacementInput, PlacementNode, PlacementPool, WantedCopy } from './model.ts';

export interface VolumeToPlace {
  readonly name: string;
  /** Undefined for a volume that is only being thought about. */
  readonly uid?: string;
  readonly spec: Pick<VolumeSpec, 'size' | 'engine' | 'pool' | 'brick' | 'fsType' | 'encryption' | 'zones' | 'nodes'> &
    LayoutSpec;
}

/**
 * Builds placement's input for one volume: the copies of its layout that do not exist yet, beside those that do.
 *
 * @param copies - the copies of all volumes
 */
export function placementInput(
  volume: VolumeToPlace,
  nodes: readonly StorageNode[],
  copies: readonly VolumeCopy[],
): PlacementInput {
  const { spec } = volume;
  const own = copies.filter((copy) => copy.spec.volume === volume.name && copy.spec.volumeUid === volume.uid);
  return {
    request: {
      volume: volume.name,
      pool: spec.pool,
      engine: spec.engine,
      sizeBytes: poolSizes(spec),
      copies: missingCopies(spec, own),
      needs: neededAbilities(spec),
      ...(spec.zones === undefined ? {} : { zones: spec.zones }),
      ...(spec.nodes === undefined ? {} : { onNodes: spec.nodes }),
    },
    nodes: nodes.map((node) => placementNode(node, copies, spec.engine)),
    existing: own.map((copy) => ({ node: copy.spec.node, ...setOfIndex(spec, copy.spec.index) })),
  };
}

/** Bytes that a copy of each role takes of its pool. */
export function poolSizes(spec: VolumeToPlace['spec']): PlacementInput['request']['sizeBytes'] {
  const sizes = copySizes(spec);
  return { data: poolBytesOf(spec, sizes.data), arbiter: poolBytesOf(spec, sizes.arbiter) };
}

function missingCopies(spec: VolumeToPlace['spec'], own: readonly VolumeCopy[]): readonly WantedCopy[] {
  const held = new Set(own.map((copy) => copy.spec.index));
  return wantedCopies(spec).filter((copy) => !held.has(copy.index));
}

/** The set that the copy of this place belongs to; nothing where there is one set. */
function setOfIndex(spec: LayoutSpec, index: number): { readonly set?: number } {
  return setCount(spec) === 1 ? {} : { set: Math.floor(index / setRoles(spec).length) };
}

/** One StorageNode as placement sees it; a node whose agent never reported is not ready and its pools are unknown. */
export function placementNode(node: StorageNode, copies: readonly VolumeCopy[], engine: string): PlacementNode {
  const name = node.metadata.name ?? '';
  const here = copies.filter((copy) => copy.spec.node === name);
  const condition = node.status?.conditions?.find((candidate) => candidate.type === 'Ready');
  return {
    name,
    ...(node.spec.zone === undefined ? {} : { zone: node.spec.zone }),
    isReady: condition?.status === 'True' && node.metadata.deletionTimestamp === undefined,
    isCordoned: node.spec.isCordoned === true || node.spec.isDraining === true,
    ...(node.status?.isComputeOnly === true ? { isComputeOnly: true } : {}),
    ...placementEngine(node, engine),
    isStranger: isStranger(node),
    copyCount: here.length,
    pools: node.spec.pools.map((pool) => placementPool(pool.name, node, here)),
  };
}

function placementEngine({ status }: StorageNode, engine: string): Pick<PlacementNode, 'engineRunning' | 'abilities'> {
  const seen = status?.engines?.find((candidate) => candidate.name === engine);
  return { engineRunning: seen?.isRunning ?? false, abilities: seen?.abilities ?? [] };
}

function placementPool(name: string, node: StorageNode, here: readonly VolumeCopy[]): PlacementPool {
  const status = node.status?.pools?.find((pool) => pool.name === name);
  const placed = here.filter((copy) => copy.spec.pool === name);
  const committedBytes = sumOfSizes(placed);
  return {
    name,
    isReady: status?.isReady ?? false,
    ...(status?.message === undefined ? notReported(status) : { message: status.message }),
    capacityBytes: status?.capacityBytes ?? 0,
    freeBytes: status?.freeBytes ?? 0,
    promisedBytes: promisedBytes(placed, status?.copyBytes),
    committedBytes,
  };
}

function notReported(status: unknown): { readonly message?: string } {
  return status === undefined ? { message: 'the agent has not reported it yet' } : {};
}

/**
 * What copies placed here will still take of the free space that was reported.
 *
 * @param copyBytes - what copies had taken when the free space was looked at; without it the copies' states tell
 */
function promisedBytes(placed: readonly VolumeCopy[], copyBytes: number | undefined): number {
  if (copyBytes === undefined) return sumOfSizes(placed.filter((copy) => !isAllocated(copy)));
  return Math.max(0, sumOfSizes(placed) - copyBytes);
}

/** From Ready on the pool's free space no longer counts the copy's space. */
function isAllocated(copy: VolumeCopy): boolean {
  const state = copy.status?.state;
  return state !== undefined && state !== 'Preparing';
}

function sumOfSizes(copies: readonly VolumeCopy[]): number {
  return copies.reduce((sum, copy) => sum + poolBytesOf(copy.spec, copy.spec.sizeBytes), 0);
}
