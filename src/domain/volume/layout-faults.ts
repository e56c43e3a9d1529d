/** What is wrong with the numbers of a layout by themselves, whatever the machines; for the schema and for every edge. */
import { formatQuantity, MIB, parseQuantity, TIB } from '../bytes.ts';
import { isAppError } from '../errors.ts';

/** Every layout that the engine makes. */
export const LAYOUTS = [
  'single',
  'replicated',
  'arbiter',
  'distributed',
  'distributed-replicated',
  'dispersed',
  'distributed-dispersed',
] as const;
export type LayoutName = (typeof LAYOUTS)[number];

/** Fragments of a dispersed set when nothing is said: 2 hold data and 1 is spare, on 3 nodes. */
export const DEFAULT_DISPERSE_DATA = 2;
export const DEFAULT_REDUNDANCY = 1;
export const MAX_REPLICAS = 9;
/** As many sets as bricks were ever tried with; each is a process and a connection per mount. */
export const MAX_SETS = 128;
/** GlusterFS codes into at most 16 fragments with data (xlators/cluster/ec, EC_METHOD_MAX_FRAGMENTS). */
export const MAX_DISPERSE_DATA = 16;
/** What shard pieces are when only `true` is said; GlusterFS's own default. */
export const DEFAULT_SHARD = '64Mi';
/** Limits of features.shard-block-size (xlators/features/shard: 4 MB to 4 TB). */
const MIN_SHARD_BYTES = 4 * MIB;
const MAX_SHARD_BYTES = 4 * TIB;

/** The numbers as somebody wrote them; each may be missing. */
export interface LayoutNumbers {
  readonly layout: LayoutName;
  readonly replicas?: number | undefined;
  readonly distribution?: number | undefined;
  readonly disperseData?: number | undefined;
  readonly redundancy?: number | undefined;
  readonly shard?: boolean | string | undefined;
  readonly allowSplitBrain?: boolean | undefined;
}

export interface LayoutFault {
  readonly field: Exclude<keyof LayoutNumbers, 'layout' | 'allowSplitBrain'>;
  readonly message: string;
}

/** Everything that is wrong, one sentence each; empty when the numbers go together. */
export function layoutFaults(numbers: LayoutNumbers): readonly LayoutFault[] {
  return [
    ...replicaFaults(numbers),
    ...distributionFaults(numbers),
    ...disperseFaults(numbers),
    ...shardFaults(numbers.shard),
  ];
}

function replicaFaults({ layout, replicas, allowSplitBrain = false }: LayoutNumbers): readonly LayoutFault[] {
  if (replicas === undefined) return [];
  const message = replicaFault(layout, replicas, allowSplitBrain);
  return message === undefined ? [] : [{ field: 'replicas', message }];
}

function replicaFault(layout: LayoutName, replicas: number, allowSplitBrain: boolean): string | undefined {
  switch (layout) {
    case 'single':
    case 'distributed':
      return replicas === 1 ? undefined : `must be 1 for layout ${layout}`;
    case 'dispersed':
    case 'distributed-dispersed':
      return `does not go with layout ${layout}: say disperseData and redundancy`;
    case 'arbiter':
      return replicas === 2 ? undefined : 'must be 2 for layout arbiter (two copies hold data, a third decides)';
    case 'replicated':
    case 'distributed-replicated':
      return plainReplicaFault(layout, replicas, allowSplitBrain);
  }
}

/** Of copies that all hold data, and none that only decides. */
function plainReplicaFault(
  layout: 'replicated' | 'distributed-replicated',
  replicas: number,
  allowSplitBrain: boolean,
): string | undefined {
  const single = layout === 'replicated' ? 'single' : 'distributed';
  if (replicas === 1) return `must be at least 2 for layout ${layout}; use layout ${single}`;
  if (replicas !== 2 || allowSplitBrain) return undefined;
  return '2 plain replicas can diverge (split brain); use layout arbiter, 3 replicas, or set allowSplitBrain: true';
}

function distributionFaults({ layout, distribution }: LayoutNumbers): readonly LayoutFault[] {
  const refuse = (message: string): readonly LayoutFault[] => [{ field: 'distribution', message }];
  if (layout === 'arbiter') return [];
  if (!layout.startsWith('distributed')) {
    if (distribution === undefined || distribution === 1) return [];
    return refuse(`must be 1 for layout ${layout}; use layout ${distributedForm(layout)}`);
  }
  if (distribution !== undefined && distribution >= 2) return [];
  const alone = layout === 'distributed' ? 'single' : layout.slice('distributed-'.length);
  return refuse(`must be at least 2 for layout ${layout}; for 1, use layout ${alone}`);
}

/** The layout that spreads files over several of what this one is. */
function distributedForm(layout: LayoutName): LayoutName {
  if (layout === 'single') return 'distributed';
  if (layout === 'replicated') return 'distributed-replicated';
  return layout === 'dispersed' ? 'distributed-dispersed' : layout;
}

function disperseFaults({ layout, disperseData, redundancy }: LayoutNumbers): readonly LayoutFault[] {
  if (layout !== 'dispersed' && layout !== 'distributed-dispersed') {
    return (['disperseData', 'redundancy'] as const).flatMap((field) => {
      const isSaid = (field === 'disperseData' ? disperseData : redundancy) !== undefined;
      return isSaid ? [{ field, message: `goes with layout dispersed or distributed-dispersed, not ${layout}` }] : [];
    });
  }
  const [data, spare] = [disperseData ?? DEFAULT_DISPERSE_DATA, redundancy ?? DEFAULT_REDUNDANCY];
  if (spare < data) return [];
  // Otherwise two halves could each go on alone; GlusterFS refuses it too.
  const message = `must be less than disperseData: ${data} data + ${spare} redundancy would let two halves diverge`;
  return [{ field: 'redundancy', message }];
}

function shardFaults(shard: boolean | string | undefined): readonly LayoutFault[] {
  if (shard === undefined || typeof shard === 'boolean') return [];
  const bytes = quantityOrUndefined(shard);
  const isFit = bytes !== undefined && bytes >= MIN_SHARD_BYTES && bytes <= MAX_SHARD_BYTES && bytes % MIB === 0;
  if (isFit) return [];
  const range = `${formatQuantity(MIN_SHARD_BYTES)} to ${formatQuantity(MAX_SHARD_BYTES)}`;
  return [{ field: 'shard', message: `must be true, false, or a block size of ${range} in whole MiB, such as 64Mi` }];
}

function quantityOrUndefined(text: string): number | undefined {
  try {
    return parseQuantity(text);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return undefined; // no quantity: told as no block size
  }
}

/** Bytes of a shard piece; undefined for a volume without shard. */
export function shardBytes(shard: boolean | string | undefined): number | undefined {
  if (shard === undefined || shard === false) return undefined;
  return parseQuantity(shard === true ? DEFAULT_SHARD : shard);
}
