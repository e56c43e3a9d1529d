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
/** With a clone that outlives its snapshot, and a controller that is killed. */
const SEED = LIFE_SEED === undefined ? 4 : Number(LIFE_SEED);
/** One in the clear and an encrypted one, with this seed. */
const RUNS = LIFE_RUNS === undefined ? 2 : Number(LIFE_RUNS);
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
    const kinds = new Set<string>();
    const lives = fc.asyncProperty(life(MOST_PARTS), fc.constantFrom('true', 'false'), async (steps, encryption) => {
      calls += steps.flatMap(({ branches }) => branches).length;
      kinds.add(encryption);
      const parameters = { replicas: '2', allowSplitBrain: 'true', encryption };
      await withGlusterLife(product, (world) => live(world, steps, parameters));
    });
    await fc.assert(lives, { seed: SEED, numRuns: RUNS, endOnFailure: true });
    expect(calls).toBeGreaterThan(RUNS * 3);
    if (LIFE_SEED === undefined) expect([...kinds].toSorted()).toEqual(['false', 'true']);
  },
  RUN_MS * RUNS,
);
