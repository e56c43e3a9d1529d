/** What happens in a life of volumes: calls, some at once, some given up, and a controller that is restarted. */
import fc from 'fast-check';

export const VOLUMES = ['vol-alone', 'vol-node', 'vol-shared'] as const;
export const SNAPSHOTS = ['snap-one', 'snap-two'] as const;
export const NODES = ['kube1', 'kube2'] as const;
export const PODS = ['p1', 'p2'] as const;

export type VolumeId = (typeof VOLUMES)[number];
type Place = { readonly volume: VolumeId; readonly node: (typeof NODES)[number] };
type PodPlace = Place & { readonly pod: (typeof PODS)[number] };

/** One type for each word, so that a look at the word tells which it is. */
type About<Word extends string, What> = Word extends Word ? { readonly do: Word } & What : never;

export type Call =
  | {
      readonly do: 'create';
      readonly volume: VolumeId;
      readonly gib: number;
      readonly from?: { readonly kind: 'snapshot' | 'volume'; readonly id: string };
    }
  | { readonly do: 'delete'; readonly volume: VolumeId }
  | About<'attach' | 'detach' | 'stage' | 'unstage', Place>
  | About<'bind' | 'unbind' | 'write', PodPlace>
  | { readonly do: 'expand'; readonly volume: VolumeId; readonly gib: number }
  | { readonly do: 'snap'; readonly snapshot: string; readonly volume: VolumeId }
  | { readonly do: 'unsnap'; readonly snapshot: string }
  | { readonly do: 'list' };

/** One branch of a step. */
export interface Branch {
  readonly call: Call;
  /** Given up after so many turns of the event loop. */
  readonly givenUpAfter?: number;
}

/** Branches that run at once. */
export interface Step {
  readonly branches: readonly Branch[];
  /** Beside them the controller service is restarted. */
  readonly isRestart: boolean;
}

const volume = fc.constantFrom(...VOLUMES);
const node = fc.constantFrom(...NODES);
const pod = fc.constantFrom(...PODS);
const snapshot = fc.constantFrom(...SNAPSHOTS);
const gib = fc.constantFrom(1, 2);

const from = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: snapshot.map((id) => ({ kind: 'snapshot' as const, id })) },
  { weight: 1, arbitrary: volume.map((id) => ({ kind: 'volume' as const, id })) },
);
const create = fc.record({ do: fc.constant('create' as const), volume, gib, from }).map(
  ({ from: origin, ...call }): Call =>
    // Nothing begins with itself.
    origin === undefined || origin.id === call.volume ? call : { ...call, from: origin },
);

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: create },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), volume }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('attach' as const, 'stage' as const), volume, node }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('detach' as const, 'unstage' as const), volume, node }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('bind' as const, 'write' as const), volume, node, pod }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unbind' as const), volume, node, pod }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expand' as const), volume, gib: fc.constantFrom(1, 2, 3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('snap' as const), snapshot, volume }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsnap' as const), snapshot }) },
  { weight: 1, arbitrary: fc.constant({ do: 'list' as const }) },
);

const alone = (each: Call): Step => ({ branches: [{ call: each }], isRestart: false });

const branch: fc.Arbitrary<Branch> = fc.oneof(
  { weight: 3, arbitrary: call.map((each) => ({ call: each })) },
  { weight: 1, arbitrary: fc.record({ call, givenUpAfter: fc.nat(40) }) },
);
const together: fc.Arbitrary<Step> = fc.record({
  branches: fc.array(branch, { minLength: 1, maxLength: 3 }),
  isRestart: fc.nat(14).map((one) => one === 14),
});
/** The same call at once, as a caller that has lost patience makes it. */
const twice = call.map((each): Step => ({ branches: [{ call: each }, { call: each }], isRestart: false }));
/** As kubelet and the sidecars go: without it few lives would come as far as a pod. */
const intoPod = fc
  .record({ volume, node, pod })
  .map(({ pod: own, ...place }): readonly Step[] => [
    alone({ do: 'create', volume: place.volume, gib: 1 }),
    alone({ do: 'attach', ...place }),
    alone({ do: 'stage', ...place }),
    alone({ do: 'bind', ...place, pod: own }),
    alone({ do: 'write', ...place, pod: own }),
  ]);
/** The last call is one that was made before: what it began with may be gone by then. */
const cloned = fc.record({ volume, snapshot, copy: volume, gib }).map((each): readonly Step[] => {
  const clone = { do: 'create', volume: each.copy, gib: 1, from: { kind: 'snapshot', id: each.snapshot } } as const;
  return [
    alone({ do: 'snap', snapshot: each.snapshot, volume: each.volume }),
    alone(clone),
    alone({ do: 'unsnap', snapshot: each.snapshot }),
    alone({ ...clone, gib: each.gib }),
  ];
});

/** A life. Shrinks to few steps. */
export const life = (most: number): fc.Arbitrary<readonly Step[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 5, arbitrary: together.map((step) => [step]) },
        { weight: 2, arbitrary: twice.map((step) => [step]) },
        { weight: 3, arbitrary: intoPod },
        { weight: 1, arbitrary: cloned },
      ),
      { minLength: 3, maxLength: most },
    )
    .map((parts) => parts.flat());
