/** From what a person asks for (layout, replicas, sets) to the layout that is stored, or to why it cannot be. */
import { type LayoutName, layoutFaults, MAX_REPLICAS } from './layout-faults.ts';
import { layoutFields } from './layout-fields.ts';
import { fragmentsOf, setCount, setRoles } from './replica-sets.ts';
import { isStripedName, type LayoutWord, unstripe } from './striped.ts';

export interface LayoutRequest {
  readonly layout?: LayoutWord;
  /** Copies that hold data, of each set. */
  readonly replicas?: number;
  /** Sets that files are spread over. */
  readonly distribution?: number;
  readonly disperseData?: number;
  readonly redundancy?: number;
  /** true, or the size of a piece. */
  readonly shard?: boolean | string;
  readonly allowSplitBrain?: boolean;
}

/** The layout as a volume's spec holds it; what does not belong to the layout is left out. */
export interface ChosenLayout {
  readonly layout: LayoutName;
  readonly replicas?: number;
  /** Only where it is 2 or more. */
  readonly distribution?: number;
  readonly disperseData?: number;
  readonly redundancy?: number;
  readonly shard?: string;
}

export type LayoutDecision =
  | { readonly ok: true; readonly chosen: ChosenLayout; readonly notes: readonly string[] }
  | { readonly ok: false; readonly message: string; readonly hint: string };

type Refusal = Extract<LayoutDecision, { ok: false }>;
type Plain = Omit<LayoutRequest, 'layout'> & { readonly layout?: LayoutName };

/** Sets of a distributed layout when nothing is said. */
const DEFAULT_SETS = 2;

/** True for a number of data copies that a volume can have. */
export function isReplicaCount(value: unknown): value is number {
  return isCount(value) && value <= MAX_REPLICAS;
}

/** True for a whole number from 1. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

/**
 * Decides the layout for a new volume.
 *
 * Two plain replicas diverge as soon as the nodes lose each other (facts: GlusterFS cannot avoid it), so two become
 * two and an arbiter where a third node is usable, and are refused otherwise unless `allowSplitBrain` says it.
 *
 * @param usableNodes - nodes that could take a copy, however full they are; several sets may share them
 */
export function decideLayout({ layout, ...numbers }: LayoutRequest, usableNodes: number): LayoutDecision {
  const { replicas } = numbers;
  if (replicas !== undefined && !isReplicaCount(replicas)) {
    return refuse(`${String(replicas)} is no number of replicas`, `choose a whole number from 1 to ${MAX_REPLICAS}`);
  }
  if (!isStripedName(layout)) return choose(layout === undefined ? numbers : { ...numbers, layout }, usableNodes);
  const { warning, ...plain } = unstripe(layout, numbers.shard);
  // Two copies of a striped volume become an arbiter volume like any other two, so the layout is left to the numbers.
  const isTwo = replicas === 2 && plain.layout === 'distributed-replicated' && numbers.allowSplitBrain !== true;
  const sets = numbers.distribution ?? DEFAULT_SETS;
  const request = isTwo ? { ...numbers, shard: plain.shard, distribution: sets } : { ...numbers, ...plain };
  const decision = choose(request, usableNodes);
  return decision.ok ? { ...decision, notes: [warning, ...decision.notes] } : decision;
}

function choose(request: Plain, usableNodes: number): LayoutDecision {
  const layout = request.layout ?? inferLayout(request);
  const wrong = wrongReplicas(layout, request.replicas);
  if (wrong !== undefined) return wrong;
  const isTwo = request.replicas === 2 && request.allowSplitBrain !== true;
  if (isTwo && (layout === 'replicated' || layout === 'distributed-replicated')) return decideTwo(request, usableNodes);
  return enough({ ...request, layout }, usableNodes, []);
}

/** What the numbers alone mean. */
function inferLayout({ replicas, distribution = 1, disperseData, redundancy }: Plain): LayoutName {
  const isSpread = distribution > 1;
  if (disperseData !== undefined || redundancy !== undefined) return isSpread ? 'distributed-dispersed' : 'dispersed';
  if (replicas === 1) return isSpread ? 'distributed' : 'single';
  return isSpread ? 'distributed-replicated' : 'replicated';
}

