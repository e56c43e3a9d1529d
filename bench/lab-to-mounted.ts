/** From nothing to a replica-3 volume mounted on three hosts: Holdfast beside the same typed by hand without a pause. */
import { bringUpHoldfast } from '../src/usecases/lab/bring-up-holdfast.ts';
import type { Measurement } from './index.ts';
import { HOSTS, median, mountExample, withLabs } from './lab/bench-lab.ts';
import { joinByHand, makePoolsByHand, makeVolumeByHand } from './lab/by-hand.ts';

const ROUNDS = 3;
const POOL = '/mnt/pool';
const { signal } = new AbortController();

/** Both in turn, {@link ROUNDS} times. */
export async function run(): Promise<readonly Measurement[]> {
  const product: number[] = [];
  const byHand: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    product.push(await seconds(makeWithHoldfast));
    byHand.push(await seconds(makeByHand));
  }
  return [
    { what: 'lab to mounted volume, Holdfast (median)', value: median(product), unit: 's', budget: '<= 15 s' },
    { what: 'lab to mounted volume, by hand (median)', value: median(byHand), unit: 's' },
    { what: 'Holdfast / by hand', value: median(product) / median(byHand), unit: 'x' },
  ];
}

async function seconds(work: () => Promise<number>): Promise<number> {
  return (await work()) / 1000;
}

/** Removing the lab is not counted. */
async function makeWithHoldfast(): Promise<number> {
  return withLabs(async (deps) => {
    const start = performance.now();
    const world = await bringUpHoldfast(deps, { name: 'bench', hosts: HOSTS }, signal);
    await mountExample(deps, world);
    return performance.now() - start;
  });
}

async function makeByHand(): Promise<number> {
  return withLabs(async (deps) => {
    const start = performance.now();
    const glusterd = { name: 'glusterd', kind: 'run' as const, argv: ['glusterd'] };
    const lab = await deps.labs.up({ name: 'hand', hosts: HOSTS, bootActions: [glusterd] });
    await makePoolsByHand(lab, POOL);
    await joinByHand(lab);
    const volume = { name: 'hand', pool: POOL, imageBytes: 1228 * 2 ** 20, mountPath: '/data', options: {} };
    await makeVolumeByHand(lab, volume);
    return performance.now() - start;
  });
}
