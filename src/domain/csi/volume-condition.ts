/** How a volume is, in the one bit and the sentence that CSI has for it. */
import type { Volume } from '../../schemas/volume.ts';
import { findCondition } from '../find-condition.ts';
import { stateMessage } from '../volume/describe-volume.ts';

export interface VolumeCondition {
  /** Something is wrong with it, or could be if a copy more were lost. */
  readonly isAbnormal: boolean;
  readonly message: string;
}

/** From its conditions; a volume that nobody has looked at yet is not called abnormal. */
export function volumeCondition(volume: Volume): VolumeCondition {
  const isFine = ['Ready', 'Redundant'].every((type) => findCondition(volume, type)?.status !== 'False');
  return { isAbnormal: !isFine && volume.status?.conditions !== undefined, message: stateMessage(volume) };
}
