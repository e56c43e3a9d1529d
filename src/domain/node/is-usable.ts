/** Which nodes can be asked to do something for an engine now. */
import type { StorageNode } from '../../schemas/storage-node.ts';

/** True when the node's heartbeat is fresh and the engine runs on it. */
export function isUsable(node: StorageNode, engine: string): boolean {
  const isReady = node.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  const isRunning = node.status?.engines?.some((candidate) => candidate.name === engine && candidate.isRunning);
  return isReady === true && isRunning === true && node.metadata.deletionTimestamp === undefined;
}

/** Names of the usable nodes among these. */
export function usableNames(nodes: readonly StorageNode[], engine: string): ReadonlySet<string> {
  return new Set(nodes.filter((node) => isUsable(node, engine)).map((node) => node.metadata.name ?? ''));
}
