/** The membership of a volume as its controller decides about it. */
import { decideMembership } from '../../domain/volume/decide-membership.ts';
import type { SeenVolume } from '../../domain/volume/decide-volume.ts';
import { effectivePlacement } from '../../domain/volume/membership.ts';
import { type MembershipLook, seeMembership } from '../../domain/volume/see-membership.ts';
import type { Random } from '../../ports/random.ts';
import type { Resource } from '../../ports/resource-client.ts';

/** Undefined for a volume that the engine does not hold yet. */
export function seeMembers(
  volume: Resource<'Volume'>,
  { random, ...look }: Omit<MembershipLook, 'newName'> & { readonly random: Random },
): SeenVolume['membership'] {
  const { name, uid } = volume.metadata;
  // Never the name of another copy, also of one that is gone: what was reported of that must not pass for this one's.
  const newName = () => `${name}-${uid.slice(0, 8)}-${random.uuid().slice(0, 8)}`;
  const seen = seeMembership(volume, { ...look, newName });
  if (seen === undefined) return undefined;
  return {
    effective: effectivePlacement(seen.placement, seen.members, seen.engine),
    decide: () => decideMembership(seen),
  };
}
