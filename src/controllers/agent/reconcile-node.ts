/** Prepares this node's pools and reports pools, engine and boot. Other loops place nothing in a pool before it is ready. */
import { surelyTaken } from '../../domain/placement/surely-taken.ts';
import type { EngineProbe } from '../../ports/engine.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { EngineStatus, PoolSpec, PoolStatus } from '../../schemas/storage-node.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';
import { createEngineWatch } from './engine-watch.ts';
import { createPoolWatch } from './pool-watch.ts';

/** Free space and the engine's health are looked at this often when nothing else asks for it. */
const REPORT_PERIOD_MS = 15_000;
/** Until pools and engine are usable somebody waits for them. */
const SETTLING_PERIOD_MS = 500;

export interface NodeLoop extends ReconcileLoop {
  /** For who has changed what an engine is or speaks here: looks at once, and asks the engines anew. */
  onEngineChanged(): void;
}

/** The loop for this node's own StorageNode. `onPoolReady` lets loops that waited for a pool go on at once. */
export function createNodeLoop(deps: AgentDeps, onPoolReady: () => void): NodeLoop {
  const { informers, host, engines, statusWriter, node: self, readyPools, pulse } = deps;
  const ownerOf = (fsUuid: string) => {
    const others = informers.StorageNode.list().filter((node) => node.metadata.name !== self);
    return others.find((node) => node.status?.pools?.some((pool) => pool.fsUuid === fsUuid))?.metadata.name;
  };
  const lookAt = createPoolWatch(host, ownerOf);
  const engineWatch = createEngineWatch(deps, Object.values(engines));

  const lookAround = async (wanted: readonly PoolSpec[], signal: AbortSignal) => {
    const pools: PoolStatus[] = [];
    for (const pool of wanted) {
      const before = await lookAtCopies(deps, pool, signal);
      const status = await lookAt(pool, signal);
      // Only what was there before and after the look is surely in it; what is left out counts as used by others.
      const after = await lookAtCopies(deps, pool, signal);
      pools.push(status.isReady ? { ...status, copyBytes: takenByCopies(before, after) } : status);
    }
    return { pools, probes: await engineWatch.look(signal) };
  };

  const reconcile = async (name: string, signal: AbortSignal) => {
    const node = informers.StorageNode.get(name);
    if (node === undefined) return undefined;
    const { pools, probes } = await pulse.during(`the look at pools and engines of ${self}`, () =>
      lookAround(node.spec.pools, signal),
    );

    const hadReady = readyPools.size;
    readyPools.clear();
    for (const pool of pools) if (pool.isReady) readyPools.set(pool.name, pool.path);
    announce(deps, node, pools);
    await statusWriter.write(
      'StorageNode',
      node,
      {
        bootId: deps.bootId,
        agentVersion: deps.agentVersion,
        engines: probes.map(({ engine, probe: { isRejoining = false, ...probe } }) => ({
          name: engine.name,
          ...probe,
          ...(engine.capabilities().isClustered ? judgeIdentity(deps, { ...probe, isRejoining }) : {}),
        })),
        pools: steadyFreeSpace(deps, node.status?.pools, pools),
      },
      { signal, isCompareAndSwap: false },
    );
    deps.onReported();
    if (readyPools.size > hadReady) onPoolReady();
    const isSettled = probes.every(({ probe }) => probe.isRunning) && pools.every((pool) => pool.isReady);
    return { requeueAfterMs: isSettled ? REPORT_PERIOD_MS : SETTLING_PERIOD_MS };
  };

  const loop = createReconcileLoop(deps, {
    name: 'agent-node',
    watches: [
      watchKeys(informers.StorageNode, (node) => (node.metadata.name === self ? [self] : [])),
      watchKeys(informers.StorageCluster, () => [self]),
      // A copy that was made or removed changes what is free; placement believes only what is reported.
      watchKeys(informers.VolumeCopy, (copy) => (copy.spec.node === self ? [self] : [])),
    ],
    reconcile,
    backoff: AGENT_BACKOFF,
  });
  return {
    ...loop,
    onEngineChanged: () => {
      engineWatch.forget();
      loop.enqueue(self);
    },
  };
}

/**
 * Whether the engine here is the one that the others know this node by; it is not after the machine was installed anew.
 * Invariant: nobody counts on it before it has rejoined wholly. With its identity back it knows no volume at first, and may
 * be restarted to learn anew: a copy that was placed here in between would be given up with that, and keep its room.
 */
