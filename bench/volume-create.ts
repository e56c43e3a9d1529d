/** Create, start and mount a replica-3 volume: through the engine, and by the same commands typed by hand, in turn. */
import { wantedOptions } from '../src/engines/gluster/options.ts';
import type { DesiredCopy, DesiredVolume } from '../src/ports/engine.ts';
import { createVolumeSet, settle, type VolumeSet } from '../test/contract/engine-harness.ts';
import { type GlusterLab, startGlusterLab } from '../test/engine/gluster-fixture.ts';
import type { Measurement } from './index.ts';

const ROUNDS = 5;
const MIB = 1024 ** 2;
const LIMIT_MS = 600_000;

/** Measures on a lab of its own. The first volume of each kind starts the self-heal daemon and is not counted. */
export async function run(): Promise<readonly Measurement[]> {
  const lab = await startGlusterLab('bench-volume-create');
  const signal = AbortSignal.timeout(LIMIT_MS);
  const times: Record<'copies' | 'engine' | 'hand', number[]> = { copies: [], engine: [], hand: [] };
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      // In turn, so that whatever else the machine does meets both alike.
      const byEngine = await prepare(lab, signal);
      const engineMs = await timed(() => makeByEngine(byEngine.set));
      await byEngine.set.remove();
      const byHand = await prepare(lab, signal);
      const handMs = await timed(() => makeByHand(lab, byHand.set));
      await byHand.set.mount(lab.nodes[0]);
      await byHand.set.remove();
      if (round === 0) continue;
      times.copies.push(byEngine.copiesMs, byHand.copiesMs);
      times.engine.push(engineMs);
      times.hand.push(handMs);
    }
  } finally {
    await lab.stop();
  }
  const [copies, engine, hand] = [median(times.copies), median(times.engine), median(times.hand)];
  return [
    { what: 'three image copies, all at once', value: copies / 1000, unit: 's' },
    { what: 'create, start, mount by hand (p50)', value: hand / 1000, unit: 's' },
    { what: 'create, start, mount by the engine (p50)', value: engine / 1000, unit: 's', budget: '<= 4 s with copies' },
    { what: 'engine to hand', value: engine / hand, unit: 'times' },
  ];
}

async function prepare(lab: GlusterLab, signal: AbortSignal): Promise<{ set: VolumeSet; copiesMs: number }> {
  const what = { layout: 'replicated', brick: 'image', sizeBytes: 256 * MIB, signal } as const;
  // Looks follow each other at once: the pauses of tests are not the engine's.
  const patience = { ...lab.patience, pause: async () => undefined };
  const set = await createVolumeSet({ ...lab, patience }, what);
  const bring = ({ node, desired }: { readonly node: string; readonly desired: DesiredCopy }) =>
    settle<'copy'>(lab.engine(node), desired, { ...patience, signal });
  const copiesMs = await timed(() => Promise.all(set.copies.map(bring)));
  return { set, copiesMs };
}

async function makeByEngine(set: VolumeSet): Promise<void> {
  await set.makeVolume();
  await set.mount(set.anchor);
}

/** What an administrator types who knows the options that are wanted. */
async function makeByHand(lab: GlusterLab, { volume, anchor, attachment }: VolumeSet): Promise<void> {
  const gluster = (...words: string[]) => lab.run(anchor, 'gluster', '--mode=script', 'volume', ...words);
  const bricks = volume.bricks.map((brick) => `${brick.node}:${brick.path}`);
  await gluster('create', volume.name, 'replica', '3', 'transport', 'tcp', ...bricks, 'force');
  await gluster('set', volume.name, ...optionWords(volume));
  await gluster('start', volume.name);
  await lab.run(anchor, 'mkdir', '-p', attachment.mountPath);
  await lab.run(anchor, 'mount', '-t', 'glusterfs', `${anchor}:/${volume.name}`, attachment.mountPath);
}

function optionWords(volume: DesiredVolume): string[] {
  return Object.entries(wantedOptions(volume)).flat();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
