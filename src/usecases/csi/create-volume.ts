/** CSI CreateVolume: the Volume that `holdfast volume add` and `volume clone` make, under the name of the claim. */
import { formatQuantity, parseQuantity } from '../../domain/bytes.ts';
import { type AskedAccess, accessFaultOf, assertAccess, kindOf, parseAccess } from '../../domain/csi/access.ts';
import { type CapacityRange, chooseSize, isInRange } from '../../domain/csi/capacity.ts';
import { classMisfit } from '../../domain/csi/class-misfit.ts';
import { readMutableParameters, type VolumeChange } from '../../domain/csi/mutable-parameters.ts';
import { nameForCsi, parseCsiId } from '../../domain/csi/names.ts';
import type { ClassWish } from '../../domain/csi/parameter-table.ts';
import { readParameters } from '../../domain/csi/parameters.ts';
import { settleWish } from '../../domain/csi/settle-wish.ts';
import { allowsNode, homeOf, type TopologyWish } from '../../domain/csi/topology.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { cloneVolume } from '../snapshots/clone-volume.ts';
import { findSnapshot } from '../snapshots/read-snapshots.ts';
import { addVolume } from '../volumes/add-volume.ts';
import { growVolume } from '../volumes/grow-volume.ts';
import { findVolume } from '../volumes/read-volumes.ts';
import { waitUntilReady } from '../volumes/wait-until-ready.ts';
import { chooseNode } from './choose-node.ts';
import { CALL_MS, CSI_NAME, CSI_REQUIRED, CSI_WISH, type CsiDeps } from './csi-deps.ts';
import { keepGivenKey, proveGivenKey, readGivenKey } from './given-key.ts';
import { changeVolume } from './modify-volume.ts';

/** What a volume begins with. */
export type VolumeOrigin = { readonly from: 'snapshot' | 'volume'; readonly id: string };

export interface CreateRequest {
  readonly name: string;
  readonly range: CapacityRange;
  readonly accesses: readonly AskedAccess[];
  readonly parameters: Readonly<Record<string, string>>;
  /** Those of a VolumeAttributesClass; they go before those of the class. */
  readonly mutableParameters: Readonly<Record<string, string>>;
  /** Never stored but for the key of an encrypted volume, and never repeated. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly origin?: VolumeOrigin;
  /** Where it has to be usable; obeyed for volumes that one node alone can use. */
  readonly topology: TopologyWish;
}

export interface CreatedVolume {
  readonly volumeId: string;
  readonly capacityBytes: number;
  /** The one node that can use it; left out where every node can. */
  readonly node?: string;
}

