/** Changes how many copies a volume has, and waits until it has them. The change itself is the spec; the controller carries it out. */
import { AppError } from '../../domain/errors.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { type LayoutNumbers, layoutFaults } from '../../domain/volume/layout-faults.ts';
import { isMarked } from '../../domain/volume/membership.ts';
import { type LayoutSpec, replicasOf, setCount, setRoles } from '../../domain/volume/replica-sets.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { showVolume } from './read-volumes.ts';

export type ConvertibleLayout = 'single' | 'replicated' | 'arbiter';

export interface Conversion {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly isDryRun: boolean;
  readonly isDone: boolean;
  /** It was so already, and nothing was left to do. */
  readonly isUnchanged: boolean;
}

export interface ConvertOptions {
  readonly isDryRun: boolean;
  /** How long to wait; does not wait when left out. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress: (message: string) => void;
}

/**
 * Converts a volume.
 *
 * @throws {AppError} notFound; precondition, for a layout that cannot be converted; invalid, as the API refuses it; timeout
 */
export async function convertVolume(
  deps: WaitDeps,
  wish: { readonly name: string; readonly layout?: ConvertibleLayout; readonly replicas?: number },
  options: ConvertOptions,
): Promise<Conversion> {
  const { name } = wish;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const { volume } = await showVolume({ client: deps.client, ...scope }, name);
  const next = targetOf(volume, wish);
  assertPossible(volume, next);
  const isUnchanged = isSame(volume.spec, next) && hasCopies(volume, next);
  const conversion = { name, from: describe(volume.spec), to: describe(next), isDryRun: options.isDryRun, isUnchanged };
  if (isUnchanged) return { ...conversion, isDone: !options.isDryRun };
  if (options.isDryRun) return { ...conversion, isDone: false };
  const { uid } = volume.metadata;
  await deps.client.patch('Volume', name, { spec: next }, { uid, ...scope });
  if (options.waitMs === undefined) return { ...conversion, isDone: false };
  await waitUntilConverted(deps, volume, next, { ...options, waitMs: options.waitMs });
  return { ...conversion, isDone: true };
}

function targetOf(
  { metadata, spec }: Resource<'Volume'>,
  wish: { readonly layout?: ConvertibleLayout; readonly replicas?: number },
): { readonly layout: ConvertibleLayout; readonly replicas: number } {
  const { name } = metadata;
  if (spec.adopted !== undefined) {
    throw new AppError('precondition', `volume ${name} was adopted: its copies stay as they were found`, {
      resource: `volume ${name}`,
      reason: 'AdoptedCopiesStay',
      hint: 'change it with "gluster volume add-brick" or "remove-brick", then forget it and adopt it anew; or make another volume and copy the data',
    });
  }
  if (spec.engine === 'nfs') {
    throw new AppError('precondition', `volume ${name} is a share of a file server: it has no copies on nodes`, {
      resource: `volume ${name}`,
      reason: 'KeptByServer',
      hint: 'make a volume of engine gluster and copy the data',
    });
  }
  if (spec.engine === 'local') {
    throw new AppError('precondition', `volume ${name} is local: it has one copy, on one node`, {
      resource: `volume ${name}`,
      reason: 'LocalVolume',
      hint: 'make a volume of engine gluster and copy the data',
    });
  }
  if (!isConvertible(spec.layout) || setCount(spec) > 1) {
    throw new AppError('precondition', `volume ${name} is ${spec.layout}, whose copies do not each hold everything`, {
      resource: `volume ${name}`,
      reason: 'NotConvertible',
      hint: 'only single, replicated and arbiter volumes of one set can be converted; else make another volume and copy the data',
    });
  }
  const layout = wish.layout ?? layoutFor(spec.layout, wish.replicas ?? replicasOf(spec));
  const usual = { single: 1, arbiter: 2, replicated: Math.max(3, replicasOf(spec)) }[layout];
  return { layout, replicas: wish.replicas ?? usual };
}

/** @throws {AppError} invalid, as the API would refuse it; said before anything is changed, and in a dry run too */
function assertPossible({ metadata, spec }: Resource<'Volume'>, next: LayoutNumbers): void {
  const faults = layoutFaults({ ...next, allowSplitBrain: spec.allowSplitBrain });
  const [first] = faults;
  if (first === undefined) return;
  throw new AppError('invalid', `volume ${metadata.name} is not converted: ${first.field} ${first.message}`, {
    resource: `volume ${metadata.name}`,
    reason: 'InvalidLayout',
    faults: faults.slice(1),
  });
}

/** Two copies with data keep the arbiter that decides between them. */
function layoutFor(now: ConvertibleLayout, replicas: number): ConvertibleLayout {
  if (replicas === 1) return 'single';
  return now === 'arbiter' && replicas === 2 ? 'arbiter' : 'replicated';
}

function isConvertible(layout: string): layout is ConvertibleLayout {
  return layout === 'single' || layout === 'replicated' || layout === 'arbiter';
}

function isSame(now: LayoutSpec, next: LayoutSpec): boolean {
  return now.layout === next.layout && replicasOf(now) === replicasOf(next);
}

/** Placed as the layout has it, and no change is under way. */
function hasCopies({ status }: Resource<'Volume'>, next: LayoutSpec): boolean {
  const { placement = [] } = status ?? {};
  const roles = placement.map((placed) => placed.role).toSorted();
  return roles.join() === setRoles(next).toSorted().join() && !placement.some(isMarked);
}

async function waitUntilConverted(
  deps: WaitDeps,
  volume: Resource<'Volume'>,
  next: LayoutSpec,
  { waitMs, signal, onProgress }: ConvertOptions & { readonly waitMs: number },
): Promise<void> {
  const { name, uid } = volume.metadata;
  let told: string | undefined;
  await waitForObject(deps, {
    ...{ kind: 'Volume', name, timeoutMs: waitMs },
    ...(signal === undefined ? {} : { signal }),
    check: (seen) => {
      if (seen === undefined || seen.metadata.uid !== uid) throw goneMeanwhile(name);
      if (hasCopies(seen, next)) return true;
      const message = findCondition(seen, 'Settled')?.message;
      if (message !== undefined && message !== told) onProgress(`${name}: ${message}`);
      told = message;
      return undefined;
    },
    describeTimeout: (seen) => {
      const why = (seen === undefined ? undefined : findCondition(seen, 'Settled')?.message) ?? 'nothing has begun';
      return new AppError('timeout', `volume ${name} is not converted after ${waitMs / 1000} s: ${why}`, {
        resource: `volume ${name}`,
        reason: 'NotConvertedInTime',
        hint: `it goes on by itself; see: holdfast volume show ${name}`,
      });
    },
  });
}

function goneMeanwhile(name: string): AppError {
  return new AppError('notFound', `volume ${name} was deleted meanwhile`, { resource: `volume ${name}` });
}

function describe(spec: LayoutSpec): string {
  const data = replicasOf(spec);
  if (spec.layout === 'arbiter') return `${data} copies and an arbiter`;
  return data === 1 ? '1 copy' : `${data} copies`;
}
