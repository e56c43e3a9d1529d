/** How many nodes a volume takes that is spread over several replica sets. */

/** Replicas times distribution against the nodes there are: the sentence when they are too few, else undefined. */
export function tooFewNodes(
  wish: { readonly replicas: number; readonly distribution: number },
  usableNodes: number,
): string | undefined {
  const needed = wish.replicas * wish.distribution;
  if (needed <= usableNodes) return undefined;
  const are = usableNodes === 1 ? 'is' : 'are';
  return (
    `the requested volume configuration requires ${wish.replicas} x ${wish.distribution} = ${needed} storage nodes, ` +
    `but only ${usableNodes} ${are} usable`
  );
}
