/** Nodes as samples. Pure. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import { findCondition } from '../find-condition.ts';
import { type ClusterMetricName, type Sample, sample } from './definitions.ts';

type NodeMetricName = Extract<ClusterMetricName, `holdfast_node_${string}`>;

/** @param lastBeat - milliseconds since the epoch; undefined when it never did */
export function nodeReaders(
  nodes: readonly StorageNode[],
  lastBeat: (node: string) => number | undefined,
): Readonly<Record<NodeMetricName, () => readonly Sample[]>> {
  const each = (read: (node: string, object: StorageNode) => readonly Sample[]) => () =>
    nodes.flatMap((object) => read(object.metadata.name ?? '', object));
  return {
    holdfast_node_ready: each((node, object) => [
      sample('holdfast_node_ready', { node }, asNumber(findCondition(object, 'Ready')?.status === 'True')),
    ]),
    holdfast_node_heartbeat_timestamp_seconds: each((node) => {
      const beat = lastBeat(node);
      return beat === undefined ? [] : [sample('holdfast_node_heartbeat_timestamp_seconds', { node }, beat / 1000)];
    }),
    holdfast_node_engine_running: each((node, { status }) =>
      (status?.engines ?? [])
        .filter((engine) => engine.isInstalled)
        .map(({ name: engine, isRunning }) =>
          sample('holdfast_node_engine_running', { node, engine }, asNumber(isRunning)),
        ),
    ),
    holdfast_node_certificate_expiry_timestamp_seconds: each((node, { status }) => {
      const at = Date.parse(status?.tls?.notAfter ?? '');
      if (Number.isNaN(at)) return [];
      return [sample('holdfast_node_certificate_expiry_timestamp_seconds', { node }, at / 1000)];
    }),
  };
}

/** Truth as Prometheus has it. */
export function asNumber(isTrue: boolean): number {
  return isTrue ? 1 : 0;
}
