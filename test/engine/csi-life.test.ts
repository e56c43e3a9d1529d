/**
 * The lives of test/contract/csi-life.test.ts on real GlusterFS: three hosts, the driver's own sockets, a controller that is killed.
 * `LIFE_SEED=...` lives others; `LIFE_RUNS=20` lives more of them.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { life } from '../csi-life/calls.ts';
import { live } from '../csi-life/live.ts';
import { withGlusterLife } from './gluster-life-world.ts';
import { NODES, type Product, startProduct, untilUsable } from './product-fixture.ts';

const { LIFE_SEED, LIFE_RUNS } = process.env;
const SEED = LIFE_SEED === undefined ? 421_497_872 : Number(LIFE_SEED);
const RUNS = LIFE_RUNS === undefined ? 1 : Number(LIFE_RUNS);
/** Parts of a life, each of one call to five. */
const MOST_PARTS = 8;
const RUN_MS = 10 * 60_000;
/** Sparse: room for all copies and snapshots of a life. */
const DATA_DISK_BYTES = 60 * 1024 ** 3;

let product: Product;
beforeAll(async () => {
  product = await startProduct({ name: 'csilife', hasCsi: true, dataDiskBytes: DATA_DISK_BYTES });
  await product.apply([]);
  for (const node of NODES) await untilUsable(product, node);
});
afterAll(() => product?.remove());

test(
  `every answer is one that the model allows, what is there is what was answered, and in the end there is nothing (LIFE_SEED=${SEED})`,
  async () => {
    let calls = 0;
    const lives = fc.asyncProperty(life(MOST_PARTS), async (steps) => {
      calls += steps.flatMap(({ branches }) => branches).length;
      await withGlusterLife(product, (world) => live(world, steps, { replicas: '2', allowSplitBrain: 'true' }));
    });
    await fc.assert(lives, { seed: SEED, numRuns: RUNS, endOnFailure: true });
    expect(calls).toBeGreaterThan(RUNS * 3);
  },
  RUN_MS * RUNS,
);
