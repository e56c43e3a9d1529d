/** Checks of pools: usable, room, and what lies in them that belongs to nobody. */

import type { PoolStatus } from '../../schemas/storage-node.ts';
import { describeBytes } from '../bytes.ts';
import { type Check, type DoctorWorld, factsOf, isHeard, nameOf } from './world.ts';

/** Share of a pool that is free. Below the first little fits any more; below the second copies in directories stop soon. */
const NEARLY_FULL = 0.1;
const FULL = 0.02;
/** Copies in images have reserved their room, so their pool may be full by plan; XFS itself still needs some of it. */
const MIN_FREE_BYTES = 64 * 1024 ** 2;

interface SeenPool {
  readonly node: string;
  readonly pool: PoolStatus;
}

export const POOLS_READY: Check = {
  id: 'HF017',
  title: 'Pools are ready',
  look: (world) =>
    seenPools(world)
      .filter(({ pool }) => !pool.isReady)
      .map(({ node, pool }) => ({
        status: 'failed' as const,
        subject: `pool ${pool.name} on node ${node}`,
        evidence: `${pool.path}: ${pool.message ?? pool.reason ?? 'cannot be used'}`,
        meaning: 'no copy is placed in it, and copies that are in it do not serve',
        fix: 'docs/how-to/when-something-is-wrong.md has what to do for devices that are not empty, missing or not mounted',
      })),
};

export const POOLS_HAVE_ROOM: Check = {
  id: 'HF018',
  title: 'Pools have room',
  look: (world) =>
    seenPools(world).flatMap(({ node, pool }) => {
      const { isReady, freeBytes, capacityBytes } = pool;
      if (!isReady || capacityBytes === 0 || freeBytes >= capacityBytes * NEARLY_FULL) return [];
      const isShort = freeBytes < capacityBytes * FULL && hasDirectoryCopies(world, node, pool.name);
      const isFull = freeBytes < MIN_FREE_BYTES || isShort;
      return [
        {
          status: isFull ? ('failed' as const) : ('warning' as const),
          subject: `pool ${pool.name} on node ${node}`,
          evidence: `${describeBytes(freeBytes)} of ${describeBytes(capacityBytes)} are free`,
          meaning: isFull
            ? 'no copy fits any more, and copies in plain directories of this pool cannot be written; copies in images have their room'
            : 'few copies fit any more; copies in plain directories of this pool will run out of room',
          fix: `remove what does not belong there, delete volumes that can go, or add a pool; see what is in it: holdfast node show ${node}`,
        },
      ];
    }),
};

export const ORPHAN_COPIES: Check = {
  id: 'HF019',
  title: 'Every folder of a copy belongs to a copy',
  look: (world) => {
    const known = new Set(world.copies.map((copy) => copy.metadata.uid));
    return [...factsOf(world)].flatMap(([node, { engine }]) =>
      engine.copyFolders
        .filter(({ copyUid }) => !known.has(copyUid))
        .map(({ pool, path }) => ({
          status: 'warning' as const,
          subject: `${path} on node ${node}`,
          evidence: `the folder is in pool ${pool}, and no VolumeCopy has its UID`,
          meaning: 'it takes room and may hold data of a volume that the API has forgotten; Holdfast never removes it',
          fix: `look at what it holds on ${node}. If it is needed no more: umount ${path}/mnt if that is mounted, then rm -r ${path}`,
        })),
    );
  },
};

export const LEFTOVER_IDS: Check = {
  id: 'HF020',
  title: 'No directory bears the ID of a volume that does not use it',
  look: (world) =>
    [...factsOf(world)].flatMap(([node, { engine }]) =>
      engine.leftovers.map(({ path, isEmpty }) => ({
        status: 'warning' as const,
        subject: `${path} on node ${node}`,
        evidence: `it has trusted.glusterfs.volume-id, is no brick of a volume, and is ${isEmpty ? 'empty' : 'not empty'}`,
        meaning: 'GlusterFS refuses to make a brick there ("already part of a volume"), or takes old data for new',
        fix: isEmpty
          ? `on ${node}: setfattr -x trusted.glusterfs.volume-id ${path}`
          : `it may hold data: look at it first. If it can go, on ${node}: rm -r ${path}`,
        ...(isEmpty ? { remedy: { node, repair: { repair: 'removeVolumeId' as const, path } } } : {}),
      })),
    ),
};

function hasDirectoryCopies({ copies }: DoctorWorld, node: string, pool: string): boolean {
  return copies.some(({ spec }) => spec.node === node && spec.pool === pool && spec.brick === 'directory');
}

/** Pools of the nodes that are heard: what others reported last may be long ago. */
function seenPools({ nodes }: DoctorWorld): readonly SeenPool[] {
  return nodes
    .filter(isHeard)
    .flatMap((node) => (node.status?.pools ?? []).map((pool) => ({ node: nameOf(node), pool })));
}
