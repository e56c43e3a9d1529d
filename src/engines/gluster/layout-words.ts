/** How `volume create` is told the layout, of bricks that fit it. Pure. */
import { AppError } from '../../domain/errors.ts';
import type { DesiredBrick, DesiredVolume } from '../../ports/engine.ts';
import type { VolumeShape } from './steps.ts';

interface BrickSet {
  readonly size: number;
  readonly redundancy: number;
}

/** What each set of bricks has to be, and the words for it. */
interface SetKind {
  readonly fits: (set: BrickSet) => boolean;
  readonly words: (set: BrickSet) => readonly string[];
}

interface LayoutRule extends SetKind {
  /** For people: what is needed. */
  readonly needs: string;
  readonly hasOneSet?: true;
}

const ONE_COPY: SetKind = { fits: ({ size }) => size === 1, words: () => [] };
const REPLICAS: SetKind = { fits: ({ size }) => size >= 2, words: ({ size }) => ['replica', String(size)] };
const DISPERSE: SetKind = {
  fits: ({ size, redundancy }) => redundancy >= 1 && size > 2 * redundancy,
  words: ({ size, redundancy }) => ['disperse', String(size), 'redundancy', String(redundancy)],
};

const RULES: Readonly<Record<DesiredVolume['layout'], LayoutRule>> = {
  single: { ...ONE_COPY, needs: 'one data copy', hasOneSet: true },
  distributed: { ...ONE_COPY, needs: 'sets of one data copy' },
  arbiter: {
    fits: ({ size }) => size === 3,
    words: () => ['replica', '3', 'arbiter', '1'],
    needs: 'two data copies and then the arbiter',
  },
  replicated: { ...REPLICAS, needs: 'two or more data copies', hasOneSet: true },
  'distributed-replicated': { ...REPLICAS, needs: 'sets of two or more data copies' },
  dispersed: { ...DISPERSE, needs: 'more than twice as many copies as may be lost', hasOneSet: true },
  'distributed-dispersed': { ...DISPERSE, needs: 'sets of more than twice as many copies as may be lost' },
};

/** The words of the layout for `volume create`. @throws {AppError} invalid, when the bricks do not fit the layout */
export function layoutWords(volume: string, shape: VolumeShape, bricks: readonly DesiredBrick[]): readonly string[] {
  const { layout, sets = 1, redundancy = 0 } = shape;
  const rule = RULES[layout];
  const refuse = (expected: string): AppError =>
    new AppError('invalid', `volume ${volume}: layout ${layout} needs ${expected}, not ${describe(bricks)}`, {
      resource: `volume ${volume}`,
      reason: 'LayoutMismatch',
      hint: 'place the volume anew',
    });
  const size = bricks.length / sets;
  if (size < 1 || !Number.isInteger(size)) throw refuse(`${sets} sets of equally many copies`);
  const eachSet = Array.from({ length: sets }, (_, set) => bricks.slice(set * size, (set + 1) * size));
  // Gluster would refuse this too, but not with `force`.
  if (!eachSet.every(isSpread)) throw refuse('each copy of a set on a node of its own');
  const areArbitersRight = layout === 'arbiter' ? eachSet.every(isLed) : !bricks.some((brick) => brick.isArbiter);
  const areSetsRight = sets === 1 || rule.hasOneSet !== true;
  if (!areArbitersRight || !areSetsRight || !rule.fits({ size, redundancy })) throw refuse(rule.needs);
  return rule.words({ size, redundancy });
}

function isSpread(set: readonly DesiredBrick[]): boolean {
  return new Set(set.map((brick) => brick.node)).size === set.length;
}

/** Gluster takes the last brick of each set as the arbiter. */
function isLed(set: readonly DesiredBrick[]): boolean {
  return set.map((brick) => brick.isArbiter).join() === 'false,false,true';
}

function describe(bricks: readonly DesiredBrick[]): string {
  return bricks.map((brick) => `${brick.node}${brick.isArbiter ? ' (arbiter)' : ''}`).join(', ') || 'none';
}
