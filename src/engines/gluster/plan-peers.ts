/** Which machines to join to the trusted pool, to make known by name, or to take out of it. Pure. */
import type { DesiredPeers, ObservedPeer, ObservedPeers } from '../../ports/engine.ts';
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
  return steps.length > 0 ? steps : planDetachments(desired, observed);
}

/**
 * Takes out who is a member no more. Invariants: no brick of any volume is there, and every other machine of the pool
 * answers, or it would miss that, and tell it the others as one of theirs when it is back.
 *
 * Machines that are gone for good count in the server quorum, and with one of them away no volume is ever deleted.
 */
function planDetachments(
  { members, leaving = [], mayInvite }: DesiredPeers,
  { peers, brickHosts }: ObservedPeers,
): readonly PeerStep[] {
  if (leaving.length === 0 || mayInvite === false || brickHosts === undefined) return [];
  const isLeaving = (peer: ObservedPeer) =>
    peer.names.some((name) => leaving.includes(name)) && !peer.names.some((name) => members.includes(name));
  const staying = peers.filter((peer) => !isLeaving(peer));
  if (!staying.every((peer) => peer.isConnected && peer.isMember)) return [];
  const isUsed = (peer: ObservedPeer) => [peer.uuid, ...peer.names].some((name) => brickHosts.includes(name));
  const going = peers.filter((peer) => isLeaving(peer) && !isUsed(peer));
  // One step for each look: the next has to see the pool without it.
  const [peer] = going;
  const node = peer?.names.find((name) => leaving.includes(name));
  if (peer === undefined || node === undefined) return [];
  const isAnotherAway = peers.some((other) => other !== peer && !other.isConnected);
  const answering = peers.filter((other) => other.isConnected).length + 1;
  const hasQuorum = answering * 2 > peers.length + 1;
  return [
    { step: 'detachPeer', node, isForced: isAnotherAway || !hasQuorum, about: `take ${node} out of the trusted pool` },
  ];
}
