/**
 * The lives of csi-life.test.ts on engine local as it is: real images, mounts and programs below the real controllers and agent.
 * `LIFE_SEED=...` lives others; `LIFE_RUNS=20` lives more of them.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { life, onOneNode } from '../csi-life/calls.ts';
import { live } from '../csi-life/live.ts';
import { withLocalLife } from './local-life-world.ts';

const { LIFE_SEED, LIFE_RUNS } = process.env;
const SEED = LIFE_SEED === undefined ? 421_497_872 : Number(LIFE_SEED);
const RUNS = LIFE_RUNS === undefined ? 2 : Number(LIFE_RUNS);
/** Parts of a life, each of one call to five. */
const MOST_PARTS = 8;
const LIVES_MS = 10 * 60_000;

test(
  `every answer is one that the model allows, what is there is what was answered, and in the end there is nothing (LIFE_SEED=${SEED})`,
  async () => {
    let calls = 0;
    const lives = fc.asyncProperty(life(MOST_PARTS, { hasGroups: true }), async (steps) => {
      calls += steps.flatMap(({ branches }) => branches).length;
      // Such a volume is used on its own node alone, and this machine is the one.
      await withLocalLife((world) => live(world, onOneNode(steps), { engine: 'local' }));
    });
    await fc.assert(lives, { seed: SEED, numRuns: RUNS, endOnFailure: true });
    expect(calls).toBeGreaterThan(RUNS * 3);
  },
  LIVES_MS,
);
