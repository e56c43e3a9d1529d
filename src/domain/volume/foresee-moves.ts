/** What draining or replacing a node would do, by the very functions that the controller decides with. Pure. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { PlacedCopy, Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { staysForGood } from './begin-change.ts';
import { decideMembership } from './decide-membership.ts';
import { replacementOf, type SeenMembership } from './membership.ts';
import { seeMembership } from './see-membership.ts';

export interface Move {
  readonly volume: string;
  readonly copy: string;
  /** Where a new copy would go; undefined when it cannot go now. */
  readonly to?: string;
  /** Why not. */
  readonly blockedBy?: string;
  /** It will not go by waiting: the volume has to be changed, or copied. */
  readonly isForGood: boolean;
}

export interface StoredWorld {
  readonly nodes: readonly StorageNode[];
  readonly volumes: readonly Volume[];
  readonly copies: readonly VolumeCopy[];
}

/** The moves that begin when the node is drained, one for each copy on it, by volume. */
export function foreseeMoves(node: string, { nodes, volumes, copies }: StoredWorld): readonly Move[] {
  const drained = nodes.map((each) =>
    each.metadata.name === node ? { ...each, spec: { ...each.spec, isDraining: true } } : each,
  );
  const here = copies.filter((copy) => copy.spec.node === node && copy.spec.isReleased !== true);
  return foreseeEach(here, { nodes: drained, volumes, copies });
}

/** The moves that begin when these copies are given up, one for each, by volume. */
export function foreseeReplacement(
  gone: readonly VolumeCopy[],
  replacement: NonNullable<VolumeCopy['spec']['replacement']>,
  world: StoredWorld,
): readonly Move[] {
  return foreseeEach(gone, world, replacement);
}

function foreseeEach(
  leaving: readonly VolumeCopy[],
  { nodes, volumes, copies }: StoredWorld,
  replacement?: VolumeCopy['spec']['replacement'],
): readonly Move[] {
  // The new copies count as well: two volumes do not get the same room.
  const promised: VolumeCopy[] = [];
  return leaving.flatMap((each): readonly Move[] => {
    const copy = replacement === undefined ? each : { ...each, spec: { ...each.spec, replacement } };
    const volume = volumes.find(({ metadata }) => metadata.uid === copy.spec.volumeUid);
    if (volume === undefined) return [];
    const known = copies.map((other) => (other.metadata.name === copy.metadata.name ? copy : other));
    const move = foresee(volume, copy, { nodes, volumes, copies: [...known, ...promised] });
    if (move.to !== undefined) promised.push({ ...copy, spec: { ...copy.spec, node: move.to } });
    return [move];
  });
}

/** Why an adopted copy is where it is. */
export function adoptedStays({ spec }: VolumeCopy): string {
  return `volume ${spec.volume} was adopted: its directory ${spec.node}:${spec.adopted?.path ?? ''} stays where it is; move it with "gluster volume replace-brick", then forget the volume and adopt it anew`;
}

function localStays({ spec }: VolumeCopy): string {
  return `volume ${spec.volume} is local: its one copy stays on ${spec.node}; copy its data into another volume, then delete it`;
}

function foresee(volume: Volume, copy: VolumeCopy, { nodes, copies }: StoredWorld): Move {
  const name = copy.metadata.name ?? '';
  const move = { volume: copy.spec.volume, copy: name, isForGood: false };
  if (copy.spec.engine === 'local') return { ...move, blockedBy: localStays(copy), isForGood: true };
  if (copy.spec.adopted !== undefined) return { ...move, blockedBy: adoptedStays(copy), isForGood: true };
  const own = copies.filter((each) => each.spec.volumeUid === volume.metadata.uid);
  const seen = seeMembership(volume, { nodes, own, taken: () => copies, newName: () => 'new' });
  if (seen === undefined) return { ...move, blockedBy: 'the volume is still being made' };
  // Of several copies that must go, the one that is asked about is looked at.
  const placement = seen.placement;
  const draining = copy.spec.replacement?.reason === 'DiskLost' ? [] : [copy.spec.node];
  const decided = decideMembership({ ...seen, drainingNodes: new Set(draining) });
  const next = decided.placement?.find((placed) => placed.copy === 'new');
  if (next !== undefined) return { ...move, to: next.node };
  const placed = placement.find((each) => each.copy === name);
  const isLeaving = decided.placement?.some((placed) => placed.copy === name && placed.isLeaving === true) === true;
  if (isLeaving) return { ...move, blockedBy: 'taken out without a successor: the volume has a copy too many' };
  return { ...move, blockedBy: decided.message, isForGood: isFixed(seen, placed) };
}

/** No waiting makes it movable. One that a person gives up is replaced, not moved. */
function isFixed(seen: SeenMembership, placed: PlacedCopy | undefined): boolean {
  return placed !== undefined && replacementOf(seen, placed) === undefined && staysForGood(seen, placed);
}
