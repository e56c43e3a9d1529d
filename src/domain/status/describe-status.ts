/** The state of everything in one sentence, the same for the CLI and the dashboard. */
import type { FenceRecord } from '../../schemas/fence-record.ts';
import type { StorageCluster } from '../../schemas/storage-cluster.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import { fenceWord } from '../fence/fence-word.ts';
import { findCondition } from '../find-condition.ts';
import { phaseOf, stateMessage } from '../volume/describe-volume.ts';
import { keepsCopies } from '../volume/engines.ts';
import { needsPool, replicaSets } from '../volume/replica-sets.ts';
import { servingCopies } from '../volume/serving-copies.ts';

export interface Problem {
  readonly name: string;
  readonly message: string;
}

export interface ClusterStatus {
  /** "3 nodes ready; 1 volume, all copies current; safe to lose: any 1 node". */
  readonly sentence: string;
  /** Nothing needs a person or is being repaired. */
  readonly isHealthy: boolean;
  readonly nodes: { readonly total: number; readonly ready: number; readonly problems: readonly Problem[] };
  /** Nodes that a person has fenced, and whether it is proven. */
  readonly fences: { readonly problems: readonly Problem[] };
  /** Why the engines of the nodes are not joined into one pool; none while they are, or while a node's own problem tells why. */
  readonly cluster: { readonly problems: readonly Problem[] };
  readonly volumes: { readonly total: number; readonly current: number; readonly problems: readonly Problem[] };
  readonly safeToLose: SafeToLose;
}

export interface SafeToLose {
  /** How many nodes can be lost at once, whichever they are, with every volume still served; 0 without volumes. */
  readonly anyNodes: number;
  /** Where not any one may be lost: the ready nodes of which each alone may. */
  readonly onlyOneOf: readonly string[];
}

/** More names than this are counted instead. */
const MAX_NAMES = 5;

/** Describes the cluster from its stored objects. */
export function describeStatus(
  nodes: readonly StorageNode[],
  volumes: readonly Volume[],
  clusters: readonly StorageCluster[] = [],
  fences: readonly FenceRecord[] = [],
): ClusterStatus {
  const fenceProblems = fences.map(describeFence);
  const nodeProblems = nodes.flatMap(nodeProblem);
  const clusterProblems = nodeProblems.length > 0 ? [] : clusters.flatMap(clusterProblem);
  const volumeProblems = volumes.flatMap(volumeProblem);
  const isReady = (node: StorageNode) => !nodeProblems.some((problem) => problem.name === node.metadata.name);
  const readyNames = nodes.filter(isReady).map((node) => node.metadata.name ?? '');
  // What a file server keeps is lost with no node.
  const kept = volumes.filter(({ spec }) => keepsCopies(spec.engine));
  const safeToLose = judgeLoss(readyNames, nodes, kept);
  const parts = [
    describeNodes(nodes.length, nodeProblems),
    ...(fenceProblems.length === 0 ? [] : [`fenced: ${names(fenceProblems)}`]),
    ...(clusterProblems.length === 0 ? [] : ['not all joined']),
    describeVolumes(volumes.length, volumeProblems),
    ...(kept.length === 0 ? [] : [`safe to lose: ${describeLoss(safeToLose)}`]),
  ];
  return {
    sentence: parts.join('; '),
    isHealthy: [nodeProblems, fenceProblems, clusterProblems, volumeProblems].every((each) => each.length === 0),
    nodes: { total: nodes.length, ready: readyNames.length, problems: nodeProblems },
    fences: { problems: fenceProblems },
    cluster: { problems: clusterProblems },
    volumes: { total: volumes.length, current: volumes.length - volumeProblems.length, problems: volumeProblems },
    safeToLose,
  };
}

function nodeProblem(node: StorageNode): readonly Problem[] {
  const message = notReadyMessage(node) ?? engineMessage(node) ?? poolMessage(node);
  return message === undefined ? [] : [{ name: node.metadata.name ?? '', message }];
}

function describeFence(fence: FenceRecord): Problem {
  return { name: fence.spec.node, message: `${fenceWord(fence)}: ${fence.status?.message ?? 'just asked for'}` };
}

function clusterProblem(cluster: StorageCluster): readonly Problem[] {
  const ready = findCondition(cluster, 'Ready');
  if (ready === undefined || ready.status === 'True') return [];
  return [{ name: cluster.metadata.name ?? '', message: `nodes are not all joined: ${ready.message}` }];
}

function notReadyMessage(node: StorageNode): string | undefined {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (ready === undefined) return 'no controller has looked at it yet';
  return ready.status === 'True' ? undefined : ready.message;
}

function engineMessage(node: StorageNode): string | undefined {
  const engine = node.status?.engines?.find((candidate) => !candidate.isRunning);
  return engine && (engine.message ?? `${engine.name} is not running`);
}

