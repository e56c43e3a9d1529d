/**
 * Adds a volume that claims can have: the volume first, and its PersistentVolume once it is ready. What was asked for is
 * written on the volume, so that the same call goes on where an earlier one stopped.
 */
import { AppError } from '../../domain/errors.ts';
import { parseVolumeName } from '../../domain/names.ts';
import type { PlacementExplanation } from '../../domain/placement/explain-placement.ts';
import { phaseOf } from '../../domain/volume/describe-volume.ts';
import { layoutFields } from '../../domain/volume/layout-fields.ts';
import { type Registration, STATIC_VOLUME_ANNOTATION } from '../../domain/volume/persistent-volume.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { persistentVolumeInTheWay, registerVolume } from '../persistent-volumes/register-volume.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';
import { type AddedVolume, type AddVolumeOptions, addVolume, volumeExists } from './add-volume.ts';
import type { AddVolumeRequest } from './fit-volume.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export interface StaticVolumeRequest extends Omit<AddVolumeRequest, 'annotations'> {
  readonly registration: Registration;
}

export interface StaticVolumeOptions extends Omit<AddVolumeOptions, 'onStored'> {
  /** A volume that was asked for in the same words is taken as it is, instead of an error. */
  readonly mayExist?: boolean;
  /** Called once the volume is stored, before any waiting. */
  readonly onStored?: (stored: StaticVolume) => void;
}

export type StaticVolume = Omit<AddedVolume, 'explanation'> & {
  /** Every node against every filter; only of a volume that this call added. */
  readonly explanation?: PlacementExplanation;
  /** An earlier call had stored it. */
  readonly isResumed: boolean;
  /** Whether its PersistentVolume, which has its name, is there. */
  readonly isRegistered: boolean;
};

const RECYCLE_NOTE =
  'Recycle: once its claim is gone the volume is made anew, empty; what was in it is lost, and any claim of its class may have it';

/**
 * Adds a volume and registers its PersistentVolume when it is ready; without `waitMs` only when it is ready already.
 *
 * @throws {AppError} as `addVolume`; exists, also when a PersistentVolume has the name
 */
export async function addStaticVolume(
  deps: WaitDeps,
  request: StaticVolumeRequest,
  options: StaticVolumeOptions = {},
): Promise<StaticVolume> {
  const name = parseVolumeName(request.name);
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const [volume, persistentVolume] = await Promise.all([
    deps.client.get('Volume', name, scope),
    deps.client.get('PersistentVolume', name, scope),
  ]);
  if (volume !== undefined) {
    const isDone = persistentVolume !== undefined && options.mayExist !== true;
    if (isDone || options.isDryRun === true || !isSameRequest(volume, request)) throw volumeExists(volume);
    return resume(deps, volume, { request, options });
  }
  if (persistentVolume !== undefined) throw persistentVolumeInTheWay(persistentVolume);
  return addNew(deps, request, options);
}

async function addNew(
  deps: WaitDeps,
  request: StaticVolumeRequest,
  options: StaticVolumeOptions,
): Promise<StaticVolume> {
  const { onStored } = options;
  const { registration, ...wish } = request;
  if (request.engine === 'local' && registration.accessModes.includes('ReadWriteMany')) {
    throw new AppError('invalid', 'a local volume is used on one node: nothing was created', {
      reason: 'EngineMismatch',
      hint: 'offer it with --access-modes ReadWriteOnce, or choose engine gluster',
    });
  }
  const annotations = { [STATIC_VOLUME_ANNOTATION]: markOf(request) };
  const asNew = (added: AddedVolume) => {
    const notes = [...added.notes, ...(request.registration.reclaimPolicy === 'Recycle' ? [RECYCLE_NOTE] : [])];
    return { ...added, notes, isResumed: false, isRegistered: false };
  };
  const added = await addVolume(
    deps,
    { ...wish, annotations },
    { ...options, onStored: (stored) => onStored?.(asNew(stored)) },
  );
  return register(deps, asNew(added), { request, options });
}

interface Call {
  readonly request: StaticVolumeRequest;
  readonly options: StaticVolumeOptions;
}

async function resume(deps: WaitDeps, volume: Resource<'Volume'>, call: Call): Promise<StaticVolume> {
  const { waitMs, signal, onSeen } = call.options;
  const found = describe(volume);
  call.options.onStored?.(found);
  if (waitMs === undefined) return register(deps, found, call);
  const scope = { ...(signal === undefined ? {} : { signal }), ...(onSeen === undefined ? {} : { onSeen }) };
  const ready = await waitUntilReady(deps, volume, { ...scope, waitMs });
  return register(deps, describe(ready), call);
}

function describe(volume: Resource<'Volume'>): StaticVolume {
  const { metadata, spec, status } = volume;
  return {
    name: metadata.name,
    size: spec.size,
    ...layoutFields(spec),
    placement: (status?.placement ?? []).map(({ node, pool, role, set = 0 }, index) => ({
      index,
      node,
      pool,
      role,
      set,
    })),
    reasons: status?.reasons ?? [],
    notes: [`volume ${metadata.name} is there already and was asked for in the same words: going on with it`],
    isDryRun: false,
    phase: phaseOf(volume),
    isResumed: true,
    isRegistered: false,
  };
}

async function register(deps: WaitDeps, added: StaticVolume, { request, options }: Call): Promise<StaticVolume> {
  if (added.phase !== 'Ready') return added;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const volume = await deps.client.get('Volume', added.name, scope);
  if (volume === undefined) {
    throw new AppError('notFound', `volume ${added.name} was deleted by somebody else before it was registered`, {
      resource: `volume ${added.name}`,
    });
  }
  await registerVolume({ client: deps.client, ...scope }, volume, request.registration);
  return { ...added, isRegistered: true };
}

function isSameRequest(volume: Resource<'Volume'>, request: StaticVolumeRequest): boolean {
  const { annotations, deletionTimestamp } = volume.metadata;
  return deletionTimestamp === undefined && annotations?.[STATIC_VOLUME_ANNOTATION] === markOf(request);
}

/** The request as one text, the same for the same request. */
function markOf({ name: _name, ...request }: StaticVolumeRequest): string {
  const { registration, distribution = 1, ...wish } = request;
  const spread = distribution === 1 ? {} : { distribution };
  const sorted = (object: object) => Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const entries = [
    ...sorted({ ...wish, ...spread }),
    ['registration', Object.fromEntries(sorted(registration))] as const,
  ];
  return JSON.stringify(Object.fromEntries(entries));
}
