/** From what a person asks for (layout, replicas) to the copies that make the volume. */
import type { CopyRole, WantedCopy } from '../placement/model.ts';

export type LayoutName = 'single' | 'replicated' | 'arbiter';

export interface LayoutRequest {
  readonly layout?: LayoutName;
  /** Copies that hold data. */
  readonly replicas?: number;
  readonly allowSplitBrain?: boolean;
}

export interface ChosenLayout {
  readonly layout: LayoutName;
  readonly replicas: number;
}

export type LayoutDecision =
  | ({ readonly ok: true; readonly notes: readonly string[] } & ChosenLayout)
  | { readonly ok: false; readonly message: string; readonly hint: string };

/** Copies with data when nothing is said: what survives any one node without a decision by anybody. */
export const DEFAULT_REPLICAS = 3;
/** As the schema of Volume has it. */
export const MAX_REPLICAS = 9;

/** The copies of a layout, in the engine's order. */
export function rolesOf({ layout, replicas }: ChosenLayout): readonly CopyRole[] {
  const data: readonly CopyRole[] = Array.from({ length: replicas }, () => 'data');
  return layout === 'arbiter' ? [...data, 'arbiter'] : data;
}

/** {@link rolesOf} with places in the order of bricks. */
export function copiesOf(chosen: ChosenLayout): readonly WantedCopy[] {
  return rolesOf(chosen).map((role, index) => ({ index, role }));
}

/** The replica count that a stored volume's spec means when it names none. */
export function defaultReplicas(layout: LayoutName): number {
  return layout === 'single' ? 1 : layout === 'arbiter' ? 2 : DEFAULT_REPLICAS;
}

/** True for a number of data copies that a volume can have. */
export function isReplicaCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= MAX_REPLICAS;
}

/** True for the name of a layout. */
export function isLayoutName(value: unknown): value is LayoutName {
  return value === 'single' || value === 'replicated' || value === 'arbiter';
}

/**
 * Decides the layout for a new volume.
 *
 * Two plain replicas diverge as soon as the nodes lose each other (facts: GlusterFS cannot avoid it), so two become
 * two and an arbiter where a third node is usable, and are refused otherwise unless `allowSplitBrain` says it.
 *
 * @param usableNodes - nodes that could take a copy, however full they are
 */
export function decideLayout(request: LayoutRequest, usableNodes: number): LayoutDecision {
  const { layout, replicas, allowSplitBrain = false } = request;
  if (replicas !== undefined && !isReplicaCount(replicas)) {
    return refuse(`${String(replicas)} is no number of replicas`, `choose a whole number from 1 to ${MAX_REPLICAS}`);
  }
  if (layout === 'single' || (layout === undefined && replicas === 1)) return decideSingle(replicas, usableNodes);
  if (layout === 'arbiter') return decideArbiter(replicas, usableNodes);
  if (replicas === 1) return refuse('layout replicated needs at least 2 replicas, not 1', 'use layout single');
  if (replicas === 2 && !allowSplitBrain) return decideTwo(layout, usableNodes);
  return enough({ layout: 'replicated', replicas: replicas ?? DEFAULT_REPLICAS }, usableNodes);
}

/** Two data copies by themselves have nobody to decide between them. */
function decideTwo(layout: 'replicated' | undefined, usableNodes: number): LayoutDecision {
  const message = '2 plain replicas can diverge (split brain) when their nodes lose each other';
  const accept = 'say allowSplitBrain: true (--allow-split-brain) if you accept that';
  if (layout === 'replicated') return refuse(message, `use layout arbiter or 3 replicas, or ${accept}`);
  if (usableNodes < 3) {
    const why = `${message}, and an arbiter needs a third node: ${countNodes(usableNodes)}`;
    return refuse(why, `add a node, or ${accept}`);
  }
  const note =
    '2 replicas alone can diverge (split brain): a third node takes an arbiter, which holds names but no data';
  return { ok: true, layout: 'arbiter', replicas: 2, notes: [note] };
}

function decideSingle(replicas: number | undefined, usableNodes: number): LayoutDecision {
  if (replicas !== undefined && replicas !== 1) {
    return refuse(`layout single has 1 replica, not ${replicas}`, 'leave replicas out, or use layout replicated');
  }
  return enough({ layout: 'single', replicas: 1 }, usableNodes);
}

function decideArbiter(replicas: number | undefined, usableNodes: number): LayoutDecision {
  if (replicas !== undefined && replicas !== 2) {
    const message = `layout arbiter has 2 replicas with data and a third that decides, not ${replicas}`;
    return refuse(message, 'leave replicas out, or use layout replicated');
  }
  return enough({ layout: 'arbiter', replicas: 2 }, usableNodes);
}

function enough(chosen: ChosenLayout, usableNodes: number): LayoutDecision {
  const needed = rolesOf(chosen).length;
  if (needed <= usableNodes) return { ok: true, ...chosen, notes: [] };
  const sum = chosen.layout === 'arbiter' ? `2 data + 1 arbiter = ${needed} nodes` : describeCount(needed);
  return refuse(
    `the requested volume configuration requires ${sum}, but ${countNodes(usableNodes)}`,
    `add ${describeCount(needed - usableNodes)}, bring nodes back, or ask for fewer replicas`,
  );
}

function refuse(message: string, hint: string): LayoutDecision {
  return { ok: false, message, hint };
}

function countNodes(count: number): string {
  return count === 1 ? 'only 1 is usable' : `only ${count} are usable`;
}

function describeCount(count: number): string {
  return count === 1 ? '1 storage node' : `${count} storage nodes`;
}
