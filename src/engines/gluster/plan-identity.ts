/**
 * How the glusterd of a machine that was installed anew becomes the member that the others know. Pure.
 *
 * Invariants (`plan-identity.test.ts`): a glusterd that has peers or volumes is never given another identity, and only the
 * one that was seen blank when a person asked for it takes one.
 */
import type { DesiredIdentity, ObservedIdentity } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';
import type { IdentityStep } from './steps.ts';

/** Plans the next steps; none while what comes next is not there yet, and none for a glusterd that is not meant. */
export function planIdentity(
  desired: DesiredIdentity,
  observed: ObservedIdentity,
): readonly (IdentityStep | RefuseStep)[] {
  const { self, id, blankId, peers } = desired;
  // It would stay a pool of its own, with the identity of another.
  if (peers.length === 0) return [];
  if (observed.id !== id) {
    // Installed anew once more: a person has to ask again, for what may be lost now was not asked about.
    if (observed.id !== blankId) return [];
    if (!observed.isBlank) return [refuse(desired)];
    const about = `give glusterd on ${self} the identity ${id} of the lost one`;
    return [{ step: 'takeIdentity', id, blankId, peers, about }];
  }
  if (!observed.isUnderWay) return [];
  const isPoolKnown = peers.every((peer) => observed.peerIds.includes(peer.id));
  if (!observed.isRunning || !isPoolKnown) {
    return [{ step: 'learnAnew', peers, about: `let glusterd on ${self} learn the volumes from the beginning` }];
  }
  if (desired.volumes.some((volume) => !observed.volumes.includes(volume))) return [];
  return [{ step: 'finishIdentity', about: `count on glusterd on ${self}, which has learned all volumes` }];
}

function refuse({ self, blankId }: DesiredIdentity): RefuseStep {
  return {
    step: 'refuse',
    kind: 'precondition',
    resource: `node ${self}`,
    reason: 'EngineNotBlank',
    about: `glusterd on ${self} has joined a pool or holds volumes as ${blankId}, and keeps that identity`,
    hint: `see them with "gluster pool list" and "gluster volume list" on ${self}; what is not needed has to be removed there first`,
  };
}
