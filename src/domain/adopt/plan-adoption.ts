/**
 * What of a pool that others made can be taken over, as the plan file says it; and what cannot, with the reason. Pure, and
 * nothing of the pool is changed by it: what is written down is what was found.
 */

import type { PlanFile, PlanNode, PlanVolume } from '../../schemas/plan-file.ts';
import { isPlainPath } from '../paths.ts';
import { nodeNameOf } from '../plan/node-name.ts';
import { deriveLayout } from './derive-layout.ts';
import { deriveSize } from './derive-size.ts';
import { findMachines, type Machine } from './find-machines.ts';
import { nameVolumes } from './name-volumes.ts';
import type { SeenPool, SeenPoolVolume } from './seen-pool.ts';

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
  const machines = findMachines(pool.peers, planned);
  const surroundings = { machines, planned: plan.volumes ?? [], names: nameUnknown(pool, plan.volumes ?? []) };
  const found = pool.volumes.map((volume) => judge(volume, surroundings));
  const volumes = found.flatMap((each) => ('volume' in each ? [each.volume] : []));
  const used = new Set([
    ...planned.map((node) => nodeNameOf(node.host)),
    ...volumes.flatMap((volume) => (volume.adopted?.bricks ?? []).map((brick) => brick.node)),
  ]);
  const named = machines.filter((machine) => machine.node !== undefined);
  // A machine that holds nothing is a member of the pool all the same.
  const nodes = named.flatMap(({ node, isPlanned }) => (node === undefined || isPlanned ? [] : [node]));
  const adopted = new Map(volumes.map((volume) => [volume.adopted?.engineName ?? volume.name, volume.name]));
  return {
    nodes: nodes.toSorted((a, b) => (a.host < b.host ? -1 : 1)),
    volumes,
    known: found.flatMap((each) => ('known' in each ? [each.known] : [])),
    refusals: found.flatMap((each) => ('reason' in each ? [{ volume: each.name, reason: each.reason }] : [])),
    notices: [
      ...machines.flatMap(({ notice }) => (notice === undefined ? [] : [notice])),
      ...nodes.map((node) => `${node.host}: give it a pool if new volumes are to be placed on it`),
      ...found.flatMap((each) => ('notices' in each ? each.notices : [])),
      ...pool.mounts.flatMap(({ host, volume, path }) => {
        const name = adopted.get(volume);
        return name === undefined ? [] : [describeMount(name, { host, path, nodes: used.size })];
      }),
    ],
  };
}

/** Names for those that the plan does not have. */
function nameUnknown({ volumes }: SeenPool, planned: readonly PlanVolume[]): ReadonlyMap<string, string> {
  const ids = planned.map((each) => each.adopted?.engineId);
  const taken = planned.map((each) => each.name);
  return nameVolumes(
    volumes.filter(({ id }) => !ids.includes(id)),
    taken,
  );
}

type Judged =
  | { readonly name: string; readonly reason: string }
  | { readonly known: string }
  | { readonly volume: PlanVolume; readonly notices: readonly string[] };

interface Surroundings {
  readonly machines: readonly Machine[];
  readonly planned: readonly PlanVolume[];
  /** What each volume is called in the plan, by its identity. */
  readonly names: ReadonlyMap<string, string>;
}

function judge(volume: SeenPoolVolume, { machines, planned, names }: Surroundings): Judged {
  const known = planned.find((each) => each.adopted?.engineId === volume.id);
  if (known !== undefined) return { known: known.name };
  const refuse = (reason: string): Judged => ({ name: volume.name, reason });
  const reason = refusalOf(volume);
  if (reason !== undefined) return refuse(reason);
  const bricks = placeBricks(volume, machines);
  if (typeof bricks === 'string') return refuse(bricks);
  const found = deriveLayout(volume);
  if (!found.ok) return refuse(found.reason);
  const size = deriveSize(volume, found.layout, found.setSize);
  if (size === undefined)
    return refuse('its size is not known while machines of it are off; try again when they are back');
  const name = names.get(volume.id) ?? volume.name;
  if (planned.some((each) => each.name === name))
    return refuse(`the plan has another volume ${name}; rename that one, or leave this one out`);
  const adopted = {
    engineId: volume.id,
    ...(name === volume.name ? {} : { engineName: volume.name }),
    bricks: [...bricks],
    ...(size.isLimit ? { limit: size.size } : {}),
  };
  return {
    volume: { name, size: size.size, ...found.layout, adopted },
    notices: [...renamed(volume.name, name), ...noticesOf(name, volume, found.layout.allowSplitBrain === true)],
  };
}

function renamed(engineName: string, name: string): readonly string[] {
  if (engineName === name) return [];
  return [`${engineName}: is the volume ${name} of the plan; GlusterFS goes on calling it ${engineName}`];
}

/** The bricks with the nodes that they are on; or why one of them is on none. */
function placeBricks({ bricks }: SeenPoolVolume, machines: readonly Machine[]): readonly PlacedBrick[] | string {
  const placed: PlacedBrick[] = [];
  for (const { host, hostId, path } of bricks) {
    const machine = machines.find(({ id }) => id === hostId);
    if (machine?.node === undefined) return `its brick ${host}:${path} is on a machine that cannot be a node`;
    if (!isPlainPath(path)) return `its brick ${host}:${path} has a path that Holdfast does not take`;
    const node = nodeNameOf(machine.node.host);
    placed.push({ node, path, ...(node === host ? {} : { host }) });
  }
  return placed;
}

type PlacedBrick = NonNullable<PlanVolume['adopted']>['bricks'][number];

function refusalOf({ name, state, options, isTcp }: SeenPoolVolume): string | undefined {
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
  name: string,
  { snapshotCount, options, limitBytes }: SeenPoolVolume,
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

function describeMount(
  volume: string,
  { host, path, nodes }: { readonly host: string; readonly path: string; readonly nodes: number },
): string {
  const where = nodes === 1 ? host : 'all';
  return `${volume}: is mounted at ${path} on ${host}, and stays so; to let Holdfast look after the mounts add to it: mount: { path: ${path}, nodes: ${where} }`;
}
