/** Where a volume that stays on one node is to be: on the first of the nodes that a call prefers which has room. */
import { type NodeOrder, orderNodes, type TopologyWish } from '../../domain/csi/topology.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import { NODE_TOPOLOGY } from '../../domain/volume/persistent-volume.ts';
import { addVolume } from '../volumes/add-volume.ts';
import type { AddVolumeRequest } from '../volumes/fit-volume.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';

/** Each is asked by itself; the rest are left to placement, all at once. */
const MAX_FIRST = 8;

/**
 * Asks placement, and stores nothing.
 *
 * @returns the node; undefined where the call does not say any, and placement chooses when the volume is made
 * @throws {AppError} capacity, with the reasons of the nodes that were asked last; invalid, for a bad wish
 */
export async function chooseNode(
  deps: WaitDeps,
  request: AddVolumeRequest,
  { topology, signal }: { readonly topology: TopologyWish; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const order = orderNodes(topology);
  if (order === undefined) return undefined;
  let full: unknown = new AppError('capacity', 'none of the topologies asked for is a node of this driver', {
    reason: 'NoSuchTopology',
    hint: `a topology has the one key ${NODE_TOPOLOGY}, and a node has it as its name`,
  });
  for (const nodes of tries(order)) {
    try {
      const fit = await addVolume(deps, { ...request, ...nodes }, { isDryRun: true, signal });
      return fit.placement[0]?.node;
    } catch (error) {
      if (!isAppError(error, 'capacity')) throw error;
      full = error;
    }
  }
  throw full;
}

function tries({ first, others }: NodeOrder): readonly Pick<AddVolumeRequest, 'nodes'>[] {
  const each = first.slice(0, MAX_FIRST).map((node) => ({ nodes: [node] }));
  if (others === 'any') return [...each, {}];
  const rest = [...first.slice(MAX_FIRST), ...others];
  return rest.length === 0 ? each : [...each, { nodes: rest }];
}
