/** From observed to desired, for each subject. Pure; the simulator plans with the same functions. */
import type { Desired, Observed, Subject } from '../../ports/engine.ts';
import { planAttachment } from './plan-attachment.ts';
import { planCopy } from './plan-copy.ts';
import { planIdentity } from './plan-identity.ts';
import { planPeers } from './plan-peers.ts';
import { planVolume } from './plan-volume.ts';
import type { GlusterStep } from './steps.ts';

type Planners = { readonly [S in Subject]: (desired: Desired<S>, observed: Observed<S>) => readonly GlusterStep[] };

const PLANNERS: Planners = {
  peers: planPeers,
  identity: planIdentity,
  copy: planCopy,
  volume: planVolume,
  attachment: planAttachment,
};

/** The steps from observed to desired, in order; empty when nothing is to be done. */
export function planGluster<S extends Subject>(
  desired: Desired<S> & { readonly subject: S },
  observed: Observed<S>,
): readonly GlusterStep[] {
  return PLANNERS[desired.subject](desired, observed);
}
