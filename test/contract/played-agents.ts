/** Agents of storage nodes as a controller sees them: they report what it asks for as done, by the clock of the machine. */
import { isDeepStrictEqual } from 'node:util';
import { isAppError } from '../../src/domain/errors.ts';
import { findCondition } from '../../src/domain/find-condition.ts';
import { kubernetesMicroTime } from '../../src/domain/kubernetes-time.ts';
import { HEARTBEAT_PERIOD_MS } from '../../src/domain/node/decide-node-health.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Resource, ResourceClient } from '../../src/ports/resource-client.ts';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';

const LOOK_MS = 200;

export interface PlayedAgents {
  /** Adds a StorageNode with a pool of that many bytes, and an agent that speaks for it. */
  add(node: string, poolBytes: number): Promise<void>;
  /** Reports another size of the pool. */
  resize(node: string, poolBytes: number): Promise<void>;
  silence(node: string): void;
  speak(node: string): void;
  /** @throws what an agent met that is no race with another */
  stop(): Promise<void>;
}

type Client = Pick<ResourceClient, 'create' | 'list' | 'patch'>;

/** Plays the agents of nodes that are added, until stopped. */
export function playAgents({ client, clock }: { readonly client: Client; readonly clock: Clock }): PlayedAgents {
  const speaking = new Set<string>();
  const ending = new AbortController();
  const repeat = async (ms: number, work: () => Promise<void>): Promise<void> => {
    while (!ending.signal.aborted) {
      await work();
      await clock.sleep(ms, ending.signal).catch(() => undefined); // aborted: the loop ends
    }
  };
  const report = (node: string, poolBytes: number) =>
    client.patch('StorageNode', node, { status: nodeStatus(node, poolBytes) }, { subresource: 'status' });
  const beats = repeat(HEARTBEAT_PERIOD_MS, async () => {
    for (const node of speaking) await beat(client, node, clock.now());
  });
  const looks = repeat(LOOK_MS, () => lookAround(client, speaking));
  return {
    add: async (node, poolBytes) => {
      const index = Number(/\d+$/.exec(node)?.[0] ?? 0);
      const spec = { addresses: { ip: `10.91.0.${index}` }, pools: [{ name: 'default', path: '/mnt/pool' }] };
      await client.create('StorageNode', { metadata: { name: node }, spec });
      await report(node, poolBytes);
      speaking.add(node);
    },
    resize: async (node, poolBytes) => void (await report(node, poolBytes)),
    silence: (node) => void speaking.delete(node),
    speak: (node) => void speaking.add(node),
    stop: async () => {
      ending.abort();
      await Promise.all([beats, looks]);
    },
  };
}

function nodeStatus(node: string, poolBytes: number): object {
  const engine = { name: 'gluster', isInstalled: true, isRunning: true, version: '10.3' };
  const pool = { name: 'default', path: '/mnt/pool', isReady: true, capacityBytes: poolBytes, freeBytes: poolBytes };
  return { bootId: `boot-${node}`, engines: [engine], pools: [{ ...pool, copyBytes: 0 }] };
}

async function beat(client: Client, node: string, now: number): Promise<void> {
  const scope = { namespace: SYSTEM_NAMESPACE };
  const spec = { holderIdentity: node, leaseDurationSeconds: 3, renewTime: kubernetesMicroTime(now) };
  try {
    await client.patch('Lease', node, { spec }, scope);
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error;
    await client.create('Lease', { metadata: { name: node, namespace: SYSTEM_NAMESPACE }, spec }, scope);
  }
}

/** One look of all agents at what is asked of them. */
async function lookAround(client: Client, speaking: ReadonlySet<string>): Promise<void> {
  const { items: nodes } = await client.list('StorageNode');
  const { items: volumes } = await client.list('Volume');
  const { items: copies } = await client.list('VolumeCopy');
  const racing = (error: unknown): void => {
    // The object went, or has changed, since it was listed: the next look sees it.
    if (!isAppError(error, 'notFound') && !isAppError(error, 'conflict')) throw error;
  };
  for (const copy of copies) if (speaking.has(copy.spec.node)) await keepCopy(client, copy).catch(racing);
  for (const volume of volumes) {
    const anchor = volume.status?.anchor;
    if (anchor === undefined || !speaking.has(anchor)) continue;
    const engine = engineOf(volume, { anchor, nodes, copies, speaking });
    if (engine === undefined || isDeepStrictEqual(engine, volume.status?.engine)) continue;
    const { name, uid } = volume.metadata;
    await client.patch('Volume', name, { status: { engine } }, { subresource: 'status', uid }).catch(racing);
  }
}

async function keepCopy(client: Client, { metadata, spec, status }: Resource<'VolumeCopy'>): Promise<void> {
  const { name, uid } = metadata;
  if (metadata.deletionTimestamp !== undefined) {
    if (spec.isReleased === true) await client.patch('VolumeCopy', name, { metadata: { finalizers: [] } }, { uid });
    return;
  }
  if (status?.state === 'Ready' && status.sizeBytes === spec.sizeBytes) return;
  const seen = { state: 'Ready', path: pathOf(name), sizeBytes: spec.sizeBytes, bootId: `boot-${spec.node}` };
  await client.patch('VolumeCopy', name, { status: seen }, { subresource: 'status', uid });
}

const pathOf = (copy: string): string => `/mnt/pool/${copy}/brick`;

interface World {
  readonly anchor: string;
  readonly nodes: readonly Resource<'StorageNode'>[];
  readonly copies: readonly Resource<'VolumeCopy'>[];
  readonly speaking: ReadonlySet<string>;
}

/** What the anchor sees of the volume; undefined while its copies are being made. */
function engineOf({ metadata, status }: Resource<'Volume'>, { anchor, nodes, copies, speaking }: World) {
  const seen = { observedBy: anchor, epoch: status?.epoch ?? 0 };
  if (status?.phase === 'Deleting') return { ...seen, state: 'Removed' as const, bricks: [] };
  // It never takes in a copy that is to replace another one.
  const members = (status?.placement ?? []).flatMap(({ copy, replaces }) => {
    const found = copies.find((each) => each.metadata.name === (replaces ?? copy));
    return found === undefined ? [] : [{ copy: found.metadata.name, node: found.spec.node }];
  });
  const isReady = (copy: string) =>
    copies.some((each) => each.metadata.name === copy && each.status?.state === 'Ready');
  const isWhole = members.length > 0 && members.length === status?.placement?.length;
  if (!isWhole || !members.every(({ copy }) => isReady(copy))) return undefined;
  const bricks = members.map(({ copy, node }) => {
    const ready = findCondition(
      nodes.find((each) => each.metadata.name === node),
      'Ready',
    );
    const isOnline = speaking.has(node);
    return {
      ...{ copy, node, isOnline, isReadable: isOnline, pendingHeals: 0, splitBrainEntries: 0 },
      ...(ready?.status === 'True' ? { nodeReadySince: ready.lastTransitionTime } : {}),
    };
  });
  const told = members.map(({ copy, node }) => `${node}:${pathOf(copy)}`);
  return { ...seen, state: 'Started' as const, engineId: metadata.uid, members: told, bricks };
}
