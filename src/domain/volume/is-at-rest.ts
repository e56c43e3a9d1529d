/** Whether a volume waits for nothing that a node without a part of it could bring. */
import type { Volume, VolumeStatus } from '../../schemas/volume.ts';
import { findCondition } from '../find-condition.ts';

/** Why a volume that is as its layout wants it may have no spare copy. */
const BY_DESIGN = ['SingleCopy', 'NoSpareCopy'];

/**
 * True for a volume that is as it was asked for, and whose controller has said so: then only its own nodes matter to it.
 * False whenever that is not certain: a volume that waits for a place, for room, for a node that may look after its share,
 * for a repair or a move, may get on by any node.
 */
export function isAtRest({ metadata, spec, status }: Volume): boolean {
  if (metadata.deletionTimestamp !== undefined || spec.share !== undefined || status === undefined) return false;
  // Of the condition, which the controller writes: agents write the status too.
  const isSeen = findCondition({ status }, 'Ready')?.observedGeneration === metadata.generation;
  return isSeen && status.phase === 'Ready' && isAsWanted(status);
}

function isAsWanted({ conditions = [] }: VolumeStatus): boolean {
  return conditions.every(({ type, status, reason }) => {
    return status === 'True' || (type === 'Redundant' && BY_DESIGN.includes(reason));
  });
}
