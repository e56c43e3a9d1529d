/**
 * What of a pool that others made can be taken over, as the plan file says it; and what cannot, with the reason. Pure, and
 * nothing of the pool is changed by it: what is written down is what was found.
 */

import type { PlanFile, PlanNode, PlanVolume } from '../../schemas/plan-file.ts';
import { labelFault } from '../names.ts';
import { isPlainPath } from '../paths.ts';
import { nodeNameOf } from '../plan/node-name.ts';
import { deriveLayout } from './derive-layout.ts';
import { deriveSize } from './derive-size.ts';
import type { SeenPeer, SeenPool, SeenPoolVolume } from './seen-pool.ts';

export interface AdoptionPlan {
  /** Machines that the plan does not have yet. */
  readonly nodes: readonly PlanNode[];
  /** Volumes that the plan does not have yet. */
  readonly volumes: readonly PlanVolume[];
  /** Volumes that the plan takes over already, as they are. */
  readonly known: readonly string[];
  readonly refusals: readonly { readonly volume: string; readonly reason: string }[];
  /** What a person should know, one sentence each. */
  readonly notices: readonly string[];
}

/** Decides about every machine and volume of a pool. @param plan - what the plan has already */
export function planAdoption(pool: SeenPool, plan: Pick<PlanFile, 'storage' | 'volumes'> = {}): AdoptionPlan {
  const planned = plan.storage?.nodes ?? [];
  const machines = pool.peers.map((peer) => findMachine(peer, planned));
  const found = pool.volumes.map((volume) => judge(volume, machines, plan.volumes ?? []));
  const volumes = found.flatMap((each) => ('volume' in each ? [each.volume] : []));
  const used = new Set([
    ...planned.map((node) => nodeNameOf(node.host)),
    ...volumes.flatMap((volume) => (volume.adopted?.bricks ?? []).map((brick) => brick.node)),
  ]);
  const named = machines.filter((machine) => machine.node !== undefined);
  // A machine that holds nothing is a member of the pool all the same.
  const nodes = named.flatMap(({ node, isPlanned }) => (node === undefined || isPlanned ? [] : [node]));
  const adopted = new Set(volumes.map((volume) => volume.name));
  return {
    nodes: nodes.toSorted((a, b) => (a.host < b.host ? -1 : 1)),
    volumes,
    known: found.flatMap((each) => ('known' in each ? [each.known] : [])),
    refusals: found.flatMap((each) => ('reason' in each ? [{ volume: each.name, reason: each.reason }] : [])),
    notices: [
      ...machines.flatMap(({ notice }) => (notice === undefined ? [] : [notice])),
      ...nodes.map((node) => `${node.host}: give it a pool if new volumes are to be placed on it`),
      ...found.flatMap((each) => ('notices' in each ? each.notices : [])),
      ...pool.mounts
        .filter((mount) => adopted.has(mount.volume))
        .map(({ host, volume, path }) => describeMount(host, volume, path, used.size)),
    ],
  };
}

interface Machine {
  readonly id: string;
  readonly node?: PlanNode;
  readonly isPlanned: boolean;
  readonly notice?: string;
}

/** The machine as a node of the plan: the one that the plan has for it, or a new one. */
function findMachine(peer: SeenPeer, planned: readonly PlanNode[]): Machine {
  const isIt = (node: PlanNode) =>
    peer.names.some((name) => name === node.host || name === nodeNameOf(node.host) || name === node.ip) ||
    (peer.address !== undefined && (peer.address === node.ip || peer.address === node.internalip));
  const known = planned.find(isIt);
  const away = `${peer.names[0] ?? peer.id} is not connected to the pool now; Holdfast waits for it when the plan is applied`;
  const notice = peer.isConnected ? {} : { notice: away };
  if (known !== undefined) return { id: peer.id, node: known, isPlanned: true, ...notice };
  const name = peer.names.find((each) => labelFault(each) === undefined && !/^\d+$/.test(each));
  if (name === undefined) {
    const why = `the pool knows ${peer.names.join(', ') || peer.id} by no plain host name`;
    return { id: peer.id, isPlanned: false, notice: `${why}; what is on it cannot be adopted` };
  }
  if (peer.address === undefined) {
    const why = `the name ${name} resolves to no address; write the node into the plan first`;
    return { id: peer.id, isPlanned: false, notice: `${why}: what is on it cannot be adopted` };
  }
  return { id: peer.id, node: { host: name, ip: peer.address }, isPlanned: false, ...notice };
}

