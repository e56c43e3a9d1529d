/** Sets the condition Ready of each StorageNode from its heartbeat. */

import { findCondition } from '../../domain/find-condition.ts';
import { decideNodeHealth, HEARTBEAT_LOST, HEARTBEAT_TIMEOUT_MS } from '../../domain/node/decide-node-health.ts';
import type { ControllerDeps } from '../deps.ts';
import { setCondition } from '../runtime/conditions.ts';
import { createReconcileLoop, type KeySource, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { createHeartbeats, type Heartbeats } from './heartbeats.ts';

/**
 * Creates the loop. It looks at a node when its heartbeat begins, first goes on, falls silent or begins again, and when the
 * node itself changes; not at each beat.
 */
export function createNodeHealthLoop(deps: ControllerDeps): ReconcileLoop {
  const { informers, clock, events, statusWriter } = deps;
  let heartbeats: Heartbeats | undefined;

  const leases: KeySource = {
    ...watchKeys(informers.Lease, () => []),
    subscribe: (enqueue) => {
      const beats = createHeartbeats(clock, HEARTBEAT_TIMEOUT_MS, enqueue);
      heartbeats = beats;
      const unsubscribe = informers.Lease.onChange((change) => {
        const { metadata, spec } = change.type === 'deleted' ? change.before : change.after;
        if (change.type !== 'deleted' && typeof spec.renewTime === 'string') beats.heard(metadata.name, spec.renewTime);
        else {
          beats.forget(metadata.name);
          enqueue(metadata.name);
        }
      });
      return () => {
        unsubscribe();
        beats.stop();
      };
    },
  };

  const reconcile = async (name: string, signal: AbortSignal) => {
    const node = informers.StorageNode.get(name);
    if (node === undefined) return undefined;
    const before = findCondition(node, 'Ready');
    const ready = decideNodeHealth({
      silenceMs: heartbeats?.silenceOf(name),
      hasReported: node.status?.bootId !== undefined,
      wasLost: before?.reason === HEARTBEAT_LOST,
      hasBeaten: heartbeats?.hasBeaten(name) === true,
    });
    const conditions = [
      ...setCondition(node.status?.conditions, { ...ready, observedGeneration: node.metadata.generation }, clock.now()),
    ];
    await statusWriter.write('StorageNode', node, { conditions }, { signal });
    if (before !== undefined && before.status !== ready.status) {
      if (ready.status === 'True') events.normal(node, 'NodeReady', ready.message);
      else events.warning(node, 'NodeNotReady', ready.message);
    }
    return undefined;
  };

  return createReconcileLoop(deps, {
    name: 'node-health',
    watches: [watchKeys(informers.StorageNode, (node) => [node.metadata.name]), leases],
    reconcile,
    workers: 4,
  });
}
