/** Tells placement which nodes are for pods only: the labels of the Kubernetes node, seen in the status of the StorageNode. */
import { isComputeOnly } from '../../domain/locality/locality.ts';
import type { Millis } from '../../ports/clock.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { createInformer, type Informer } from '../runtime/informer.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';

/** Of Kubernetes nodes, which are large and change often, only the labels are kept. @param idleMs - as of all informers */
export function createNodeInformer(
  deps: Pick<ControllerDeps, 'client' | 'clock' | 'random' | 'log'>,
  idleMs: Millis,
): Informer<'Node'> {
  return createInformer(deps, { kind: 'Node', idleMs, trim: labelsOnly });
}

/**
 * The loop behind StorageNode.status.isComputeOnly. A node that Kubernetes does not know, or knows no more, is like one
 * without the label: copies may be on machines outside the cluster.
 */
export function createComputeOnlyLoop(deps: ControllerDeps, nodes: Informer<'Node'>): ReconcileLoop {
  const { informers, statusWriter, events } = deps;

  const reconcile = async (name: string, signal: AbortSignal) => {
    const node = informers.StorageNode.get(name);
    if (node === undefined) return undefined;
    const isOne = isComputeOnly(nodes.get(name)?.metadata.labels);
    if (isOne === (node.status?.isComputeOnly === true)) return undefined;
    await statusWriter.write('StorageNode', node, { isComputeOnly: isOne ? true : undefined }, { signal });
    if (isOne) events.normal(node, 'ComputeOnly', 'its label keeps new copies away; those that are here stay');
    else events.normal(node, 'NotComputeOnly', 'it may take copies: its label is gone');
    return undefined;
  };

  return createReconcileLoop(deps, {
    name: 'compute-only',
    watches: [
      watchKeys(informers.StorageNode, (node) => [node.metadata.name]),
      watchKeys(
        nodes,
        (node) => [node.metadata.name],
        ({ before, after }) => hasSameLabels(before, after),
      ),
    ],
    reconcile,
  });
}

function labelsOnly({ apiVersion, kind, metadata }: Resource<'Node'>): Resource<'Node'> {
  const { name, uid, resourceVersion, generation, creationTimestamp, labels } = metadata;
  return { apiVersion, kind, metadata: { name, uid, resourceVersion, generation, creationTimestamp, labels } };
}

function hasSameLabels(before: Resource<'Node'>, after: Resource<'Node'>): boolean {
  return isComputeOnly(before.metadata.labels) === isComputeOnly(after.metadata.labels);
}
