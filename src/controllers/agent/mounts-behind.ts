/**
 * Which mounts may still write as if a copy that joins were not there. Such a write is missing in the new copy and noted
 * nowhere, so what has been filled into that copy meanwhile would differ for good, and unseen.
 */
import { isMarked } from '../../domain/volume/membership.ts';
import type { Resource } from '../../ports/resource-client.ts';

/**
 * Nodes whose mounts are not known to work with the copy that joins; none while no copy joins.
 *
 * @param records - of this volume
 * @param gone - nodes that are away and that a person has said to be gone for good: their mounts are gone with them
 * @returns also nodes that cannot be asked: a mount that nobody sees may still write
 */
export function mountsBehind(
  { status }: Resource<'Volume'>,
  records: readonly Resource<'VolumeAttachmentRecord'>[],
  gone: readonly string[] = [],
): readonly string[] {
  const placement = status?.placement ?? [];
  if (!placement.some((placed) => isMarked(placed) && placed.isJoining === true)) return [];
  const knows = ({ status: seen }: Resource<'VolumeAttachmentRecord'>) =>
    seen?.state === 'Mounted' && seen.copies === placement.length && seen.connectedCopies === placement.length;
  // Not mounted yet: when it is, it begins with the new copy.
  const isMounted = ({ status: seen }: Resource<'VolumeAttachmentRecord'>) =>
    seen?.state !== undefined && seen.state !== 'Waiting' && seen.state !== 'HeldBack';
  return records
    .filter((record) => isMounted(record) && !knows(record))
    .map((record) => record.spec.node)
    .filter((node) => !gone.includes(node));
}
