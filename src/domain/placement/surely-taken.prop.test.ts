import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { GIB } from '../bytes.ts';
import { poolBytesOf } from '../volume/copy-size.ts';
import { placementNode } from './from-resources.ts';
import { roomOf } from './model.ts';
import { surelyTaken } from './surely-taken.ts';

/** Sizes are in these: a block of the pool's file system that images may share. */
const BLOCK = 64 * 1024 ** 2;
const CAPACITY = 64 * GIB;

interface Image {
  readonly copy: VolumeCopy;
  readonly uid: string;
  readonly isSnapshot: boolean;
  /** By its place in the image, the block of the pool. */
  readonly blocks: Map<number, symbol>;
}

const place = fc.nat(15);
const act = fc.oneof(
  fc.record({ what: fc.constant('make' as const), gib: fc.integer({ min: 1, max: 4 }), isThin: fc.boolean() }),
  fc.record({ what: fc.constantFrom('write' as const, 'discard' as const), on: place, at: fc.nat(60), blocks: place }),
  fc.record({ what: fc.constantFrom('snapshot' as const, 'clone' as const, 'remove' as const), on: place }),
  fc.record({ what: fc.constant('others' as const), blocks: fc.integer({ min: -40, max: 40 }) }),
);

/** A pool with images that share blocks, as XFS with reflink has them. */
function createPool() {
  const images: Image[] = [];
  let foreign = 0;
  let made = 0;
  const wholeOf = ({ copy }: Image) => poolBytesOf(copy.spec, copy.spec.sizeBytes);
  const used = () => new Set(images.flatMap(({ blocks }) => [...blocks.values()])).size + foreign;
  const free = () => CAPACITY - used() * BLOCK;
  const make = (gib: number, isThin: boolean, of?: Image): Image => {
    made += 1;
    const spec: VolumeCopy['spec'] = {
      ...{ volume: `v${made}`, volumeUid: 'v', node: 'kube1', pool: 'default', role: 'data', index: 0 },
      ...{ engine: 'local', brick: 'block', sizeBytes: gib * GIB },
      ...(isThin ? { thinProvision: true } : {}),
      ...(of === undefined ? {} : { source: { snapshotUid: 's', copyUid: 'c' } }),
    };
    const copy: VolumeCopy = {
      ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'VolumeCopy', metadata: { name: `c${made}` } },
      ...{ spec, status: { state: 'Ready' } },
    };
    return { copy, uid: `c${made}`, isSnapshot: false, blocks: new Map(of?.blocks) };
  };
  return {
    images,
    make,
    add: (image: Image) => images.push(image),
    remove: (image: Image) => images.splice(images.indexOf(image), 1),
    write: ({ copy, blocks }: Image, at: number, count: number) => {
      for (let each = at; each < at + count && each < copy.spec.sizeBytes / BLOCK; each += 1) {
        if (free() < BLOCK) return;
        blocks.set(each, Symbol(String(each)));
      }
    },
    others: (blocks: number) => {
      foreign = Math.max(0, foreign + Math.min(blocks, Math.floor(free() / BLOCK)));
    },
    /** What can be promised to others and kept, whatever is written into what is there. */
    honest: () => CAPACITY - foreign * BLOCK - images.reduce((sum, image) => sum + wholeOf(image), 0),
    /** What placement says, from what an agent reports of such a pool. */
    promised: () => {
      const whole = images.filter(({ isSnapshot }) => !isSnapshot);
      const copyBytes = whole.reduce((sum, { copy, blocks }) => {
        const bytes = new Set(blocks.values()).size * BLOCK;
        return sum + surelyTaken(copy, [bytes, bytes]);
      }, 0);
      const pool = { name: 'default', path: '/pool', isReady: true, capacityBytes: CAPACITY, freeBytes: free() };
      const node = placementNode(
        {
          ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'StorageNode', metadata: { name: 'kube1' } },
          spec: { addresses: { ip: '10.0.0.1' }, pools: [{ name: 'default', path: '/pool' }] },
          status: { pools: [{ ...pool, copyBytes }] },
        },
        images.map(({ copy }) => copy),
        'local',
      );
      return node.pools.map(roomOf)[0] ?? 0;
    },
  };
}

type Pool = ReturnType<typeof createPool>;
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

/** Does it where placement, and the kind of the image, allow it. */
function carryOut(pool: Pool, each: Act): void {
  if (each.what === 'others') return pool.others(each.blocks);
  if (each.what === 'make') return makeNew(pool, each);
  const image = pool.images[each.on % Math.max(1, pool.images.length)];
  if (image === undefined) return;
  if (each.what === 'remove') return void pool.remove(image);
  if (each.what === 'write') return image.isSnapshot ? undefined : pool.write(image, each.at, each.blocks);
  // Those of images that are not thin are counted as they were before there were thin ones.
  if (image.copy.spec.thinProvision !== true) return;
  const isSnapshot = each.what === 'snapshot';
  if ('at' in each) return image.isSnapshot ? undefined : discard(image, each.at, each.blocks);
  if (isSnapshot || image.isSnapshot) copyOf(pool, image, isSnapshot);
}

function makeNew(pool: Pool, { gib, isThin }: { readonly gib: number; readonly isThin: boolean }): void {
  const made = pool.make(gib, isThin);
  if (pool.promised() < made.copy.spec.sizeBytes) return;
  // Of one that is not thin all is taken at once.
  if (!isThin) pool.write(made, 0, made.copy.spec.sizeBytes / BLOCK);
  pool.add(made);
}

function copyOf(pool: Pool, image: Image, isSnapshot: boolean): void {
  const { sizeBytes } = image.copy.spec;
  if (pool.promised() >= sizeBytes) pool.add({ ...pool.make(sizeBytes / GIB, true, image), isSnapshot });
}

function discard({ blocks }: Image, at: number, count: number): void {
  for (let each = at; each < at + count; each += 1) blocks.delete(each);
}

test('what thin copies give back is promised to nobody else, whatever is written, discarded, snapshot and cloned', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const pool = createPool();
      for (const each of acts) carryOut(pool, each);
      expect(pool.promised()).toBeLessThanOrEqual(Math.max(0, pool.honest()));
    }),
    { numRuns: 500 },
  );
});

test('what a thin volume writes and discards changes nothing about what can be promised', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(15), fc.nat(15)), { maxLength: 20 }), (acts) => {
      const pool = createPool();
      const image = pool.make(2, true);
      pool.add(image);
      const before = pool.promised();
      expect(before).toBe(pool.honest());
      for (const [isWritten, at, count] of acts) {
        if (isWritten) pool.write(image, at, count);
        else discard(image, at, count);
        expect(pool.promised()).toBe(before);
      }
    }),
  );
});

test('a look counts only what was there before and after it, and never more than the whole copy', () => {
  const { copy } = createPool().make(1, true);
  expect(surelyTaken(copy, [5, 3])).toBe(3);
  expect(surelyTaken(copy, [3, 5])).toBe(3);
  expect(surelyTaken(copy, [undefined, 5])).toBe(0);
  expect(surelyTaken(copy, [9 * GIB, 9 * GIB])).toBe(GIB);
});
