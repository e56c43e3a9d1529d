/** Which machines to join to the trusted pool, or to make known by name. Pure. */
import type { DesiredPeers, ObservedPeers } from '../../ports/engine.ts';
import type { PeerStep } from './steps.ts';

/**
 * Plans one probe per member that this node's glusterd does not know by name.
 *
 * A node that was joined by another knows that one by its address only; probing it back by name adds the name.
 * Only the anchor joins new members: a probe from a node outside the pool would begin a second pool.
 */
export function planPeers(desired: DesiredPeers, observed: ObservedPeers): readonly PeerStep[] {
  const steps: PeerStep[] = [];
  for (const member of desired.members) {
    if (member === desired.self) continue;
    if (observed.peers.some((peer) => peer.names.includes(member))) continue;
    const addresses = observed.addresses?.[member] ?? [];
    const unnamed = observed.peers.find((peer) => peer.names.some((name) => addresses.includes(name)));
    if (unnamed !== undefined) {
      steps.push({ step: 'probePeer', node: member, about: `name the peer ${unnamed.names[0]} as ${member}` });
    } else if (desired.mayInvite !== false) {
      steps.push({ step: 'probePeer', node: member, about: `join ${member} to the trusted pool of ${desired.self}` });
    }
  }
  return steps;
}