interface Wanted {
  readonly name: string;
  readonly wish: ClassWish;
  /** What is changed of it before it is handed out. */
  readonly change: VolumeChange;
  readonly key: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Creates a volume and waits until it can be used. Repeated, it goes on with what was begun.
 *
 * @throws {AppError} invalid; exists, when another volume has the name; notFound, for its source; capacity; range; conflict
 */
export async function createVolume(deps: CsiDeps, request: CreateRequest, signal: AbortSignal): Promise<CreatedVolume> {
  const wanted = readRequest(deps, request);
  const existing = await deps.client.get('Volume', wanted.name, { signal });
  if (existing !== undefined) assertSame(existing, wanted, request);
  if (request.origin !== undefined) {
    return findOrCreateFrom(deps, { wanted, request, origin: request.origin }, { existing, signal });
  }
  if (existing === undefined) await add(deps, wanted, request, signal);
  await keepGivenKey(deps, wanted, signal);
  return settle(deps, wanted.name, request, signal);
}

async function add(
  deps: CsiDeps,
  asked: Wanted,
  { accesses, range, topology, parameters }: CreateRequest,
  signal: AbortSignal,
): Promise<void> {
  const { name, annotations, key } = asked;
  const size = formatQuantity(chooseSize(range));
  const given = key === undefined ? {} : { keyIsGiven: true };
  const settled = settleWish(changedWish(asked), accesses, { name, parameters });
  const wanted = { ...settled, ...given, name, size, annotations };
  const node = wanted.engine === 'local' ? await chooseNode(deps, wanted, { topology, signal }) : undefined;
  await addVolume(deps, { ...wanted, ...(node === undefined ? {} : { nodes: [node] }) }, { signal });
}

function readRequest(deps: CsiDeps, request: CreateRequest): Wanted {
  const { name, accesses, parameters, mutableParameters, range, origin, secrets } = request;
  const own = nameForCsi('volume', name, deps.sha256);
  if (accesses.length === 0) throw new AppError('invalid', 'the call has no volume capabilities');
  for (const access of accesses) parseAccess(access);
  const [wish, change] = [readParameters(parameters), readMutableParameters(mutableParameters)];
  const key = readGivenKey(secrets, origin !== undefined || wish.encryption === true);
  if (origin === undefined) {
    chooseSize(range);
    settleWish(wish, accesses, { name: own, parameters });
  } else isInRange(0, range);
  const inOrder = (part: object) => Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const changed = Object.keys(change).length === 0 ? {} : { change: inOrder(change) };
  const asked = JSON.stringify({ wish: inOrder(wish), origin, ...changed });
  const required = origin === undefined ? {} : { [CSI_REQUIRED]: String(range.requiredBytes) };
  const annotations = { [CSI_NAME]: encodeURIComponent(name), [CSI_WISH]: asked, ...required };
  return { name: own, wish, change, key, annotations };
}

/** The wish of the class with what goes before it. */
function changedWish({ wish, change }: Wanted): ClassWish {
  const { profile: asked, ...rest } = { ...wish, ...change };
  return asked === undefined || asked === 'none' ? rest : { ...rest, profile: asked };
}

function assertSame(existing: Resource<'Volume'>, wanted: Wanted, request: CreateRequest): void {
  const { name, annotations = {}, deletionTimestamp } = existing.metadata;
  if (deletionTimestamp !== undefined) {
    throw new AppError('conflict', `volume ${name} is being deleted`, { hint: 'ask again when it is gone' });
  }
  const isSame =
    annotations[CSI_NAME] === wanted.annotations[CSI_NAME] && annotations[CSI_WISH] === wanted.annotations[CSI_WISH];
  const other = isSame ? differenceOf(existing, request) : 'was made otherwise, or not by this driver';
  if (other === undefined) return;
  throw new AppError('exists', `there is a volume ${name} already, which ${other}`, {
    resource: `volume ${name}`,
    reason: 'VolumeExists',
    hint: 'choose another name',
  });
}

/** In what a volume that the same class asked for is another than the call asks for. */
function differenceOf(existing: Resource<'Volume'>, { range, topology, accesses }: CreateRequest): string | undefined {
  const { spec, metadata } = existing;
  const size = parseQuantity(spec.size);
  // A clone that was not yet grown is no other volume: it is as large as its source for a while.
  const isAsked = metadata.annotations?.[CSI_REQUIRED] === String(range.requiredBytes);
  const isSized = isInRange(size, range) || (isAsked && size < Number(range.requiredBytes));
  if (!isSized) return `has ${spec.size}`;
  const home = homeOf(existing);
  if (home !== undefined && !allowsNode(topology, home)) return `is local to node ${home}`;
  const kind = kindOf(spec);
  const fault = accesses.map((access) => accessFaultOf(access, kind)).find((each) => each !== undefined);
  return fault === undefined ? undefined : `cannot be used so: ${fault}`;
}

interface Copying {
  readonly wanted: Wanted;
  readonly request: CreateRequest;
  readonly origin: VolumeOrigin;
}

/** A clone that is whole needs nothing more of what it began with, which may be gone by now. */
async function findOrCreateFrom(
  deps: CsiDeps,
  copying: Copying,
  { existing, signal }: { readonly existing: Resource<'Volume'> | undefined; readonly signal: AbortSignal },
): Promise<CreatedVolume> {
  try {
    return await createFrom(deps, copying, { existing, signal });
  } catch (error) {
    const { size } = existing?.status ?? {};
    const isWhole = size !== undefined && isInRange(parseQuantity(size), copying.request.range);
    if (existing === undefined || !isAppError(error, 'notFound') || !isWhole) throw error;
    const { metadata, spec } = existing;
    if (spec.keyIsGiven === true) await proveGivenKey(deps, metadata, copying.wanted.key, signal);
    return settle(deps, existing.metadata.name, copying.request, signal);
  }
}

async function createFrom(
  deps: CsiDeps,
  { wanted, request, origin }: Copying,
  { existing, signal }: { readonly existing: Resource<'Volume'> | undefined; readonly signal: AbortSignal },
): Promise<CreatedVolume> {
  const { spec, home, owner, ...of } = await findOrigin(deps, origin, signal);
  assertLike(spec, wanted.wish);
  if (spec.keyIsGiven === true) await proveGivenKey(deps, owner, wanted.key, signal);
  const { profile, locality } = wanted.wish;
  const change = {
    ...(profile === undefined ? {} : { profile }),
    ...(locality === undefined ? {} : { locality }),
    ...wanted.change,
  };
  for (const access of request.accesses) assertAccess(access, kindOf(spec));
  assertReachable(home, request.topology);
  // Refused before anything is made: a limit below what it begins with, or a size that is none.
  // A clone that is there already is as large as it is: its source may be another one of the same name by now.
  const size = chooseSize(request.range, parseQuantity((existing ?? { spec }).spec.size));
  const { name, annotations } = wanted;
  await cloneVolume(deps, { name, annotations, ...of }, { waitMs: CALL_MS, signal });
  await growVolume(deps, { name, size: formatQuantity(size) }, { waitMs: CALL_MS, signal });
  await changeVolume(deps, name, change, signal);
  return settle(deps, name, request, signal);
}

interface FoundOrigin {
  /** Of the volume, now or when the snapshot was taken. */
  readonly spec: Resource<'Volume'>['spec'];
  /** The one node that it can be cloned on; undefined where that is no matter. */
  readonly home: string | undefined;
  /** What its key belongs to, where it is encrypted. */
  readonly owner: Resource<'Volume'>['metadata'];
  readonly volume: string;
  readonly snapshot?: string;
}

async function findOrigin({ client }: CsiDeps, { from, id }: VolumeOrigin, signal: AbortSignal): Promise<FoundOrigin> {
  const name = parseCsiId(`${from} id of the source`, id);
  if (from === 'volume') {
    const volume = await findVolume({ client, signal }, name);
    return { spec: volume.spec, home: homeOf(volume), owner: volume.metadata, volume: name };
  }
  const { metadata: owner, spec, status } = await findSnapshot({ client, signal }, name);
  if (status?.volumeSpec === undefined) {
    throw new AppError('precondition', `snapshot ${name} is not taken yet`, { hint: 'ask again when it is ready' });
  }
  const home = homeOf({ spec: status.volumeSpec, status: { placement: Object.values(status.copies ?? {}) } });
  return { spec: status.volumeSpec, home, owner, volume: spec.volume, snapshot: name };
}

/** A clone is laid out as what it is of; a class that says another layout in so many words asks for something else. */
function assertLike(spec: Resource<'Volume'>['spec'], wish: ClassWish): void {
  if (wish.encryption === true && spec.encryption !== true) {
    throw new AppError('invalid', 'a clone is encrypted where its source is, and this source is not', {
      hint: 'leave encryption out of the class, or copy the data into a new volume',
    });
  }
  const other = classMisfit(spec, wish);
  if (other === undefined) return;
  const { field, has, wanted } = other;
  throw new AppError('invalid', `a clone has the ${field} of its source, ${has}, and not ${wanted}`, {
    hint: `leave ${field} out of the class, or say that of the source`,
  });
}

/** A clone of a volume that stays on its node is made there, beside the image that it begins with. */
function assertReachable(home: string | undefined, topology: TopologyWish): void {
  if (home === undefined || allowsNode(topology, home)) return;
  throw new AppError('capacity', `what is to be cloned is on node ${home}, which none of the topologies asked for is`, {
    reason: 'SourceElsewhere',
    hint: `let the pod run on ${home}`,
  });
}

async function settle(
  deps: CsiDeps,
  name: string,
  { range }: CreateRequest,
  signal: AbortSignal,
): Promise<CreatedVolume> {
  const volume = await findVolume({ client: deps.client, signal }, name);
  try {
    const ready = await waitUntilReady(deps, volume, { waitMs: CALL_MS, signal });
    const home = homeOf(ready);
    const capacityBytes = parseQuantity(ready.status?.size ?? ready.spec.size);
    return { volumeId: name, capacityBytes, ...(home === undefined ? {} : { node: home }) };
  } catch (error) {
    // Somebody else took the room between the look and the placement. Whoever asked takes this for an end and forgets the name.
    if (isAppError(error, 'capacity') && isInRange(parseQuantity(volume.spec.size), range)) {
      await deps.client.delete('Volume', name, { uid: volume.metadata.uid, signal });
    }
    throw error;
  }
}
