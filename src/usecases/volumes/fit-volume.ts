/** Whether and where a new volume fits among what is there, for whoever makes it and whoever only asks. */
import { formatQuantity } from '../../domain/bytes.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Locality } from '../../domain/locality/locality.ts';
import { parseNodeName, parsePoolName, parseVolumeName } from '../../domain/names.ts';
import { choosePlacement } from '../../domain/placement/choose-placement.ts';
import { explainPlacement, type PlacementExplanation } from '../../domain/placement/explain-placement.ts';
import { unusableNodes } from '../../domain/placement/filters.ts';
import { placementInput } from '../../domain/placement/from-resources.ts';
import { largestVolume } from '../../domain/placement/largest-volume.ts';
import type { PlacedOn, PlacementInput } from '../../domain/placement/model.ts';
import { snapshotPromises } from '../../domain/snapshot/snapshot-promises.ts';
import { parseVolumeSize } from '../../domain/volume/copy-size.ts';
import { describeCopiesOf } from '../../domain/volume/describe-layout.ts';
import {
  type BrickKind,
  type EngineName,
  engineFaults,
  type FileSystemType,
  localLayout,
} from '../../domain/volume/engines.ts';
import {
  type ChosenLayout,
  decideLayout,
  type LayoutDecision,
  type LayoutRequest,
} from '../../domain/volume/layout.ts';
import { unusedWords } from '../../domain/volume/unused-words.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { AllowedAddress } from '../../schemas/plan-file.ts';
import type { Share, VolumeProfile } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { checkShare, placeShare } from './place-share.ts';

export interface AddVolumeRequest extends LayoutRequest {
  readonly name: string;
  /** A Quantity: 10Gi. */
  readonly size: string;
  readonly pool?: string;
  readonly brick?: BrickKind;
  /** What stores it; gluster when left out. */
  readonly engine?: EngineName;
  readonly fsType?: FileSystemType;
  /** With a key of its own. */
  readonly encryption?: boolean;
  /** Reserves no room, and gives back what is deleted. */
  readonly thinProvision?: boolean;
  /** Whoever asks writes the Secret with the key himself. */
  readonly keyIsGiven?: boolean;
  /** Nodes that copies may be placed on; all when left out. */
  readonly nodes?: readonly string[];
  /** Zones that copies may be placed in; all when left out. */
  readonly zones?: readonly string[];
  readonly profile?: VolumeProfile;
  /** Engine nfs: the share that it is, or a folder of it. */
  readonly share?: Share;
  readonly allowFrom?: readonly string[];
  /** How closely pods keep to its copies. */
  readonly locality?: Locality;
  /** Kept on the stored volume. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Where placement would put the copies, and why there. */
export interface Places {
  /** The controller decides anew when it places them. */
  readonly placement: readonly PlacedOn[];
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  /** Every node against every filter. */
  readonly explanation: PlacementExplanation;
}

/** At the end of what a wish is refused with; for whoever creates nothing in any case to take off. */
export const NOTHING_CREATED = '; nothing was created';

/** A request that is sound by itself. */
export interface Wish {
  readonly name: string;
  readonly size: string;
  readonly pool: string;
  readonly engine: EngineName;
  readonly brick: BrickKind;
  readonly fsType?: FileSystemType;
  readonly encryption?: boolean;
  readonly thinProvision?: boolean;
  readonly nodes?: string[];
  readonly zones?: string[];
  readonly profile?: VolumeProfile;
  readonly share?: Share;
  readonly locality?: Locality;
  readonly allowFrom: readonly string[];
}

/** @throws {AppError} invalid or range */
export function checkWish(request: AddVolumeRequest): Wish {
  const name = parseVolumeName(request.name);
  const size = formatQuantity(parseVolumeSize(request.size));
  const pool = parsePoolName(request.pool ?? 'default');
  for (const address of request.allowFrom ?? []) {
    if (AllowedAddress.safeParse(address).success) continue;
    throw new AppError('invalid', `Invalid address ${JSON.stringify(address)} in the list of allowed addresses`, {
      reason: 'InvalidAddress',
      hint: 'write 10.10.1.2, 10.10.*.* or 10.10.0.0/16',
    });
  }
  const { brick = 'image', engine = 'gluster', allowFrom = [] } = request;
  return { name, size, pool, engine, brick, ...optionalWish(request), allowFrom };
}

function optionalWish({
  profile,
  fsType,
  encryption,
  thinProvision,
  nodes,
  zones,
  share,
  locality,
}: AddVolumeRequest): Omit<Wish, 'name' | 'size' | 'pool' | 'engine' | 'brick' | 'allowFrom'> {
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(fsType === undefined ? {} : { fsType }),
    ...(encryption === true ? { encryption: true } : {}),
    ...(thinProvision === true ? { thinProvision: true } : {}),
    ...(nodes === undefined ? {} : { nodes: nodes.map(parseNodeName) }),
    ...(zones === undefined ? {} : { zones: [...zones] }),
    ...(share === undefined ? {} : { share: checkShare(share) }),
    ...(locality === undefined ? {} : { locality }),
  };
}

/** What is there already, as placement looks at it. */
export interface Stored {
  readonly nodes: readonly Resource<'StorageNode'>[];
  readonly copies: readonly VolumeCopy[];
}

