/** A volume in a person's words: how it is and why, from what the controllers and agents recorded. */

import type { Volume } from '../../schemas/volume.ts';
import { findCondition } from '../find-condition.ts';

/** The phase, also of a volume that no controller has looked at yet. */
export function phaseOf(volume: Volume): NonNullable<NonNullable<Volume['status']>['phase']> {
  if (volume.metadata.deletionTimestamp !== undefined) return 'Deleting';
  return volume.status?.phase ?? 'Pending';
}

/** The condition that says most about the present state: why it is not ready, else how redundant it is. */
export function stateMessage(volume: Volume): string {
  const [ready, redundant] = [findCondition(volume, 'Ready'), findCondition(volume, 'Redundant')];
  if (ready === undefined) return 'no controller has looked at it yet';
  if (ready.status !== 'True' || redundant === undefined) return ready.message;
  return redundant.message;
}

/** True when placement found no place for the volume's copies. */
export function isBlocked(volume: Volume): boolean {
  return volume.status?.phase === 'Pending' && findCondition(volume, 'Ready')?.reason === 'NoPlaceForCopies';
}

/** Copies by role, as in "3 data" or "2 data + 1 arbiter". */
export function describeCopies(roles: readonly ('data' | 'arbiter')[]): string {
  const data = roles.filter((role) => role === 'data').length;
  const arbiters = roles.length - data;
  return arbiters === 0 ? `${data} data` : `${data} data + ${arbiters} arbiter`;
}
