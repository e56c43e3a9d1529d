/**
 * What each node has of a volume, for a pod that wants to be near its data. Pure.
 *
 * GlusterFS has no primary: a client writes to all copies and reads from the one on its own node. So the best node is one
 * that can read as much of the volume as any node can from its own disk, and there may be several; the scheduler then spreads
 * pods over them as it likes. A copy that lacks something is no such copy: where entries are to be healed, GlusterFS lists
 * them at the copies that have them, and the one that lists none is behind.
 */
import type { BrickStatus, PlacedCopy, Volume } from '../../schemas/volume.ts';
import { isServing, type UsableNodes } from '../volume/is-serving.ts';
import { replicaSets } from '../volume/replica-sets.ts';

/** best: reads as much there as anywhere. copy: one that serves, and holds less or is behind. */
export type Standing = 'best' | 'copy';

/** What of a Volume is looked at. */
export interface VolumeView {
  readonly spec: Pick<
    Volume['spec'],
    'engine' | 'layout' | 'replicas' | 'distribution' | 'disperseData' | 'redundancy'
  >;
  readonly status?:
    | {
        readonly placement?: readonly PlacedCopy[] | undefined;
        readonly engine?: { readonly bricks: readonly BrickStatus[] } | undefined;
      }
    | undefined;
}

/** The nodes with a copy that serves; an arbiter holds no data and is none. */
export function copiesOn({ spec, status }: VolumeView, usable: UsableNodes): ReadonlyMap<string, Standing> {
  const bricks = status?.engine?.bricks ?? [];
  const placed = (status?.placement ?? []).filter((copy) => copy.isJoining !== true && copy.isLeaving !== true);
  const current = new Map<string, number>();
  for (const { copies } of replicaSets(spec, placed)) {
    const serving = copies.filter((copy) => copy.role === 'data' && isServing(copy, bricks, usable));
    const whole = serving.filter((copy) => isWhole(copy, copies, bricks));
    for (const { node } of serving) current.set(node, current.get(node) ?? 0);
    for (const { node } of whole) current.set(node, (current.get(node) ?? 0) + 1);
  }
  const most = Math.max(1, ...current.values());
  return new Map([...current].map(([node, count]) => [node, count === most ? 'best' : 'copy']));
}

/** Nothing is known that it lacks. */
function isWhole(copy: PlacedCopy, set: readonly PlacedCopy[], bricks: readonly BrickStatus[]): boolean {
  const entriesAt = ({ copy: name }: PlacedCopy) => {
    const brick = bricks.find((each) => each.copy === name);
    return { pending: brick?.pendingHeals ?? 0, split: brick?.splitBrainEntries ?? 0 };
  };
  const own = entriesAt(copy);
  return own.split === 0 && (own.pending > 0 || set.every((each) => entriesAt(each).pending === 0));
}
