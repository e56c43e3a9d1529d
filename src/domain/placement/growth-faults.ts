/** Whether copies that are placed already have room to grow where they are: placement's own filters, and no choice. */
import { FILTERS, type Filter, failedChecks } from './filters.ts';
import type { PlacementNode } from './model.ts';

export interface GrowingCopy {
  readonly node: string;
  readonly pool: string;
  /** Bytes of the pool that it takes now, and is to take. */
  readonly fromBytes: number;
  readonly toBytes: number;
}

/** What decides about a place that has been chosen: whether its agent is there to do it, and whether there is room. */
const GROWTH_FILTERS: readonly Filter[] = FILTERS.filter(({ name }) =>
  ['nodeReady', 'hasPool', 'poolReady', 'enoughRoom'].includes(name),
);

/**
 * Why the copies cannot all grow, one line per node with its numbers: "kube3: 4 GiB free < 10.2 GiB". None when they can.
 *
 * @param nodes - as placement sees them, with all that is promised to others and to these copies until now
 */
export function growthFaults(
  volume: { readonly name: string; readonly engine: string },
  copies: readonly GrowingCopy[],
  nodes: readonly PlacementNode[],
): readonly string[] {
  const needs = new Map<string, { readonly node: string; readonly pool: string; bytes: number }>();
  for (const { node, pool, fromBytes, toBytes } of copies) {
    const need = needs.get(`${node}/${pool}`) ?? { node, pool, bytes: 0 };
    need.bytes += Math.max(0, toBytes - fromBytes);
    needs.set(`${node}/${pool}`, need);
  }
  return [...needs.values()]
    .filter((need) => need.bytes > 0)
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
    .flatMap((need) => faultsOf(volume, need, nodes));
}

function faultsOf(
  { name: volume, engine }: { readonly name: string; readonly engine: string },
  { node: name, pool, bytes }: { readonly node: string; readonly pool: string; readonly bytes: number },
  nodes: readonly PlacementNode[],
): readonly string[] {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node === undefined) return [`${name}: there is no such node any more`];
  const request = { volume, pool, engine, sizeBytes: { data: bytes, arbiter: bytes }, copies: [] };
  const failed = failedChecks({ node, request, takenNodes: new Set(), sizeBytes: bytes }, GROWTH_FILTERS);
  return failed.map(({ message }) => `${name}: ${message}`);
}
