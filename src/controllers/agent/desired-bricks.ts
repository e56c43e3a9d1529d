/** From the placement of a volume to the bricks that the engine is asked for, changes under way among them. */
import { isMarked } from '../../domain/volume/membership.ts';
import { pieceBytes } from '../../domain/volume/profile.ts';
import { fragmentsOf, mayDiverge, setCount } from '../../domain/volume/replica-sets.ts';
import type { DesiredBrick, DesiredVolume } from '../../ports/engine.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { PlacedCopy, VolumeEngineStatus } from '../../schemas/volume.ts';

type StoredCopy = Resource<'VolumeCopy'>;

/**
 * Undefined while a brick's path is not known yet. A change is asked for only once its new copy is ready, and never with a
 * copy that has been given up: until then the engine is asked for what it has.
 *
 * @param isPresent - false for a volume that is to go: then only what it surely has is named
 */
export function desiredBricks(
  volume: Resource<'Volume'>,
  placement: readonly PlacedCopy[],
  own: readonly StoredCopy[],
  isPresent: boolean,
): readonly DesiredBrick[] | undefined {
  const { engineId, state } = volume.status?.engine ?? {};
  // Before its first start every copy has to be ready.
  const isKept = engineId !== undefined && state !== 'Created';
  const find = (name: string | undefined) => own.find((copy) => copy.metadata.name === name);
  if (!isPresent) {
    const settled = placement.filter((placed) => !isMarked(placed));
    return settled.flatMap((placed) => brickOf(placed, find(placed.copy), isKept));
  }
  const bricks = placement.flatMap((placed) => {
    const copy = find(placed.copy);
    if (!isMarked(placed)) return brickOf(placed, copy, isKept);
    return changingBrick(placed, copy, find(placed.replaces));
  });
  const waiting = placement.filter((placed) => placed.isJoining === true && !isUsable(find(placed.copy)));
  return bricks.length + waiting.length < placement.length ? undefined : bricks;
}

function brickOf(placed: PlacedCopy, copy: StoredCopy | undefined, isKept: boolean): readonly DesiredBrick[] {
  const path = copy?.status?.path;
  const isKnown = path !== undefined && (copy?.status?.state === 'Ready' || isKept);
  return isKnown ? [{ node: copy?.spec.node ?? placed.node, path, isArbiter: placed.role === 'arbiter' }] : [];
}

function changingBrick(
  placed: PlacedCopy,
  copy: StoredCopy | undefined,
  old: StoredCopy | undefined,
): readonly DesiredBrick[] {
  const withdrawn = placed.isWithdrawn === true ? { isWithdrawn: true } : {};
  if (placed.isLeaving === true) {
    return brickOf(placed, copy, true).map((brick) => ({ ...brick, ...withdrawn, isLeaving: true }));
  }
  if (!isUsable(copy)) return brickOf(placed, old, true);
  const [brick] = brickOf(placed, copy, true);
  if (brick === undefined) return [];
  if (placed.isJoining === true) return [{ ...brick, ...withdrawn, isJoining: true }];
  const [replaces] = brickOf(placed, old, true);
  if (replaces === undefined) return [brick];
  return [{ ...brick, ...withdrawn, replaces: { node: replaces.node, path: replaces.path } }];
}

/** It was ready once, and the engine may be asked to take it. */
function isUsable(copy: StoredCopy | undefined): boolean {
  return copy?.status?.path !== undefined && copy.spec.isReleased !== true;
}

/** How the bricks make the volume: while a single copy is being moved there are two of them, which need what two need. */
export function engineLayout(
  { spec }: Resource<'Volume'>,
  bricks: readonly DesiredBrick[],
): Pick<DesiredVolume, 'layout' | 'sets' | 'redundancy' | 'mayDiverge' | 'shardBytes'> {
  const fragments = fragmentsOf(spec);
  const layout = spec.layout === 'single' && bricks.length > 1 ? 'replicated' : spec.layout;
  const shardBytes = pieceBytes(spec);
  const sets = setCount(spec);
  const size = bricks.length / sets;
  const eachSet = Array.from({ length: sets }, (_, set) => bricks.slice(set * size, (set + 1) * size));
  return {
    layout,
    sets,
    ...(fragments === undefined ? {} : { redundancy: fragments.redundancy }),
    ...(eachSet.every((set) => mayDiverge(spec, set)) ? { mayDiverge: true } : {}),
    ...(shardBytes === undefined ? {} : { shardBytes }),
  };
}

/** A copy that the placement has, but the engine not yet: no volume counts on it so far. */
export function isAwaited(volume: Resource<'Volume'> | undefined, copy: StoredCopy): boolean {
  const { placement = [], engine } = volume?.status ?? {};
  const placed = placement.find((each) => each.copy === copy.metadata.name);
  if (placed === undefined || !isMarked(placed) || placed.isLeaving === true) return false;
  return isMember(engine, copy) !== true;
}

/** Whether the engine has the volume made of this copy, too; undefined where nobody has said yet what it has it made of. */
export function isMember(engine: VolumeEngineStatus | undefined, { spec, status }: StoredCopy): boolean | undefined {
  return engine?.members?.includes(`${spec.node}:${status?.path}`);
}
