/** What the decision about a volume's members rests on, from the stored objects. */
import { usableSince } from '../../domain/node/is-usable.ts';
import { placeOne } from '../../domain/placement/place-one.ts';
import {
  decideMembership,
  effectivePlacement,
  type NewPlace,
  type PlaceRequest,
  type SeenMember,
} from '../../domain/volume/decide-membership.ts';
import type { SeenVolume } from '../../domain/volume/decide-volume.ts';
import type { Random } from '../../ports/random.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';

export interface MembersLook {
  readonly nodes: readonly Resource<'StorageNode'>[];
  /** Copies of this volume. */
  readonly own: readonly Resource<'VolumeCopy'>[];
  /** Copies of all volumes, those among them that are only promised yet. */
  readonly taken: () => readonly VolumeCopy[];
  readonly random: Random;
}

/** Undefined for a volume without copies: what it is made of is not decided yet. */
export function seeMembers(volume: Resource<'Volume'>, look: MembersLook): SeenVolume['membership'] {
  const { status, spec } = volume;
  const placement = status?.placement;
  if (placement === undefined || status?.engine?.engineId === undefined) return undefined;
  const { nodes } = look;
  const members = look.own.map(seeMember);
  const named = nodes.flatMap((node) => {
    const bootId = node.status?.bootId;
    return bootId === undefined ? [] : [[node.metadata.name, bootId] as const];
  });
  return {
    effective: effectivePlacement(placement, members, status.engine),
    decide: () =>
      decideMembership({
        ...{ spec, placement, members },
        engine: status.engine,
        anchor: status.anchor,
        epoch: status.epoch ?? 0,
        usableNodes: usableSince(nodes, spec.engine),
        bootIds: new Map(named),
        drainingNodes: new Set(nodes.filter((node) => node.spec.isDraining === true).map((node) => node.metadata.name)),
        placeOne: (request) => findPlace(volume, request, look),
      }),
  };
}

function seeMember({ metadata, spec, status }: Resource<'VolumeCopy'>): SeenMember {
  return {
    name: metadata.name,
    node: spec.node,
    pool: spec.pool,
    isReady: status?.state === 'Ready',
    isReleased: spec.isReleased === true,
    ...(status?.path === undefined ? {} : { path: status.path }),
    ...(spec.replacement === undefined ? {} : { replacement: spec.replacement }),
  };
}

function findPlace(volume: Resource<'Volume'>, request: PlaceRequest, { nodes, taken, random }: MembersLook): NewPlace {
  const { name, uid } = volume.metadata;
  const result = placeOne({ name, uid, spec: volume.spec }, request, { nodes, copies: taken() });
  if (!result.ok) return { ok: false, message: result.message };
  const [placed] = result.placed;
  if (placed === undefined) return { ok: false, message: 'no place was chosen' };
  // Never the name of another copy, also of one that is gone: what was reported of that must not pass for this one's.
  const copy = `${name}-${uid.slice(0, 8)}-${random.uuid().slice(0, 8)}`;
  return { ok: true, copy, node: placed.node, pool: placed.pool };
}
