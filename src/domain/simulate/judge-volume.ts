/** How a volume stands, in the controller's judgement, on the objects as they are or as they would be. */
import type { Volume } from '../../schemas/volume.ts';
import type { Claim } from '../claim.ts';
import { decideVolume, type SeenVolume } from '../volume/decide-volume.ts';
import { judgeSets } from '../volume/judge-health.ts';
import { seeVolume } from './see-volume.ts';
import type { StoredCluster } from './stored-cluster.ts';

/**
 * redundant: any one copy may be lost; served: readable and writable, but not that; unavailable: in a set fewer copies than
 * its quorum, so GlusterFS refuses reads as well as writes of what lies there; notReady: not made yet, or being removed.
 */
export type Outcome = 'redundant' | 'served' | 'unavailable' | 'notReady';

export interface VolumeJudgement {
  readonly outcome: Outcome;
  /** The sentence behind it: of the condition Ready when the volume is not served, else of Redundant. */
  readonly message: string;
  readonly copies: number;
  readonly serving: number;
  /** Copies, whichever, that may be lost before the volume stops being served; 0 while entries are healed. */
  readonly spareCopies: number;
  /** Entries that are not the same on all copies, as the engine last said. */
  readonly unhealed: number;
}

/** Asks `decideVolume` about a volume. One that is to be deleted but still mounted goes on being used, and is judged so. */
export function judgeVolume(stored: StoredCluster, volume: Volume): VolumeJudgement {
  const seen = seeVolume(stored, volume);
  // As decideVolume has it: a removal once begun goes on, whatever is mounted since.
  const isKept = seen.isDeleting && seen.attachments.length > 0 && seen.status.phase !== 'Deleting';
  const { claims } = decideVolume(isKept ? { ...seen, isDeleting: false } : seen);
  const counts = countCopies(seen);
  const { outcome, message } = judgeClaims(claims);
  return { ...counts, outcome, message, spareCopies: isServed(outcome) ? counts.spareCopies : 0 };
}

/** True for a volume that can be read and written. */
export function isServed(outcome: Outcome): boolean {
  return outcome === 'redundant' || outcome === 'served';
}

function judgeClaims(claims: readonly Claim[]): Pick<VolumeJudgement, 'outcome' | 'message'> {
  const ready = claims.find((claim) => claim.type === 'Ready');
  const redundant = claims.find((claim) => claim.type === 'Redundant');
  // No claim at all: nothing is left of a volume that was deleted.
  if (ready === undefined) return { outcome: 'notReady', message: 'nothing is left of it' };
  if (ready.status === 'True') {
    const outcome = redundant?.status === 'True' ? 'redundant' : 'served';
    return { outcome, message: redundant?.message ?? ready.message };
  }
  return { outcome: ready.reason === 'NoQuorum' ? 'unavailable' : 'notReady', message: ready.message };
}

function countCopies(seen: SeenVolume): Omit<VolumeJudgement, 'outcome' | 'message'> {
  const { placement = [], engine } = seen.status;
  const bricks = engine?.bricks ?? [];
  const sets = judgeSets(seen, placement);
  const serving = sets.reduce((sum, set) => sum + set.serving, 0);
  const unhealed = bricks.reduce((sum, brick) => sum + (brick.pendingHeals ?? 0) + (brick.splitBrainEntries ?? 0), 0);
  // All may be lost in the same set. While entries differ nobody can say which copy would be missed.
  const spare = Math.min(...sets.map((set) => set.serving - set.quorum));
  return { copies: placement.length, serving, unhealed, spareCopies: unhealed > 0 ? 0 : Math.max(0, spare) };
}
