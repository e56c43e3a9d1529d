/** What to do about one copy on this node. Pure. */
import { describeBytes } from '../../domain/bytes.ts';
import { poolBytesOf } from '../../domain/volume/copy-size.ts';
import type { DesiredCopy, ObservedCopy } from '../../ports/engine.ts';
import { isTooSmall, type SeenImage } from '../image/observe-image.ts';
import { identify } from '../image/paths.ts';
import type { RefuseStep } from '../image/step-table.ts';
import type { BlankBrick } from './blank-brick.ts';
import type { CopyStep } from './steps.ts';

/** What the gluster engine sees of a copy, beside what every engine reports. */
export interface ObservedGlusterCopy extends ObservedCopy, SeenImage {
  /** The mounted file system has shut itself down after an error; it may come back when mounted anew. */
  readonly isShutDown?: boolean;
  /** Its process runs, and glusterd tells no client where. */
  readonly hasLostPort?: boolean;
  /** GlusterFS's own description of the volume on this node is empty: a power loss came before it was on disk. */
  readonly isUndescribed?: boolean;
  /** The brick directory is blank although a started volume counts on it. */
  readonly blank?: BlankBrick;
}

/** Plans the steps from what is there to a ready copy, or to nothing at all. */
export function planCopy(desired: DesiredCopy, observed: ObservedGlusterCopy): readonly (CopyStep | RefuseStep)[] {
  if (desired.adopted !== undefined) return planAdopted(desired, observed);
  if (!desired.isPresent) return planRemoval(desired, observed);
  if (observed.isUndescribed === true) return [planRewrite(desired)];
  if (observed.hasLostPort === true) return [planReconnect(desired)];
  if (observed.state === 'ready') return planGrowth(desired, observed);
  if (observed.state === 'broken') return planRepair(desired, observed);
  return isLost(desired, observed) ? [refuseLost(desired)] : planMaking(desired, observed);
}

function planMaking(desired: DesiredCopy, observed: ObservedGlusterCopy): readonly CopyStep[] {
  const copy = identify(desired);
  const steps: CopyStep[] = [];
  if (desired.brick === 'image') {
    if (observed.hasImage !== true && desired.source !== undefined) {
      const { volume, source } = desired;
      const about = `make the copy of ${volume} from the image of snapshot ${source.snapshotUid}`;
      steps.push({
        step: 'cloneImage',
        copy,
        volume,
        source,
        imageBytes: poolBytesOf(desired, desired.sizeBytes),
        about,
      });
    } else if (observed.hasImage !== true) {
      const size = poolBytesOf(desired, desired.sizeBytes);
      const about = `reserve ${describeBytes(size)} in ${desired.poolPath} for a copy of ${desired.volume}`;
      steps.push({ step: 'makeImage', copy, imageBytes: size, about });
    }
    if (observed.isMounted !== true) {
      steps.push({ step: 'mountImage', copy, about: `mount the copy of ${desired.volume}` });
    }
  }
  steps.push({ step: 'makeBrick', copy, about: `make the brick directory of ${desired.volume}` });
  return steps;
}

/**
 * Invariant: no step is ever planned for an adopted directory. It is there, or a person has to see to it; one that is to
 * go is forgotten.
 */
function planAdopted(desired: DesiredCopy, observed: ObservedGlusterCopy): readonly RefuseStep[] {
  if (!desired.isPresent || observed.state === 'ready') return [];
  const about = observed.message ?? `the adopted directory ${observed.brickPath} is not there`;
  const hint = `see with "findmnt --target ${observed.brickPath}" what is mounted there; Holdfast never makes or mounts an adopted directory`;
  return [refuseCopy(desired, about, 'AdoptedCopyMissing', hint)];
}

function planGrowth(desired: DesiredCopy, observed: ObservedGlusterCopy): readonly CopyStep[] {
  if (desired.brick !== 'image') return [];
  const wanted = poolBytesOf(desired, desired.sizeBytes);
  if (!isTooSmall(desired, observed, wanted)) return [];
  const about = `grow the copy of ${desired.volume} to ${describeBytes(desired.sizeBytes)}`;
  return [{ step: 'growImage', copy: identify(desired), imageBytes: wanted, about }];
}

