/** What the steps on the bricks of a volume do to the cluster in memory. */
import { AppError } from '../../domain/errors.ts';
import type { DesiredBrick } from '../../ports/engine.ts';
import { isDispersed } from './brick-sets.ts';
import { type FakeNode, type FakeState, type FakeVolume, startBricks } from './cluster.fake.ts';
import type { BrickPlace, VolumeStep } from './steps.ts';

type Act<K extends VolumeStep['step']> = (
  state: FakeState,
  node: FakeNode,
  step: Extract<VolumeStep, { step: K }>,
) => void;

type Find = (state: FakeState, node: FakeNode, volume: string) => FakeVolume;

/** Replaced, added, taken out; `demand` finds the volume on a node that may change it, or throws. */
export function memberActions(demand: Find): { readonly [K in 'replaceBrick' | 'addBrick' | 'removeBrick']: Act<K> } {
  return {
    replaceBrick: (state, node, { volume, old, brick }) =>
      exchange(state, node, demand(state, node, volume), (bricks) =>
        bricks.map((each) => (isAt(each, old) ? brick : each)),
      ),
    addBrick: (state, node, { volume, brick }) =>
      exchange(state, node, demand(state, node, volume), (bricks) =>
        bricks.some((each) => isAt(each, brick)) ? bricks : [...bricks, brick],
      ),
    removeBrick: (state, node, { volume, brick }) =>
      exchange(state, node, demand(state, node, volume), (bricks) => bricks.filter((each) => !isAt(each, brick))),
  };
}

/** Entries that a new brick lacks, as many as it takes to see a heal go on. */
const NEW_BRICK_LACKS = 3;

type Bricks = readonly DesiredBrick[];

/** One transaction of glusterd: what is new lacks everything, what is out runs no more. Done already is no error. */
function exchange(state: FakeState, node: FakeNode, found: FakeVolume, next: (bricks: Bricks) => Bricks): void {
  const before = found.bricks;
  const after = next(before);
  const added = after.filter((brick) => !before.some((each) => isAt(each, brick)));
  for (const brick of added) {
    if (!node.members.has(brick.node) || !state.reaches(node.name, brick.node)) {
      throw new AppError('unavailable', `Host ${brick.node} is not connected`, { reason: 'PeerAway' });
    }
    found.stale.set(brick.path, NEW_BRICK_LACKS);
  }
  for (const brick of before.filter((each) => !after.some((other) => isAt(each, other)))) {
    found.stale.delete(brick.path);
    state.node(brick.node).running.delete(brick.path);
  }
  found.bricks = after;
  // Arbiter or not, and how many: what a volume is follows from its bricks.
  found.shape = { ...found.shape, layout: layoutOf(found) };
  for (const { node: each } of after) if (state.reaches(node.name, each)) startBricks(state, found, each);
}

function layoutOf({ shape, bricks }: FakeVolume): FakeVolume['shape']['layout'] {
  if ((shape.sets ?? 1) > 1 || isDispersed(shape.layout)) return shape.layout;
  if (bricks.length === 1) return 'single';
  return bricks.some((brick) => brick.isArbiter) ? 'arbiter' : 'replicated';
}

function isAt(a: BrickPlace, b: BrickPlace): boolean {
  return a.node === b.node && a.path === b.path;
}