type Judged =
  | { readonly name: string; readonly reason: string }
  | { readonly known: string }
  | { readonly volume: PlanVolume; readonly notices: readonly string[] };

function judge(volume: SeenPoolVolume, machines: readonly Machine[], planned: readonly PlanVolume[]): Judged {
  const { name } = volume;
  const refuse = (reason: string): Judged => ({ name, reason });
  const reason = refusalOf(volume);
  if (reason !== undefined) return refuse(reason);
  const bricks = placeBricks(volume, machines);
  if (typeof bricks === 'string') return refuse(bricks);
  const found = deriveLayout(volume);
  if (!found.ok) return refuse(found.reason);
  const size = deriveSize(volume, found.layout, found.setSize);
  if (size === undefined)
    return refuse('its size is not known while machines of it are off; try again when they are back');
  const adopted = {
    engineId: volume.id,
    bricks: [...bricks],
    ...(size.isLimit ? { limit: size.size } : {}),
  };
  const before = planned.find((each) => each.name === name);
  if (before?.adopted?.engineId === volume.id) return { known: name };
  if (before !== undefined)
    return refuse(`the plan has another volume ${name}; rename that one, or leave this one out`);
  return {
    volume: { name, size: size.size, ...found.layout, adopted },
    notices: noticesOf(volume, found.layout.allowSplitBrain === true),
  };
}

/** The bricks with the nodes that they are on; or why one of them is on none. */
function placeBricks(
  { bricks }: SeenPoolVolume,
  machines: readonly Machine[],
): readonly { readonly node: string; readonly path: string }[] | string {
  const placed: { readonly node: string; readonly path: string }[] = [];
  for (const { host, hostId, path } of bricks) {
    const machine = machines.find(({ id }) => id === hostId);
    if (machine?.node === undefined) return `its brick ${host}:${path} is on a machine that cannot be a node`;
    const node = nodeNameOf(machine.node.host);
    if (node !== host)
      return `its brick is called ${host}:${path}, and the node of that machine ${node}; GlusterFS renames no brick`;
    if (!isPlainPath(path)) return `its brick ${host}:${path} has a path that Holdfast does not take`;
    placed.push({ node, path });
  }
  return placed;
}

function refusalOf({ name, state, options, isTcp }: SeenPoolVolume): string | undefined {
  const fault = labelFault(name);
  if (fault !== undefined) return `its name ${fault}, and GlusterFS renames no volume`;
  if (state !== 'started')
    return `it is ${state}, and adopting would start it; start it first: gluster volume start ${name}`;
  if (!isTcp) return 'it is served over RDMA only';
  if (options['geo-replication.indexing'] === 'on') return 'it is replicated to another site (geo-replication)';
  if (options['features.tier'] === 'on' || options['cluster.tier-mode'] !== undefined) {
    return 'it has tiers, which GlusterFS 6 removed';
  }
  return undefined;
}

function noticesOf(
  { name, snapshotCount, options, limitBytes }: SeenPoolVolume,
  mayDiverge: boolean,
): readonly string[] {
  const notices: string[] = [];
  if (mayDiverge) {
    notices.push(
      `${name}: two plain copies can diverge (split brain) when their nodes lose each other; allowSplitBrain says so in the plan`,
    );
  }
  if (limitBytes === undefined) {
    notices.push(
      `${name}: has no limit (quota), so its size is that of its file systems and it cannot be grown through Holdfast`,
    );
  }
  if (options['auth.allow'] !== undefined && options['auth.allow'] !== '*') {
    notices.push(`${name}: may be mounted by ${options['auth.allow']} only; see that the nodes are among them`);
  }
  if (snapshotCount > 0) {
    notices.push(`${name}: has ${snapshotCount} snapshots of GlusterFS, which Holdfast neither lists nor removes`);
  }
  return notices;
}

function describeMount(host: string, volume: string, path: string, nodes: number): string {
  const where = nodes === 1 ? host : 'all';
  return `${volume}: is mounted at ${path} on ${host}, and stays so; to let Holdfast look after the mounts add to it: mount: { path: ${path}, nodes: ${where} }`;
}
