/**
 * Changes what a volume is made of. Each command is one transaction of glusterd; refused because an agent that died had
 * asked for the same, it counts as done when the volume is seen to be so.
 */
import { parseEngineVolumeName, parseNodeName } from '../../domain/names.ts';
import { plainPath } from '../image/paths.ts';
import type { Change, VolumeActions } from './apply-volume.ts';
import { type Argv, gluster } from './command.ts';
import type { VolumeInfo } from './parse.ts';
import type { BrickPlace } from './steps.ts';

/** The actions on the bricks of a volume. */
export function memberActions(
  change: (request: Change) => Promise<void>,
): Pick<VolumeActions, 'replaceBrick' | 'addBrick' | 'removeBrick'> {
  return {
    replaceBrick: ({ volume, old, brick, about }, signal) =>
      change({
        ...{ volume, about, signal },
        argv: replaceBrickArgv(volume, old, brick),
        isDone: (info) => hasBrick(info, brick) && !hasBrick(info, old),
      }),
    addBrick: ({ volume, bricks, brick, about }, signal) =>
      change({
        ...{ volume, about, signal },
        argv: addBrickArgv(volume, bricks, brick),
        isDone: (info) => hasBrick(info, brick),
      }),
    removeBrick: ({ volume, bricks, brick, about }, signal) =>
      change({
        ...{ volume, about, signal },
        argv: removeBrickArgv(volume, bricks, brick),
        isDone: (info) => info !== undefined && !hasBrick(info, brick),
      }),
  };
}

/**
 * `replace-brick`: the only form that 10.3 has is "commit force". It works with the old brick's node down, and notes on the
 * other bricks of the set that the new one lacks everything, before any client sees it.
 */
export function replaceBrickArgv(volume: string, old: BrickPlace, brick: BrickPlace): Argv {
  return gluster('volume', 'replace-brick', parseEngineVolumeName(volume), word(old), word(brick), 'commit', 'force');
}

/** `add-brick` that makes one more copy of everything, or the arbiter. `force`: for a pool on the root file system. */
export function addBrickArgv(
  volume: string,
  bricks: number,
  brick: BrickPlace & { readonly isArbiter: boolean },
): Argv {
  const arbiter = brick.isArbiter ? ['arbiter', '1'] : [];
  return gluster(
    'volume',
    'add-brick',
    parseEngineVolumeName(volume),
    'replica',
    String(bricks),
    ...arbiter,
    word(brick),
    'force',
  );
}

/** `remove-brick` of one copy of everything; `force` since nothing is to be moved off it. */
export function removeBrickArgv(volume: string, bricks: number, brick: BrickPlace): Argv {
  return gluster(
    'volume',
    'remove-brick',
    parseEngineVolumeName(volume),
    'replica',
    String(bricks),
    word(brick),
    'force',
  );
}

function word({ node, path }: BrickPlace): string {
  return `${parseNodeName(node)}:${plainPath(path, 'brick path')}`;
}

function hasBrick(info: VolumeInfo | undefined, { node, path }: BrickPlace): boolean {
  return info?.bricks.some((brick) => brick.node === node && brick.path === path) === true;
}