function poolMessage(node: StorageNode): string | undefined {
  const pool = node.status?.pools?.find((candidate) => !candidate.isReady);
  return pool && `pool ${pool.name}: ${pool.message ?? 'not ready'}`;
}

function volumeProblem(volume: Volume): readonly Problem[] {
  const redundant = findCondition(volume, 'Redundant');
  const isAsDesigned = redundant?.status === 'True' || ['SingleCopy', 'KeptByServer'].includes(redundant?.reason ?? '');
  if (phaseOf(volume) === 'Ready' && isAsDesigned) return [];
  return [{ name: volume.metadata.name ?? '', message: `${phaseOf(volume)}: ${stateMessage(volume)}` }];
}

/**
 * How many nodes may go. A volume is served while each of its sets has its quorum, so it bears the loss of as many nodes as
 * its weakest set has copies to spare. With half of the pool or less, GlusterFS also stops every volume that has redundancy
 * (cluster.server-quorum-type), but for copies that may diverge.
 */
function judgeLoss(
  readyNames: readonly string[],
  nodes: readonly StorageNode[],
  volumes: readonly Volume[],
): SafeToLose {
  const spareNodes = readyNames.length - Math.floor(nodes.length / 2) - 1;
  const spare = volumes.map((volume) => {
    const copies = spareCopies(volume, nodes);
    return { nodes: nodesOf(volume), count: isStoppedWithPool(volume) ? Math.min(copies, spareNodes) : copies };
  });
  if (spareNodes < 1 && volumes.some(isStoppedWithPool)) return { anyNodes: 0, onlyOneOf: [] };
  const least = spare.length === 0 ? 0 : Math.max(0, Math.min(...spare.map((volume) => volume.count)));
  if (least > 0) return { anyNodes: Math.min(least, readyNames.length), onlyOneOf: [] };
  const needed = new Set(spare.flatMap((volume) => (volume.count > 0 ? [] : volume.nodes)));
  const onlyOneOf = spare.length === 0 ? [] : readyNames.filter((name) => !needed.has(name)).toSorted();
  return { anyNodes: 0, onlyOneOf };
}

/** While that is the reason, nobody can say which copy would be missed. */
const UNSETTLED = new Set(['SplitBrain', 'CheckingCopies', 'Healing', 'MountsReconnecting']);

function spareCopies(volume: Volume, nodes: readonly StorageNode[]): number {
  const redundant = findCondition(volume, 'Redundant');
  if (redundant === undefined || UNSETTLED.has(redundant.reason)) return 0;
  // Behind the reason CopiesDown the others may be healing too.
  if (isHealing(volume) || volume.status?.engine?.state !== 'Started') return 0;
  // What was reported of a copy before its node went away does not count.
  const serving = servingCopies(volume, nodes);
  const spare = replicaSets(volume.spec, volume.status.placement ?? []).map(
    (set) => set.copies.filter(({ copy }) => serving.get(copy) === 'yes').length - set.quorum,
  );
  return spare.length === 0 ? 0 : Math.min(...spare);
}

function isStoppedWithPool({ spec, status }: Volume): boolean {
  return needsPool(spec, status?.placement ?? []);
}

function isHealing({ status }: Volume): boolean {
  const bricks = status?.engine?.bricks ?? [];
  return bricks.some((brick) => (brick.pendingHeals ?? 0) > 0 || (brick.splitBrainEntries ?? 0) > 0);
}

function nodesOf(volume: Volume): readonly string[] {
  return (volume.status?.placement ?? []).map((placed) => placed.node);
}

function describeNodes(total: number, problems: readonly Problem[]): string {
  if (total === 0) return 'no nodes yet';
  if (problems.length === 0) return `${count(total, 'node')} ready`;
  return `${total - problems.length} of ${count(total, 'node')} ready (not ready: ${names(problems)})`;
}

function describeVolumes(total: number, problems: readonly Problem[]): string {
  if (total === 0) return 'no volumes yet';
  if (problems.length === 0) return `${count(total, 'volume')}, all copies current`;
  return `${count(total, 'volume')}, ${problems.length} not as designed (${names(problems)})`;
}

function describeLoss({ anyNodes, onlyOneOf }: SafeToLose): string {
  if (anyNodes > 0) return `any ${count(anyNodes, 'node')}`;
  if (onlyOneOf.length === 0) return 'no node';
  if (onlyOneOf.length === 1) return `only ${onlyOneOf[0]}`;
  return `only one of ${nameList(onlyOneOf)}`;
}

function names(problems: readonly Problem[]): string {
  return nameList(problems.map((problem) => problem.name).toSorted());
}

function nameList(list: readonly string[]): string {
  const shown = list.slice(0, MAX_NAMES).join(', ');
  return list.length > MAX_NAMES ? `${shown} and ${list.length - MAX_NAMES} more` : shown;
}

function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`;
}
