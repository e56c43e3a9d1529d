/** The two questions of kube-scheduler to an extender (k8s.io/kube-scheduler/extender/v1), answered from the index. */
import { z } from 'zod';
import type { LocalityIndex } from '../../controllers/locality/locality-index.ts';
import { AppError } from '../../domain/errors.ts';
import { filterNodes, scoreNode } from '../../domain/locality/judge-nodes.ts';
import { faultsOf, SentPod } from './pod.ts';

/** More nodes are in no cluster (Kubernetes: 5,000). */
const MAX_NODES = 20_000;
const NodeObject = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

/** Go writes fields without a tag by their own names, and what is not set as null. */
const ExtenderArgs = z.object({
  Pod: SentPod,
  Nodes: z.looseObject({ items: z.array(NodeObject).max(MAX_NODES).nullable() }).nullish(),
  NodeNames: z.array(z.string()).max(MAX_NODES).nullish(),
});

/** With `nodeCacheCapable: true` nodes come and go by their names, else whole. */
interface Asked {
  readonly pod: z.infer<typeof SentPod>;
  readonly names: readonly string[];
  /** The answer in the form of the question. */
  readonly inForm: (
    passed: readonly string[],
  ) => { readonly NodeNames: readonly string[] } | { readonly Nodes: object };
}

interface FilterResult {
  /** Evicting other pods would not change anything for these. */
  readonly FailedAndUnresolvableNodes: Readonly<Record<string, string>>;
  readonly Error: '';
}

/** `filter`: the nodes that the pod may go to, and why not to the others. @throws {AppError} invalid */
export function answerFilter(index: LocalityIndex, body: unknown): FilterResult {
  const { pod, names, inForm } = readArgs(body);
  const needs = index.needsOf(pod);
  const { passed, failed } = needs === undefined ? { passed: names, failed: {} } : filterNodes(needs, names);
  return { ...inForm(passed), FailedAndUnresolvableNodes: failed, Error: '' };
}

/** `prioritize`: how near the data each node is; 0 everywhere for a pod without volumes of ours. @throws {AppError} invalid */
export function answerPrioritize(
  index: LocalityIndex,
  body: unknown,
): readonly { readonly Host: string; readonly Score: number }[] {
  const { pod, names } = readArgs(body);
  const needs = index.needsOf(pod);
  return names.map((Host) => ({ Host, Score: needs === undefined ? 0 : scoreNode(needs, Host) }));
}

function readArgs(body: unknown): Asked {
  const read = ExtenderArgs.safeParse(body);
  if (!read.success) throw refuse(faultsOf(read.error));
  const { Pod: pod, Nodes, NodeNames } = read.data;
  if (NodeNames && Nodes) throw refuse('has both Nodes and NodeNames');
  if (NodeNames) return { pod, names: NodeNames, inForm: (passed) => ({ NodeNames: passed }) };
  if (!Nodes) throw refuse('has neither Nodes nor NodeNames');
  const items = Nodes.items ?? [];
  const inForm = (passed: readonly string[]) => {
    const kept = new Set(passed);
    return { Nodes: { ...Nodes, items: items.filter(({ metadata }) => kept.has(metadata.name)) } };
  };
  return { pod, names: items.map(({ metadata }) => metadata.name), inForm };
}

function refuse(fault: string): AppError {
  return new AppError('invalid', `the arguments of an extender: ${fault}`, { reason: 'BadRequest' });
}
