/** What the decision about a volume's members rests on, from the stored objects: for the controller, and for saying beforehand. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { usableSince } from '../node/is-usable.ts';
import { oncePerList } from '../once-per-list.ts';
import { placeOne } from '../placement/place-one.ts';
import type { NewPlace, PlaceRequest, SeenMember, SeenMembership } from './membership.ts';

export interface MembershipLook {
  readonly nodes: readonly StorageNode[];
  /** Copies of this volume. */
  readonly own: readonly VolumeCopy[];
  /** Copies of all volumes, those among them that are only promised yet. Asked only when a place is wanted. */
  readonly taken: () => readonly VolumeCopy[];
  /** A name for a new copy. */
  readonly newName: () => string;
}

/** Undefined for a volume that the engine does not hold: what it is made of is not decided here. */
export function seeMembership(volume: Volume, look: MembershipLook): SeenMembership | undefined {
  const { status, spec } = volume;
  const { nodes } = look;
  // Its directories are somebody else's: nothing takes their places, and none is ever given up.
  if (spec.adopted !== undefined) return undefined;
  // Its one copy is filled from nowhere: it stays where it is.
  if (spec.engine === 'local') return undefined;
  if (status?.placement === undefined || status.engine?.engineId === undefined) return undefined;
  return {
    spec,
    placement: status.placement,
    members: look.own.map(seeMember),
    engine: status.engine,
    anchor: status.anchor,
    epoch: status.epoch ?? 0,
    usableNodes: usableSince(nodes, spec.engine),
    bootIds: bootIdsOf(nodes),
    drainingNodes: drainingAmong(nodes),
    placeOne: (request) => findPlace(volume, request, look),
  };
}

const bootIdsOf = oncePerList((nodes: readonly StorageNode[]): ReadonlyMap<string, string> => {
  const known = nodes.flatMap(({ metadata, status }) => {
    return status?.bootId === undefined ? [] : [[nameOf({ metadata }), status.bootId] as const];
  });
  return new Map(known);
});

const drainingAmong = oncePerList((nodes: readonly StorageNode[]): ReadonlySet<string> => {
  return new Set(nodes.filter((node) => node.spec.isDraining === true).map(nameOf));
});

function seeMember(copy: VolumeCopy): SeenMember {
  const { spec, status } = copy;
  return {
    name: nameOf(copy),
    node: spec.node,
    pool: spec.pool,
    role: spec.role,
    isReady: status?.state === 'Ready',
    isReleased: spec.isReleased === true,
    isDeleting: copy.metadata.deletionTimestamp !== undefined,
    ...(status?.path === undefined ? {} : { path: status.path }),
    ...(spec.replacement === undefined ? {} : { replacement: spec.replacement }),
  };
}

function findPlace(volume: Volume, request: PlaceRequest, { nodes, taken, newName }: MembershipLook): NewPlace {
  const { name = '', uid } = volume.metadata;
  const wanted = { name, spec: volume.spec, ...(uid === undefined ? {} : { uid }) };
  const result = placeOne(wanted, request, { nodes, copies: taken().filter(takesRoom) });
  if (!result.ok) return { ok: false, message: result.message };
  const [placed] = result.placed;
  if (placed === undefined) return { ok: false, message: 'no place was chosen' };
  return { ok: true, copy: newName(), node: placed.node, pool: placed.pool };
}

/** Of a copy that a rejoined node has lost nothing is in the pool, and on a node that was half full its successor needs the room. */
function takesRoom({ spec }: VolumeCopy): boolean {
  return spec.replacement?.reason !== 'NodeRejoined';
}

function nameOf({ metadata }: Pick<StorageNode, 'metadata'>): string {
  return metadata.name ?? '';
}