/** Two data copies by themselves have nobody to decide between them. */
function decideTwo(request: Plain, usableNodes: number): LayoutDecision {
  const message = '2 plain replicas can diverge (split brain) when their nodes lose each other';
  const accept = 'say allowSplitBrain: true (--allow-split-brain) if you accept that';
  if (request.layout !== undefined) return refuse(message, `use layout arbiter or 3 replicas, or ${accept}`);
  if (usableNodes < 3) {
    const why = `${message}, and an arbiter needs a third node: ${countNodes(usableNodes)}`;
    return refuse(why, `add a node, or ${accept}`);
  }
  const note =
    '2 replicas alone can diverge (split brain): a third node takes an arbiter, which holds names but no data';
  return enough({ ...request, layout: 'arbiter' }, usableNodes, [note]);
}

/** The commonest mistakes, in words that also say what the layout is. */
function wrongReplicas(layout: LayoutName, replicas: number | undefined): Refusal | undefined {
  if (replicas === undefined) return undefined;
  if (layout === 'single' && replicas !== 1) {
    return refuse(`layout single has 1 replica, not ${replicas}`, 'leave replicas out, or use layout replicated');
  }
  if (layout === 'arbiter' && replicas !== 2) {
    const message = `layout arbiter has 2 replicas with data and a third that decides, not ${replicas}`;
    return refuse(message, 'leave replicas out, or use layout replicated');
  }
  if (layout === 'replicated' && replicas === 1) {
    return refuse('layout replicated needs at least 2 replicas, not 1', 'use layout single');
  }
  return undefined;
}

/** The last step: the numbers go together, and there are nodes for the copies of one set. */
function enough(
  request: Plain & { readonly layout: LayoutName },
  usableNodes: number,
  notes: readonly string[],
): LayoutDecision {
  const isSpread = request.layout.startsWith('distributed');
  const asked = { ...(isSpread ? { distribution: DEFAULT_SETS } : {}), ...request };
  const [fault] = layoutFaults(asked);
  if (fault !== undefined) return refuse(`${fault.field} ${fault.message}`, 'see: holdfast volume add --help');
  const chosen = layoutFields(asked);
  const needed = setRoles(chosen).length;
  if (needed <= usableNodes) return { ok: true, chosen, notes: [...notes, ...advice(chosen)] };
  const fewer = fragmentsOf(chosen) === undefined ? 'fewer replicas' : 'fewer fragments';
  return refuse(
    `the requested volume configuration requires ${describeSum(chosen)}, but ${countNodes(usableNodes)}`,
    `add ${describeCount(needed - usableNodes)}, bring nodes back, or ask for ${fewer}`,
  );
}

/** Allowed, but rarely meant. */
function advice(chosen: ChosenLayout): readonly string[] {
  const { data = 2 } = fragmentsOf(chosen) ?? {};
  if (Number.isInteger(Math.log2(data))) return [];
  const message = `${data} data fragments are no power of two: writes of 4 KiB and less cross stripes and have to be read first`;
  return [message];
}

/** The nodes of one set, as a sum: "2 data + 1 arbiter = 3 nodes". */
function describeSum(chosen: ChosenLayout): string {
  const needed = setRoles(chosen).length;
  const fragments = fragmentsOf(chosen);
  const sets = setCount(chosen) === 1 ? '' : ` for each of ${setCount(chosen)} sets`;
  if (chosen.layout === 'arbiter') return `2 data + 1 arbiter = ${needed} nodes${sets}`;
  if (fragments === undefined) return `${describeCount(needed)}${sets}`;
  return `${fragments.data} data + ${fragments.redundancy} redundancy = ${needed} nodes${sets}`;
}

function refuse(message: string, hint: string): Refusal {
  return { ok: false, message, hint };
}

function countNodes(count: number): string {
  return count === 1 ? 'only 1 is usable' : `only ${count} are usable`;
}

function describeCount(count: number): string {
  return count === 1 ? '1 storage node' : `${count} storage nodes`;
}