/**
 * Nothing is there of a copy that was ready and is counted on: its disk was exchanged, or the pool's file system is not
 * mounted and this is the empty folder below it. Made anew it would be filled from the others, and when the old disk comes
 * back with the brick of before, GlusterFS would take what is outdated there for current.
 */
function isLost(desired: DesiredCopy, observed: ObservedGlusterCopy): boolean {
  if (desired.isInUse !== true) return false;
  // A folder and an image are on disk before the copy is ever called ready, so no power loss takes them away.
  return observed.state === 'absent' || (desired.brick === 'image' && observed.hasImage !== true);
}

function refuseLost(desired: DesiredCopy): RefuseStep {
  const { volume, poolPath } = desired;
  const about = `the copy of ${volume} is lost, or out of sight: nothing of it is in ${poolPath}`;
  const hint = `see with "findmnt --target ${poolPath}" whether the disk that held it is mounted there, and mount it; if the disk is gone, replace the copy`;
  return { ...refuseCopy(desired, about, 'CopyLost', hint), kind: 'dataLoss' };
}

function planRepair(desired: DesiredCopy, observed: ObservedGlusterCopy): readonly (CopyStep | RefuseStep)[] {
  if (observed.isShutDown === true) return planRemount(desired);
  if (observed.blank?.isRedundant === true) {
    const { volume } = desired;
    const about = `fill the blank copy of ${volume} on ${observed.blank.node} from the others`;
    return [{ step: 'rebuildBrick', copy: identify(desired), volume, about }];
  }
  const about = observed.message ?? `the copy in ${observed.brickPath} cannot be read`;
  return [refuseCopy(desired, about, 'CopyBroken', 'replace the copy, or repair its disk and let the node restart')];
}

function planRewrite({ volume }: DesiredCopy): CopyStep {
  const about = `let GlusterFS write its description of ${volume} anew, which a power loss left empty`;
  return { step: 'rewriteVolumeFiles', volume, about };
}

/** `start force` leaves a process that runs as it is; without one the anchor starts another, which registers its port. */
function planReconnect(desired: DesiredCopy): CopyStep {
  const { volume } = desired;
  const about = `end the brick process of ${volume} that glusterd sends no client to`;
  return { step: 'endLostBrick', copy: identify(desired), volume, about };
}

/** The brick process holds on to the dead file system, and XFS mounts none twice: it goes first. The anchor restarts it. */
function planRemount(desired: DesiredCopy): readonly CopyStep[] {
  const copy = identify(desired);
  const { volume } = desired;
  return [
    { step: 'stopBrick', copy, volume, about: `stop the brick process of ${volume}, whose file system has shut down` },
    { step: 'unmountImage', copy, about: `unmount the copy of ${volume}` },
    { step: 'mountImage', copy, about: `mount the copy of ${volume} anew` },
    { step: 'makeBrick', copy, about: `check the brick directory of ${volume}` },
  ];
}

function planRemoval(desired: DesiredCopy, observed: ObservedGlusterCopy): readonly CopyStep[] {
  if (observed.state === 'absent') return [];
  const copy = identify(desired);
  const steps: CopyStep[] = [];
  if (observed.isMounted === true) {
    steps.push({ step: 'unmountImage', copy, about: `unmount the copy of ${desired.volume}` });
  }
  steps.push({ step: 'eraseCopy', copy, about: `erase the copy of ${desired.volume} in ${desired.poolPath}` });
  return steps;
}

function refuseCopy(desired: DesiredCopy, about: string, reason: string, hint: string): RefuseStep {
  return {
    step: 'refuse',
    kind: 'precondition',
    resource: `copy ${desired.copyUid} of volume ${desired.volume}`,
    reason,
    hint,
    about,
  };
}
