/** What it means when a peer of GlusterFS is neither a stranger nor a member, by what glusterd calls that. Pure. */

/** One node's glusterd knows another in a state that is not "Peer in Cluster" (3). */
export interface HalfMember {
  readonly from: string;
  readonly to: string;
  readonly stateText: string;
}

interface Advice {
  readonly meaning: string;
  readonly fix: string;
}

/**
 * The states by the names that glusterd gives them (xlators/mgmt/glusterd/src/glusterd-sm.c, release 10). Those of a joining
 * pass within seconds: found again a minute later, the handshake was interrupted, and none of the two begins it anew.
 *
 * @returns undefined for a state of which nothing more is known than that it is none of a member
 */
export function adviseOnHalf({ from, to, stateText }: HalfMember): Advice | undefined {
  const restart = (node: string) =>
    `run holdfast doctor again in a minute; found again, on ${node}: systemctl restart glusterd (volumes go on meanwhile)`;
  switch (stateText) {
    case 'Sent and Received peer request':
      return {
        meaning: `state 5: ${from} and ${to} have both begun to join, and one of them was restarted in between; each waits for the other's answer`,
        fix: `${restart(to)}; if it stays: the same on ${from}`,
      };
    case 'Accepted peer request':
    case 'Peer is connected and Accepted':
      return {
        meaning: `${stateText === 'Accepted peer request' ? 'state 4' : 'state 10'}: ${from} has accepted ${to}, which has not confirmed it`,
        fix: restart(to),
      };
    case 'Probe Sent to Peer':
    case 'Establishing Connection':
    case 'Connected to Peer':
      return {
        meaning: `${from} has asked ${to} to join, and has no answer yet`,
        fix: `${restart(from)}; and see that ${to} reaches port 24007 of ${from}`,
      };
    case 'Probe Received from Peer':
    case 'Probe Received from peer':
      return {
        meaning: `${to} has asked ${from} to join, and has not gone on`,
        fix: restart(to),
      };
    case 'Peer Rejected':
      return {
        meaning: `state 6: ${from} and ${to} describe a volume differently, so each refuses the other; one of them missed a change while it was away`,
        fix: `on the one that was away (the other members agree with each other): systemctl restart glusterd; if it stays rejected, stop glusterd there, move /var/lib/glusterd away, start it, and: holdfast node rejoin NAME`,
      };
    case 'Peer detach in progress':
      return {
        meaning: `state 7: ${from} was told to take ${to} out of the pool, and has not ended that`,
        fix: `on ${from}: systemctl restart glusterd; then take it out with gluster peer detach ${to}, or let the agents join it again`,
      };
    default:
      return undefined;
  }
}
