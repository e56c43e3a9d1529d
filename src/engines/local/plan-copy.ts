/** What to do about one local copy on this node. Pure. */
import { describeBytes } from '../../domain/bytes.ts';
import { poolBytesOf } from '../../domain/volume/copy-size.ts';
import type { DesiredCopy } from '../../ports/engine.ts';
import { isTooSmall } from '../image/observe-image.ts';
import type { RefuseStep } from '../image/step-table.ts';
import type { ObservedLocalCopy } from './observe-copy.ts';
import { detachStep, identifyOwned, type LocalCopyStep, type LocalDeviceStep } from './steps.ts';

type Steps = readonly (LocalCopyStep | LocalDeviceStep | RefuseStep)[];

/** Plans the steps from what is there to a ready copy, or to nothing at all. */
export function planLocalCopy(desired: DesiredCopy, observed: ObservedLocalCopy): Steps {
  if (!desired.isPresent) return planRemoval(desired, observed);
  if (observed.state === 'ready') return planGrowth(desired, observed);
  if (observed.state === 'broken') return planRepair(desired, observed);
  if (isLost(desired, observed)) return [refuseLost(desired)];
  return planCreation(desired, observed);
}

function planCreation(desired: DesiredCopy, observed: ObservedLocalCopy): Steps {
  const { volume, poolPath, source } = desired;
  const copy = identifyOwned(desired);
  const make: LocalCopyStep = { step: 'makeBrick', copy, about: `make the folder of ${volume} in ${poolPath}` };
  if (desired.brick === 'directory') return [make];
  const size = poolBytesOf(desired, desired.sizeBytes);
  const image: LocalCopyStep =
    source === undefined
      ? {
          step: 'makeImage',
          copy,
          imageBytes: size,
          about: `reserve ${describeBytes(size)} in ${poolPath} for ${volume}`,
        }
      : {
          ...{ step: 'cloneImage', copy, source, imageBytes: size },
          about: `make ${volume} from the image of snapshot ${source.snapshotUid}`,
        };
  // Nothing of it is used before it is attached; see attachDevice.
  if (desired.brick === 'block') return observed.hasImage === true ? [] : [image];
  const mount: LocalCopyStep = { step: 'mountImage', copy, about: `mount the image of ${volume}` };
  return [...(observed.hasImage === true ? [] : [image]), ...(observed.isMounted === true ? [] : [mount]), make];
}

function planGrowth(desired: DesiredCopy, observed: ObservedLocalCopy): Steps {
  if (desired.brick === 'directory') return [];
  const wanted = poolBytesOf(desired, desired.sizeBytes);
  const { imageBytes: had = wanted, fileSystemBytes = had } = observed;
  const isSmall = desired.brick === 'block' ? fileSystemBytes < wanted : isTooSmall(desired, observed, wanted);
  if (!isSmall) return [];
  const about = `grow ${desired.volume} to ${describeBytes(desired.sizeBytes)}`;
  return [{ step: 'growImage', copy: identifyOwned(desired), imageBytes: wanted, about }];
}

/**
 * Nothing is there of a copy that held the volume: its disk was exchanged, or the pool's file system is not mounted and this
 * is the empty folder below it. There is no other copy: one made anew would show an empty volume where there was data.
 */
function isLost(desired: DesiredCopy, observed: ObservedLocalCopy): boolean {
  if (desired.isInUse !== true) return false;
  return observed.state === 'absent' || (desired.brick !== 'directory' && observed.hasImage !== true);
}

function refuseLost({ copyUid, volume, poolPath }: DesiredCopy): RefuseStep {
  return {
    ...{ step: 'refuse', kind: 'dataLoss', reason: 'CopyLost', resource: `copy ${copyUid} of volume ${volume}` },
    about: `${volume} is lost, or out of sight: nothing of it is in ${poolPath}, and there is no other copy`,
    hint: `see with "findmnt --target ${poolPath}" whether the disk that held it is mounted there, and mount it; else restore a backup into a new volume`,
  };
}

function planRepair(desired: DesiredCopy, observed: ObservedLocalCopy): Steps {
  const copy = identifyOwned(desired);
  const { volume } = desired;
  if (observed.isShutDown === true) {
    return [
      { step: 'unmountImage', copy, about: `unmount the image of ${volume}, whose file system met an error` },
      { step: 'mountImage', copy, about: `check the image of ${volume} and mount it anew` },
      { step: 'makeBrick', copy, about: `look at the folder of ${volume}` },
    ];
  }
  return [
    {
      ...{ step: 'refuse', kind: 'precondition', reason: 'CopyBroken', resource: `copy ${copy.copyUid} of ${volume}` },
      about: observed.message ?? `${observed.brickPath} cannot be read`,
      hint: 'move away what is not ours, or repair the disk',
    },
  ];
}

function planRemoval(desired: DesiredCopy, observed: ObservedLocalCopy): Steps {
  if (observed.state === 'absent') return [];
  const copy = identifyOwned(desired);
  const { volume, poolPath } = desired;
  const unmount: LocalCopyStep = { step: 'unmountImage', copy, about: `unmount the image of ${volume}` };
  const erase: LocalCopyStep = { step: 'eraseCopy', copy, about: `erase ${volume} in ${poolPath}` };
  if (desired.brick === 'block' && observed.isAttached === true) {
    return [detachStep({ volume, copyPath: observed.brickPath }), erase];
  }
  return observed.isMounted === true ? [unmount, erase] : [erase];
}
