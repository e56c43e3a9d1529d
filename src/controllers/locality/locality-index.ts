/**
 * Keeps, by watches, what it takes to say where a pod is near its data. An answer asks the API nothing. Each process that
 * answers has its own, whoever leads: it only reads.
 */
import { homeOf } from '../../domain/csi/topology.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { copiesOn } from '../../domain/locality/copies-on.ts';
import type { NodeState, PodNeeds, UsedVolume } from '../../domain/locality/judge-nodes.ts';
import { localityOfPod } from '../../domain/locality/locality.ts';
import { usableSince } from '../../domain/node/is-usable.ts';
import { type ClaimUser, claimsOf } from '../../domain/pod-claims.ts';
import type { EngineName } from '../../domain/volume/engines.ts';
import type { UsableNodes } from '../../domain/volume/is-serving.ts';
import { CSI_DRIVER } from '../../domain/volume/persistent-volume.ts';
import type { Millis } from '../../ports/clock.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { createInformer, type InformerDeps } from '../runtime/informer.ts';
import { waitForSources } from '../runtime/reconcile-loop.ts';
import { trimNode, trimPersistentVolume, trimVolume } from './trim.ts';

export interface LocalityIndex {
  /** Lists and watches until the signal aborts. Call it once. */
  run(signal: AbortSignal): Promise<void>;
  /** False until everything was heard once: no advice is given before, since what is not heard is not what is not there. */
  isReady(): boolean;
  /** What a pod needs of its nodes for the volumes that it uses; undefined where it uses none of ours, or wants no advice. */
  needsOf(pod: ClaimUser): PodNeeds | undefined;
  /** Whether a PersistentVolume, by its name, is of Holdfast's driver. */
  isOurs(persistentVolume: string): boolean;
}

/** What is the same for every question about an engine until a node changes. */
interface NodesNow {
  readonly usable: UsableNodes;
  readonly states: ReadonlyMap<string, NodeState>;
}

const USABLE: NodeState = { state: 'usable' };
const UNKNOWN: NodeState = { state: 'barred', why: 'no agent of Holdfast, which would mount its volumes' };

/** @param idleMs - silence of the API server that is taken for a dead connection */
export function createLocalityIndex(deps: InformerDeps, { idleMs }: { readonly idleMs: Millis }): LocalityIndex {
  const volumes = createInformer(deps, { kind: 'Volume', idleMs, trim: trimVolume });
  const nodes = createInformer(deps, { kind: 'StorageNode', idleMs, trim: trimNode });
  const fences = createInformer(deps, { kind: 'FenceRecord', idleMs });
  const persistentVolumes = createInformer(deps, {
    ...{ kind: 'PersistentVolume', idleMs, trim: trimPersistentVolume(CSI_DRIVER) },
    indexes: { claim: claimKeys },
  });
  const sources = [volumes, nodes, fences, persistentVolumes];
  const known = new Map<EngineName, NodesNow>();
  const forget = () => known.clear();

  const nodesFor = (engine: EngineName): NodesNow => {
    const now = known.get(engine) ?? lookAtNodes(nodes.list(), fences.list(), engine);
    known.set(engine, now);
    return now;
  };
  const usedVolume = (name: string, said: UsedVolume['locality'] | undefined): readonly UsedVolume[] => {
    const volume = volumes.get(name);
    // Its Volume was deleted, or is not heard of yet: nothing is known that could be advised.
    if (volume === undefined) return [];
    const { engine, locality = 'preferred' } = volume.spec;
    const copies = copiesOn(volume, nodesFor(engine).usable);
    return [{ name, engine, locality: said ?? locality, home: homeOf(volume), copies }];
  };

  return {
    run: async (signal) => {
      for (const source of [nodes, fences] as const) source.onChange(forget);
      await Promise.all([...sources.map((source) => source.run(signal)), waitForSources(sources, deps.log, signal)]);
    },
    isReady: () => sources.every((source) => source.isSynced()),
    isOurs: (name) => persistentVolumes.get(name)?.spec.csi !== undefined,
    needsOf: (pod) => {
      const said = localityOfPod(pod.metadata);
      if (said === 'off') return undefined;
      const names = claimsOf(pod).flatMap((claim) =>
        persistentVolumes.byIndex('claim', claim).flatMap(({ spec }) => spec.csi?.volumeHandle ?? []),
      );
      const used = [...new Set(names)].flatMap((name) => usedVolume(name, said));
      if (used.length === 0) return undefined;
      return { volumes: used, stateOf: (node, engine) => nodesFor(engine).states.get(node) ?? UNKNOWN };
    },
  };
}

/** The claim that has it; a Released one is had by nobody, whatever it still names. */
function claimKeys({ spec, status }: Resource<'PersistentVolume'>): readonly string[] {
  const { namespace, name } = spec.claimRef ?? {};
  if (namespace === undefined || name === undefined || status?.phase === 'Released') return [];
  return [`${namespace}/${name}`];
}

function lookAtNodes(
  nodes: readonly Resource<'StorageNode'>[],
  fences: readonly Resource<'FenceRecord'>[],
  engine: EngineName,
): NodesNow {
  const fenced = new Set(fences.map(({ spec }) => spec.node));
  const states = nodes.map((node) => [node.metadata.name, stateOf(node, engine, fenced)] as const);
  return { usable: usableSince(nodes, engine), states: new Map(states) };
}

/** For mounting, GlusterFS need only be installed: a node without copies may run no daemon of it. */
function stateOf(node: Resource<'StorageNode'>, engine: EngineName, fenced: ReadonlySet<string>): NodeState {
  const { name, deletionTimestamp } = node.metadata;
  if (fenced.has(name)) return { state: 'barred', why: 'fenced by Holdfast' };
  if (deletionTimestamp !== undefined) return { state: 'barred', why: 'being given up by Holdfast' };
  if (findCondition(node, 'Ready')?.status !== 'True') {
    return { state: 'away', why: "Holdfast's agent is not heard from" };
  }
  const isInstalled = node.status?.engines?.some((seen) => seen.name === engine && seen.isInstalled) === true;
  return isInstalled ? USABLE : { state: 'away', why: `engine ${engine} is not installed` };
}