function judgeIdentity({ informers, node }: AgentDeps, { id, isRejoining }: EngineProbe): Partial<EngineStatus> {
  const knownIds = informers.StorageCluster.list().map(({ status }) => status?.peers?.ids?.[node]);
  const known = knownIds.find((each) => each !== undefined);
  if (isRejoining === true && id !== undefined && id === known) {
    const message = `GlusterFS on ${node} has its identity back, and learns from the others; to wait for it: holdfast node rejoin ${node}`;
    return { isStranger: true, message };
  }
  if (id === undefined || known === undefined || id === known) return {};
  const message =
    `the others know GlusterFS on ${node} as ${known}, and it calls itself ${id}, as on a machine that was installed anew; ` +
    `to fill its copies from the others: holdfast node rejoin ${node}`;
  return { isStranger: true, message };
}

/** A copy whose image was seen whole in this boot. */
interface SeenCopy {
  readonly copy: Resource<'VolumeCopy'>;
  /** What its image takes; of a thin one. */
  readonly takenBytes: number | undefined;
}

/** The copies of a pool that have taken their room, by UID. */
async function lookAtCopies(
  { informers, node, bootId, engines }: AgentDeps,
  pool: PoolSpec,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, SeenCopy>> {
  const here = informers.VolumeCopy.list().filter(({ spec, status }) => {
    const isHere = spec.node === node && spec.pool === pool.name && spec.brick !== 'directory';
    const isMade = status?.state === 'Ready' && status.bootId === bootId;
    return isHere && isMade && spec.isReleased !== true;
  });
  const thin = here.filter(({ spec }) => spec.thinProvision === true);
  const taken = new Map<string, number>();
  for (const engine of Object.values(engines)) {
    const own = thin.filter(({ spec }) => spec.engine === engine.name);
    if (own.length === 0) continue;
    const { path: poolPath } = pool;
    const asked = own.map(({ metadata, spec }) => ({ copyUid: metadata.uid, poolPath, brick: spec.brick }));
    for (const [uid, bytes] of (await engine.takenBytes?.(asked, signal)) ?? []) taken.set(uid, bytes);
  }
  return new Map(here.map((copy) => [copy.metadata.uid, { copy, takenBytes: taken.get(copy.metadata.uid) }]));
}

/** Bytes that copies have surely taken of the pool that was looked at between the two. */
function takenByCopies(before: ReadonlyMap<string, SeenCopy>, after: ReadonlyMap<string, SeenCopy>): number {
  return [...before].reduce((sum, [uid, { copy, takenBytes }]) => {
    const then = after.get(uid);
    return then === undefined ? sum : sum + surelyTaken(copy, [takenBytes, then.takenBytes]);
  }, 0);
}

/** Free space that moved by less than one percent is reported as before, so that an idle node writes nothing. */
function steadyFreeSpace(
  { informers, node }: AgentDeps,
  before: readonly PoolStatus[] | undefined,
  now: readonly PoolStatus[],
): PoolStatus[] {
  const thin = informers.VolumeCopy.list().filter(({ spec }) => spec.node === node && spec.thinProvision === true);
  return now.map((pool) => {
    const old = before?.find((candidate) => candidate.name === pool.name);
    const isNear = (was: number, is: number) => Math.abs(was - is) < pool.capacityBytes / 100;
    if (old === undefined || !isNear(old.freeBytes, pool.freeBytes)) return pool;
    // The two belong together: free space from before a copy was made would be promised once more.
    if (old.copyBytes === pool.copyBytes) return { ...pool, freeBytes: old.freeBytes };
    const isThin = thin.some(({ spec }) => spec.pool === pool.name);
    const { copyBytes: had, freeBytes } = old;
    // Of thin copies both move with every write, by as much: the older two say the same about what can be promised.
    const isSame = isThin && had !== undefined && isNear(had, pool.copyBytes ?? 0);
    return isSame ? { ...pool, freeBytes, copyBytes: had } : pool;
  });
}

function announce({ events }: AgentDeps, node: Resource<'StorageNode'>, pools: readonly PoolStatus[]): void {
  for (const pool of pools) {
    const old = node.status?.pools?.find((candidate) => candidate.name === pool.name);
    if (old !== undefined && old.isReady === pool.isReady && old.reason === pool.reason) continue;
    if (pool.isReady) events.normal(node, 'PoolReady', `pool ${pool.name} at ${pool.path} is ready`);
    else events.warning(node, pool.reason ?? 'PoolFailed', `pool ${pool.name}: ${pool.message ?? 'cannot be used'}`);
  }
}
