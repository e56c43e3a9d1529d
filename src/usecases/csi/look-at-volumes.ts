/** CSI calls that only look: volumes in pages, one volume, and how much room there is. */
import { formatQuantity, parseQuantity } from '../../domain/bytes.ts';
import type { AskedAccess } from '../../domain/csi/access.ts';
import { isCsiAttachment } from '../../domain/csi/attachments.ts';
import { parseCsiId } from '../../domain/csi/names.ts';
import { type Page, type PageRequest, pageOf } from '../../domain/csi/paging.ts';
import { readParameters } from '../../domain/csi/parameters.ts';
import { settleWish, type VolumeWish } from '../../domain/csi/settle-wish.ts';
import { homeOf, nodesIn, type Segments } from '../../domain/csi/topology.ts';
import { type VolumeCondition, volumeCondition } from '../../domain/csi/volume-condition.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import { MIN_VOLUME_BYTES } from '../../domain/volume/copy-size.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { largestFit, readPlaces } from '../volumes/fit-volume.ts';
import type { CsiDeps } from './csi-deps.ts';

export interface SeenVolume extends VolumeCondition {
  readonly volumeId: string;
  readonly capacityBytes: number;
  /** Nodes that calls have published it to. */
  readonly nodes: readonly string[];
  /** The one node that can use it; left out where every node can. */
  readonly home?: string;
}

/** CSI ListVolumes: those that people made too. */
export async function listVolumes(deps: CsiDeps, request: PageRequest, signal: AbortSignal): Promise<Page<SeenVolume>> {
  const [volumes, records] = await Promise.all([
    deps.client.list('Volume', { signal }),
    deps.client.list('VolumeAttachmentRecord', { signal }),
  ]);
  const page = pageOf(volumes.items, (volume) => volume.metadata.name, request);
  return { ...page, items: page.items.map((volume) => see(volume, records.items)) };
}

/** CSI ControllerGetVolume. @throws {AppError} notFound */
export async function getVolume(deps: CsiDeps, id: string, signal: AbortSignal): Promise<SeenVolume> {
  const [volume, records] = await Promise.all([
    existing(deps, id, signal),
    deps.client.list('VolumeAttachmentRecord', { signal }),
  ]);
  return see(volume, records.items);
}

/** The class and the place that capacity is asked for. */
export interface CapacityRequest {
  readonly parameters: Readonly<Record<string, string>>;
  readonly accesses: readonly AskedAccess[];
  /** Of engine local only what is on these nodes counts; of the others every node reaches all. Undefined for no restriction. */
  readonly segments: Segments | undefined;
}

/** The names of a volume and a claim that are only thought of. */
const PROBE = 'csi-capacity-probe';
const ANY_CLAIM = {
  'csi.storage.k8s.io/pvc/name': PROBE,
  'csi.storage.k8s.io/pvc/namespace': PROBE,
  'csi.storage.k8s.io/pv/name': PROBE,
};

/** Undefined for one that is not offered. @throws {AppError} invalid, for parameters that cannot be followed */
function offeredWish({ parameters, accesses }: CapacityRequest): VolumeWish | undefined {
  const wish = readParameters(parameters);
  try {
    return settleWish(wish, accesses, { name: PROBE, parameters: { ...ANY_CLAIM, ...parameters } });
  } catch (error) {
    if (isAppError(error, 'invalid')) return undefined;
    throw error;
  }
}

/**
 * CSI GetCapacity: the largest volume of a class that would be placed now.
 *
 * @returns bytes, exact to a MiB; 0 when not even the smallest volume fits, or the capabilities are not offered
 */
export async function getCapacity(deps: CsiDeps, asked: CapacityRequest, signal: AbortSignal): Promise<number> {
  const wish = offeredWish(asked);
  const nodes = wish?.engine === 'local' ? nodesIn(asked.segments) : {};
  if (wish === undefined || nodes === undefined) return 0;
  if (wish.share !== undefined) return freeOnShare(deps, wish.share, signal);
  // Of any size: how large it can be is what is asked.
  const request = { ...wish, ...nodes, name: PROBE, size: formatQuantity(MIN_VOLUME_BYTES) };
  return largestFit(request, await readPlaces(deps.client, { signal }));
}

/**
 * What an agent last saw to be free on a share: for all who use it, kept for nobody.
 *
 * @throws {AppError} unsupported, while no volume is on it: only an agent that looks after one has it mounted
 */
async function freeOnShare(
  { client }: CsiDeps,
  { server, path }: NonNullable<VolumeWish['share']>,
  signal: AbortSignal,
): Promise<number> {
  const { items } = await client.list('Volume', { signal });
  const seen = items.flatMap(({ spec, status }) => {
    const isOnIt = spec.share?.server === server && spec.share.path === path;
    return isOnIt ? (status?.engine?.freeBytes ?? []) : [];
  });
  if (seen.length > 0) return Math.min(...seen);
  throw new AppError('unsupported', `how much is free on ${server}:${path} is not known before a volume is on it`, {
    reason: 'ShareNotSeen',
    hint: 'give classes of engine nfs the volumeBindingMode Immediate; no file server keeps room for a claim',
  });
}

/** @throws {AppError} notFound; invalid, for what is no id */
export async function existing({ client }: CsiDeps, id: string, signal: AbortSignal): Promise<Resource<'Volume'>> {
  const name = parseCsiId('volume_id', id);
  const volume = await client.get('Volume', name, { signal });
  if (volume === undefined) throw new AppError('notFound', `there is no volume ${name}`);
  return volume;
}

function see(volume: Resource<'Volume'>, records: readonly Resource<'VolumeAttachmentRecord'>[]): SeenVolume {
  const { name } = volume.metadata;
  const own = records.filter((record) => record.spec.volume === name && isCsiAttachment(record));
  const home = homeOf(volume);
  return {
    volumeId: name,
    capacityBytes: parseQuantity(volume.status?.size ?? volume.spec.size),
    nodes: own.map((record) => record.spec.node),
    ...(home === undefined ? {} : { home }),
    ...volumeCondition(volume),
  };
}
