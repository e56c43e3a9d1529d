/** What-if questions about the cluster as it is now. All of them only read. */
import { AppError } from '../../domain/errors.ts';
import { labelFault, parseNodeName } from '../../domain/names.ts';
import { type AddedNodeReport, type NewNode, simulateAddedNode } from '../../domain/simulate/add-node.ts';
import { type GrowthReport, type GrowthRequest, simulateGrowth } from '../../domain/simulate/grow.ts';
import { type LossReport, simulateLoss } from '../../domain/simulate/simulate-loss.ts';
import type { StoredCluster } from '../../domain/simulate/stored-cluster.ts';
import { keepsCopies } from '../../domain/volume/engines.ts';
import { nodeNames, type ReadDeps, readCluster, requireKnown, zoneNames } from './read-cluster.ts';

/**
 * What the loss of these nodes would do.
 *
 * @throws {AppError} notFound, with the nearest name
 */
export async function loseNodesReport(deps: ReadDeps, nodes: readonly string[]): Promise<LossReport> {
  const stored = await readCluster(deps);
  requireKnown('node', nodes, nodeNames(stored));
  return simulateLoss(keptOnNodes(stored), nodes);
}

/**
 * What the loss of all nodes in these zones would do.
 *
 * @throws {AppError} notFound, with the nearest name
 */
export async function loseZonesReport(deps: ReadDeps, zones: readonly string[]): Promise<LossReport> {
  const stored = await readCluster(deps);
  requireKnown('zone', zones, zoneNames(stored));
  const lost = stored.nodes.filter((node) => node.spec.zone !== undefined && zones.includes(node.spec.zone));
  return simulateLoss(
    keptOnNodes(stored),
    lost.map((node) => node.metadata.name ?? ''),
  );
}

/**
 * What another node would make possible.
 *
 * @throws {AppError} invalid, for a bad name; exists
 */
export async function addNodeReport(deps: ReadDeps, node: NewNode): Promise<AddedNodeReport> {
  parseNodeName(node.name);
  const fault = node.zone === undefined ? undefined : labelFault(node.zone);
  if (fault !== undefined) {
    throw new AppError('invalid', `zone name ${JSON.stringify(node.zone?.slice(0, 40))} ${fault}`, {
      reason: 'InvalidName',
    });
  }
  const stored = await readCluster(deps);
  if (nodeNames(stored).includes(node.name)) {
    throw new AppError('exists', `node ${node.name} exists already`, {
      resource: `node ${node.name}`,
      reason: 'NodeExists',
      hint: 'choose a name that is not taken; see: holdfast node list',
    });
  }
  return simulateAddedNode(keptOnNodes(stored), node);
}

/** When pools would be full. */
export async function growthReport(deps: ReadDeps, request: GrowthRequest): Promise<GrowthReport> {
  return simulateGrowth(keptOnNodes(await readCluster(deps)), request);
}

/** What a file server keeps is not moved by anything that becomes of nodes. */
function keptOnNodes(stored: StoredCluster): StoredCluster {
  return { ...stored, volumes: stored.volumes.filter(({ spec }) => keepsCopies(spec.engine)) };
}