/** Reads what takes part in a placement; the promises of snapshots count as copies. */
export async function readPlaces(client: ResourceClient, scope: { readonly signal?: AbortSignal }): Promise<Stored> {
  const [nodes, copies, snapshots] = await Promise.all([
    client.list('StorageNode', scope),
    client.list('VolumeCopy', scope),
    client.list('VolumeSnapshotRecord', scope),
  ]);
  return { nodes: nodes.items, copies: [...copies.items, ...snapshotPromises(snapshots.items)] };
}

/**
 * Where the copies of a new volume would go, in the layout that the nodes allow.
 *
 * @throws {AppError} invalid, for what does not go together; capacity, with the reasons of placement
 */
export function findPlaces(wish: Wish, request: AddVolumeRequest, stored: Stored): ChosenLayout & Places {
  const asked = askedLayout(request);
  // With nodes without end only the wish itself can be at fault.
  const wanted = decideLayout(asked, Number.MAX_SAFE_INTEGER);
  if (wanted.ok) refuseMisfits(wish, wanted.chosen, request);
  if (wish.share !== undefined && wanted.ok) {
    return { ...wanted.chosen, ...placeShare({ ...wish, share: wish.share }, stored.nodes) };
  }
  const { layout, input } = layOut(wish, asked, stored);
  const result = choosePlacement(input);
  if (!result.ok) {
    throw new AppError('capacity', `${result.message}${NOTHING_CREATED}`, {
      resource: `volume ${wish.name}`,
      reason: 'NoPlaceForCopies',
      hint: result.smallestChange,
      faults: result.rejections.map(({ node, message }) => ({
        field: `node ${node}`,
        message: message.slice(node.length + 2),
      })),
    });
  }
  const roles = describeCopiesOf(layout.chosen);
  const notes = [...layout.notes, `${roles} on ${result.placed.map((placed) => placed.node).join(', ')}`];
  return {
    ...layout.chosen,
    placement: result.placed,
    reasons: result.reasons,
    notes,
    explanation: explainPlacement(input),
  };
}

/**
 * The largest volume of the wish that would be placed now, whatever size it has.
 *
 * @returns usable bytes, in whole MiB; 0 when not even the smallest fits
 * @throws {AppError} invalid, for what does not go together
 */
export function largestFit(request: AddVolumeRequest, stored: Stored): number {
  const wish = checkWish(request);
  const asked = askedLayout(request);
  const wanted = decideLayout(asked, Number.MAX_SAFE_INTEGER);
  if (wanted.ok) refuseMisfits(wish, wanted.chosen, request);
  try {
    const { layout, input } = layOut(wish, asked, stored);
    return largestVolume(input, { ...wish, ...layout.chosen });
  } catch (error) {
    // Too few nodes for it.
    if (isAppError(error, 'capacity')) return 0;
    throw error;
  }
}

function askedLayout(request: AddVolumeRequest): LayoutRequest {
  return request.engine === undefined || request.engine === 'gluster' ? request : localLayout(request);
}

/** The layout for the nodes that are there. @throws {AppError} capacity or invalid, when there is none */
function layOut(
  wish: Wish,
  asked: LayoutRequest,
  { nodes, copies }: Stored,
): { readonly layout: Extract<LayoutDecision, { ok: true }>; readonly input: PlacementInput } {
  const toPlace = (chosen: ChosenLayout) =>
    placementInput({ name: wish.name, spec: { ...wish, ...chosen } }, nodes, copies);
  const unusable = unusableNodes(toPlace({ layout: 'single', replicas: 1 }));
  const layout = decideLayout(asked, nodes.length - unusable.length);
  if (!layout.ok) throw noLayout(layout, nodes.length, unusable);
  return { layout, input: toPlace(layout.chosen) };
}

/** @throws {AppError} invalid, for what does not go with the engine */
function refuseMisfits(wish: Wish, { layout, shard }: ChosenLayout, said: AddVolumeRequest): void {
  const unused = unusedWords(wish.engine, said);
  const misfits = engineFaults({ ...wish, layout, shard }).filter(
    ({ field }) => !unused.some((each) => each.field === field),
  );
  const [fault, ...others] = [...unused, ...misfits];
  if (fault === undefined) return;
  throw new AppError('invalid', `${fault.field} ${fault.message}${NOTHING_CREATED}`, {
    resource: `volume ${wish.name}`,
    reason: 'EngineMismatch',
    faults: [fault, ...others],
    hint: 'leave it out, or choose another engine',
  });
}

function noLayout(
  decision: { readonly message: string; readonly hint: string },
  known: number,
  unusable: ReturnType<typeof unusableNodes>,
): AppError {
  // With too few nodes the wish is sound and the machines are missing; otherwise the wish itself is refused.
  const isMissingNodes = decision.message.startsWith('the requested volume configuration');
  const away = unusable.length > 0 ? ` (${unusable.length} of ${known} known nodes cannot be used now)` : '';
  return new AppError(isMissingNodes ? 'capacity' : 'invalid', `${decision.message}${away}${NOTHING_CREATED}`, {
    reason: isMissingNodes ? 'TooFewNodes' : 'InvalidLayout',
    hint: isMissingNodes && away !== '' ? `${decision.hint}; see: holdfast node list` : decision.hint,
    faults: isMissingNodes ? unusable.map(({ node, message }) => ({ field: `node ${node}`, message })) : [],
  });
}
