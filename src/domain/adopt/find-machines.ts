/** The machines of a pool that others made, as nodes of the plan. Pure. */
import type { PlanNode } from '../../schemas/plan-file.ts';
import { labelFault } from '../names.ts';
import { nodeNameOf } from '../plan/node-name.ts';
import type { SeenPeer } from './seen-pool.ts';

export interface Machine {
  readonly id: string;
  /** Undefined where it cannot be one; then the notice says why. */
  readonly node?: PlanNode;
  readonly isPlanned: boolean;
  readonly notice?: string;
}

/** Each machine as a node: the one that the plan has for it, or a new one; no two of them the same. */
export function findMachines(peers: readonly SeenPeer[], planned: readonly PlanNode[]): readonly Machine[] {
  const used = new Set(planned.map((node) => nodeNameOf(node.host)));
  return peers.map((peer) => {
    const machine = findMachine(peer, planned);
    if (machine.node === undefined || machine.isPlanned) return machine;
    const name = nodeNameOf(machine.node.host);
    if (!used.has(name)) {
      used.add(name);
      return machine;
    }
    const why = `${machine.node.host} would be the node ${name}, and so would another machine; write both into the plan first`;
    return cannotBe(peer, why);
  });
}

function findMachine(peer: SeenPeer, planned: readonly PlanNode[]): Machine {
  const known = planned.find((node) => isMachine(peer, node));
  const away = `${peer.names[0] ?? peer.id} is not connected to the pool now; Holdfast waits for it when the plan is applied`;
  const notice = peer.isConnected ? {} : { notice: away };
  if (known !== undefined) return { id: peer.id, node: known, isPlanned: true, ...notice };
  const host = hostNameOf(peer.names);
  const all = peer.names.join(', ') || peer.id;
  if (host === undefined) {
    return cannotBe(
      peer,
      `the pool knows ${all} by no host name; write it into the plan first, with a name and its ip`,
    );
  }
  if (peer.address === undefined) {
    return cannotBe(peer, `the name ${host} resolves to no address; write the node into the plan first`);
  }
  return { id: peer.id, node: { host, ip: peer.address }, isPlanned: false, ...notice };
}

function cannotBe({ id }: SeenPeer, why: string): Machine {
  return { id, isPlanned: false, notice: `${why}: what is on it cannot be adopted` };
}

/** By any of its names and addresses. */
function isMachine({ names, address }: SeenPeer, node: PlanNode): boolean {
  const known: readonly (string | undefined)[] = [node.host, nodeNameOf(node.host), node.ip, node.internalip];
  return names.some((name) => known.includes(name)) || (address !== undefined && known.includes(address));
}

/** A plain name if it has one, else a full one, whose first label is the node's name. */
function hostNameOf(names: readonly string[]): string | undefined {
  const usable = names.filter((name) => !isAddress(name) && labelFault(nodeNameOf(name)) === undefined);
  return usable.find((name) => labelFault(name) === undefined) ?? usable[0];
}

/** An address is no name; nor is a number, which programs take for one. */
function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || name.includes(':');
}
