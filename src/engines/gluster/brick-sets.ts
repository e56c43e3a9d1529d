/** The sets that the bricks of a volume form: consecutive ones belong together. */
import { AppError } from '../../domain/errors.ts';
import type { DesiredVolume } from '../../ports/engine.ts';
import type { VolumeShape } from './steps.ts';

/**
 * Cuts bricks, in the engine's order, into their sets.
 *
 * @throws {AppError} invalid, when they are not as many in each set
 */
export function brickSets<Brick>(bricks: readonly Brick[], { layout, sets = 1 }: VolumeShape): readonly Brick[][] {
  const size = bricks.length / sets;
  if (size < 1 || !Number.isInteger(size)) {
    throw new AppError('invalid', `${bricks.length} bricks are no ${sets} equal sets of layout ${layout}`, {
      reason: 'LayoutMismatch',
      hint: 'place the volume anew',
    });
  }
  return Array.from({ length: sets }, (_, set) => bricks.slice(set * size, (set + 1) * size));
}

/** How many bricks of a set of so many must serve: all that hold data by themselves, enough fragments, else more than half. */
export function setQuorum({ redundancy = 0, ...shape }: VolumeShape, size: number): number {
  return isDispersed(shape.layout) ? size - redundancy : Math.floor(size / 2) + 1;
}

/** Any brick of it may be lost without loss of data. */
export function isRedundant(layout: DesiredVolume['layout']): boolean {
  return layout !== 'single' && layout !== 'distributed';
}

/** Its bricks hold coded fragments. */
export function isDispersed(layout: DesiredVolume['layout']): boolean {
  return layout === 'dispersed' || layout === 'distributed-dispersed';
}
