/** Sets the condition Ready of each StorageNode from its heartbeat. */

import { findCondition } from '../../domain/find-condition.ts';
import { decideNodeHealth } from '../../domain/node/decide-node-health.ts';
import type { Millis } from '../../ports/clock.ts';
import type { ControllerDeps } from '../deps.ts';
import { setCondition } from '../runtime/conditions.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';

/**
 * The age of a heartbeat is counted from when this controller saw it change, by its own clock: clocks of machines differ,
 * and after a take-over of leadership every node gets a full period before it counts as silent.
 */
export function createNodeHealthLoop(deps: ControllerDeps): ReconcileLoop {
  const { informers, clock, events, statusWriter } = deps;
  const heard = new Map<string, { renewTime: string; at: Millis }>();

  const silenceOf = (node: string): Millis | undefined => {
    const renewTime = informers.Lease.get(`holdfast-system/${node}`)?.spec.renewTime ?? undefined;
    if (renewTime === undefined) return undefined;
    const last = heard.get(node);
    if (last?.renewTime === renewTime) return clock.monotonic() - last.at;
    heard.set(node, { renewTime, at: clock.monotonic() });
    return 0;
  };

  const reconcile = async (name: string, signal: AbortSignal) => {
    const node = informers.StorageNode.get(name);
    if (node === undefined) {
      heard.delete(name);
      return undefined;
    }
    const { ready, requeueAfterMs } = decideNodeHealth({
      silenceMs: silenceOf(name),
      hasReported: node.status?.bootId !== undefined,
    });
    const before = findCondition(node, 'Ready');
    const conditions = [
      ...setCondition(node.status?.conditions, { ...ready, observedGeneration: node.metadata.generation }, clock.now()),
    ];
    await statusWriter.write('StorageNode', node, { conditions }, { signal });
    if (before !== undefined && before.status !== ready.status) {
      if (ready.status === 'True') events.normal(node, 'NodeReady', ready.message);
      else events.warning(node, 'NodeNotReady', ready.message);
    }
    return { requeueAfterMs };
  };

  return createReconcileLoop(deps, {
    name: 'node-health',
    watches: [
      watchKeys(informers.StorageNode, (node) => [node.metadata.name]),
      watchKeys(informers.Lease, (lease) => [lease.metadata.name]),
    ],
    reconcile,
    workers: 4,
  });
}
