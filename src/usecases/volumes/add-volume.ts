/** Creates a volume: checks the wish, finds out whether it fits before anything is stored, and waits if asked to. */
import { formatQuantity } from '../../domain/bytes.ts';
import { AppError } from '../../domain/errors.ts';
import { VOLUME_FINALIZER } from '../../domain/finalizers.ts';
import { parseNodeName, parsePoolName, parseVolumeName } from '../../domain/names.ts';
import { choosePlacement } from '../../domain/placement/choose-placement.ts';
import { explainPlacement, type PlacementExplanation } from '../../domain/placement/explain-placement.ts';
import { countUsableNodes } from '../../domain/placement/filters.ts';
import { placementInput } from '../../domain/placement/from-resources.ts';
import type { PlacedOn } from '../../domain/placement/model.ts';
import { volumeSpec } from '../../domain/plan/diff-plan.ts';
import { snapshotPromises } from '../../domain/snapshot/snapshot-promises.ts';
import { parseVolumeSize } from '../../domain/volume/copy-size.ts';
import { describeCopiesOf } from '../../domain/volume/describe-layout.ts';
import { phaseOf } from '../../domain/volume/describe-volume.ts';
import {
  type BrickKind,
  type EngineName,
  engineFaults,
  type FileSystemType,
  localLayout,
} from '../../domain/volume/engines.ts';
import { type ChosenLayout, decideLayout, type LayoutRequest } from '../../domain/volume/layout.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { AllowedAddress } from '../../schemas/plan-file.ts';
import type { Share, VolumeProfile } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';
import { checkShare, placeShare } from './place-share.ts';
import { type ReadyOptions, waitUntilReady } from './wait-until-ready.ts';

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
  /** Kept on the stored volume. */
  readonly annotations?: Readonly<Record<string, string>>;
}

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

export interface AddedVolume extends ChosenLayout {
  readonly name: string;
  readonly size: string;
  /** Where placement would put the copies; the controller decides anew when it does. */
  readonly placement: readonly PlacedOn[];
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  readonly isDryRun: boolean;
  /** Every node against every filter. */
  readonly explanation: PlacementExplanation;
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
  const [existing, nodes, copies, snapshots] = await Promise.all([
    deps.client.get('Volume', wish.name, scope),
    deps.client.list('StorageNode', scope),
    deps.client.list('VolumeCopy', scope),
    deps.client.list('VolumeSnapshotRecord', scope),
  ]);
  const taken = [...copies.items, ...snapshotPromises(snapshots.items)];
  if (existing !== undefined) throw volumeExists(existing);
  const fit = findPlaces(wish, request, { nodes: nodes.items, copies: taken });
  const added = { ...fit, name: wish.name, size: wish.size, isDryRun: options.isDryRun ?? false };
  if (options.isDryRun === true) return added;
  const allowSplitBrain = request.allowSplitBrain ?? false;
  const spec = {
    ...volumeSpec({ ...wish, ...fit, allowSplitBrain }),
    ...beyondPlan(wish, request),
  };
  const metadata = { name: wish.name, finalizers: [VOLUME_FINALIZER], annotations: request.annotations ?? {} };
  const volume = await deps.client.create('Volume', { metadata, spec }, scope);
  const stored = { ...added, phase: phaseOf(volume) };
  options.onStored?.(stored);
  if (options.waitMs === undefined) return stored;
  const seen = options.onSeen === undefined ? {} : { onSeen: options.onSeen };
  const ready = await waitUntilReady(deps, volume, { ...scope, ...seen, waitMs: options.waitMs });
  return { ...added, phase: phaseOf(ready) };
}

interface Wish {
  readonly name: string;
  readonly size: string;
  readonly pool: string;
  readonly engine: EngineName;
  readonly brick: BrickKind;
  readonly fsType?: FileSystemType;
  readonly encryption?: boolean;
  readonly nodes?: string[];
  readonly zones?: string[];
  readonly profile?: VolumeProfile;
  readonly share?: Share;
  readonly allowFrom: readonly string[];
}

function checkWish(request: AddVolumeRequest): Wish {
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

/** What no plan can say of a volume. */
function beyondPlan(
  { zones }: Wish,
  { keyIsGiven }: AddVolumeRequest,
): { zones?: readonly string[]; keyIsGiven?: true } {
  return { ...(zones === undefined ? {} : { zones }), ...(keyIsGiven === true ? { keyIsGiven } : {}) };
}

function optionalWish({
  profile,
  fsType,
  encryption,
  nodes,
  zones,
  share,
}: AddVolumeRequest): Pick<Wish, 'profile' | 'fsType' | 'encryption' | 'nodes' | 'zones' | 'share'> {
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(fsType === undefined ? {} : { fsType }),
    ...(encryption === true ? { encryption: true } : {}),
    ...(nodes === undefined ? {} : { nodes: nodes.map(parseNodeName) }),
    ...(zones === undefined ? {} : { zones: [...zones] }),
    ...(share === undefined ? {} : { share: checkShare(share) }),
  };
}

function findPlaces(
  wish: Wish,
  request: AddVolumeRequest,
  stored: { readonly nodes: readonly Resource<'StorageNode'>[]; readonly copies: readonly VolumeCopy[] },
): ChosenLayout & Pick<AddedVolume, 'placement' | 'reasons' | 'notes' | 'explanation'> {
  const toPlace = (chosen: ChosenLayout) =>
    placementInput({ name: wish.name, spec: { ...wish, ...chosen } }, stored.nodes, stored.copies);
  const usable = countUsableNodes(toPlace({ layout: 'single', replicas: 1 }));
  const asked = wish.engine === 'gluster' ? request : localLayout(request);
  // With nodes without end only the wish itself can be at fault.
  const wanted = decideLayout(asked, Number.MAX_SAFE_INTEGER);
  if (wanted.ok) refuseMisfits(wish, wanted.chosen);
  if (wish.share !== undefined && wanted.ok) {
    return { ...wanted.chosen, ...placeShare({ ...wish, share: wish.share }, stored.nodes) };
  }
  const layout = decideLayout(asked, usable);
  if (!layout.ok) throw noLayout(layout, stored.nodes.length, usable);
  const input = toPlace(layout.chosen);
  const result = choosePlacement(input);
  if (!result.ok) {
    throw new AppError('capacity', `${result.message}; nothing was created`, {
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

/** @throws {AppError} invalid, for what does not go with the engine */
function refuseMisfits(wish: Wish, { layout, shard }: ChosenLayout): void {
  const [fault, ...others] = engineFaults({ ...wish, layout, shard });
  if (fault === undefined) return;
  throw new AppError('invalid', `${fault.field} ${fault.message}; nothing was created`, {
    resource: `volume ${wish.name}`,
    reason: 'EngineMismatch',
    faults: [fault, ...others],
    hint: 'leave it out, or choose another engine',
  });
}

function noLayout(
  decision: { readonly message: string; readonly hint: string },
  known: number,
  usable: number,
): AppError {
  // With too few nodes the wish is sound and the machines are missing; otherwise the wish itself is refused.
  const isMissingNodes = decision.message.startsWith('the requested volume configuration');
  const away = known > usable ? ` (${known - usable} of ${known} known nodes cannot be used now)` : '';
  return new AppError(isMissingNodes ? 'capacity' : 'invalid', `${decision.message}${away}; nothing was created`, {
    reason: isMissingNodes ? 'TooFewNodes' : 'InvalidLayout',
    hint: isMissingNodes && away !== '' ? `${decision.hint}; see: holdfast node list` : decision.hint,
  });
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
