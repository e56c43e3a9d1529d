/** Creates a volume: checks the wish, finds out whether it fits before anything is stored, and waits if asked to. */
import { AppError } from '../../domain/errors.ts';
import { VOLUME_FINALIZER } from '../../domain/finalizers.ts';
import type { Locality } from '../../domain/locality/locality.ts';
import { volumeSpec } from '../../domain/plan/diff-plan.ts';
import { phaseOf } from '../../domain/volume/describe-volume.ts';
import type { ChosenLayout } from '../../domain/volume/layout.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';
import { type AddVolumeRequest, checkWish, findPlaces, type Places, readPlaces, type Wish } from './fit-volume.ts';
import { type ReadyOptions, waitUntilReady } from './wait-until-ready.ts';

export interface AddVolumeOptions {
  /** Checks and places, and stores nothing. */
  readonly isDryRun?: boolean;
  /** Waits this long until the volume is ready; does not wait when left out. */
  readonly waitMs?: number;
  /** Called once the volume is stored, before any waiting. */
  readonly onStored?: (added: AddedVolume) => void;
  /** Told each state in which the volume is seen while waiting. */
  readonly onSeen?: ReadyOptions['onSeen'];
  readonly signal?: AbortSignal;
}

export interface AddedVolume extends ChosenLayout, Places {
  readonly name: string;
  readonly size: string;
  readonly isDryRun: boolean;
  /** Phase as last seen; undefined in a dry run. */
  readonly phase?: string;
}

/**
 * Adds a volume.
 *
 * @throws {AppError} invalid or range, for a bad wish; exists; capacity, with the reasons of placement; timeout
 */
export async function addVolume(
  deps: WaitDeps,
  request: AddVolumeRequest,
  options: AddVolumeOptions = {},
): Promise<AddedVolume> {
  const wish = checkWish(request);
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const [existing, stored] = await Promise.all([
    deps.client.get('Volume', wish.name, scope),
    readPlaces(deps.client, scope),
  ]);
  if (existing !== undefined) throw volumeExists(existing);
  const fit = findPlaces(wish, request, stored);
  const added = { ...fit, name: wish.name, size: wish.size, isDryRun: options.isDryRun ?? false };
  if (options.isDryRun === true) return added;
  const allowSplitBrain = request.allowSplitBrain ?? false;
  const spec = {
    ...volumeSpec({ ...wish, ...fit, allowSplitBrain }),
    ...beyondPlan(wish, request),
  };
  const metadata = { name: wish.name, finalizers: [VOLUME_FINALIZER], annotations: request.annotations ?? {} };
  const volume = await deps.client.create('Volume', { metadata, spec }, scope);
  const begun = { ...added, phase: phaseOf(volume) };
  options.onStored?.(begun);
  if (options.waitMs === undefined) return begun;
  const seen = options.onSeen === undefined ? {} : { onSeen: options.onSeen };
  const ready = await waitUntilReady(deps, volume, { ...scope, ...seen, waitMs: options.waitMs });
  return { ...added, phase: phaseOf(ready) };
}

/** What no plan can say of a volume. */
function beyondPlan(
  { zones, locality }: Wish,
  { keyIsGiven }: AddVolumeRequest,
): { zones?: readonly string[]; locality?: Locality; keyIsGiven?: true } {
  return {
    ...(zones === undefined ? {} : { zones }),
    ...(locality === undefined ? {} : { locality }),
    ...(keyIsGiven === true ? { keyIsGiven } : {}),
  };
}

/** The failure of whoever needs the name of a volume that is there. */
export function volumeExists(volume: Resource<'Volume'>): AppError {
  const { name } = volume.metadata;
  const isLeaving = volume.metadata.deletionTimestamp !== undefined;
  return new AppError('exists', `volume ${name} exists already${isLeaving ? ' and is being deleted' : ''}`, {
    resource: `volume ${name}`,
    reason: 'VolumeExists',
    hint: isLeaving
      ? 'wait until it is gone, or choose another name'
      : `choose another name, or see: holdfast volume show ${name}`,
  });
}
