/** Marks that say what a look is worth later: whether the nodes that were looked at have been away since. */
import { readySince } from '../../domain/node/is-usable.ts';
import type { PlacedCopy } from '../../schemas/volume.ts';
import type { AgentDeps } from './agent-deps.ts';

/**
 * By node, since when each node of the placement has been ready, as far as this agent knows. To be taken before a look:
 * what is seen afterwards is newer than these marks. See BrickStatus.nodeReadySince.
 */
export function nodesReadySince(
  { informers }: Pick<AgentDeps, 'informers'>,
  placement: readonly PlacedCopy[],
): Readonly<Record<string, string>> {
  const marks = placement.map(({ node }) => {
    const found = informers.StorageNode.get(node);
    return [node, found === undefined ? undefined : readySince(found)] as const;
  });
  return Object.fromEntries(marks.flatMap(([node, since]) => (since === undefined ? [] : [[node, since]])));
}
