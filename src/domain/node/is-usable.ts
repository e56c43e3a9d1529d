/** Which nodes can be asked to do something for an engine now. */

import type { StorageNode } from '../../schemas/storage-node.ts';
import { findCondition } from '../find-condition.ts';
import { oncePerList } from '../once-per-list.ts';

/** True when the node's heartbeat is fresh and the engine runs on it, as the member that the others know. */
export function isUsable(node: StorageNode, engine: string): boolean {
  const isReady = findCondition(node, 'Ready')?.status === 'True';
  const isRunning = node.status?.engines?.some(
    (candidate) => candidate.name === engine && candidate.isRunning && candidate.isStranger !== true,
  );
  return isReady && isRunning === true && node.metadata.deletionTimestamp === undefined;
}

/** True when the others know this node's engine by another identity: the machine was installed anew and has not rejoined. */
export function isStranger(node: StorageNode): boolean {
  return node.status?.engines?.some((engine) => engine.isStranger === true) === true;
}

/** Those of the named nodes whose machine was installed anew and has not rejoined. */
export function strangersAmong(nodes: readonly StorageNode[], names: readonly string[]): readonly string[] {
  return nodes.filter(isStranger).flatMap(({ metadata }) => {
    const { name } = metadata;
    return name !== undefined && names.includes(name) ? [name] : [];
  });
}

/** The usable nodes among these, each with since when its heartbeat has been fresh without a break. */
export function usableSince(nodes: readonly StorageNode[], engine: string): ReadonlyMap<string, string> {
  const byEngine = usableByEngine(nodes);
  const known = byEngine.get(engine);
  if (known !== undefined) return known;
  const usable = nodes.filter((node) => isUsable(node, engine));
  const since = new Map(usable.map((node) => [node.metadata.name ?? '', readySince(node) ?? '']));
  byEngine.set(engine, since);
  return since;
}

/** Asked for each of twenty thousand volumes with the same thousand nodes. */
const usableByEngine = oncePerList<StorageNode, Map<string, ReadonlyMap<string, string>>>(() => new Map());

/** lastTransitionTime of the condition Ready, as an opaque mark: only ever compared for equality. */
export function readySince(node: StorageNode): string | undefined {
  return findCondition(node, 'Ready')?.lastTransitionTime;
}
