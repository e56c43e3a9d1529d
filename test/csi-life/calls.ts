/** What happens in a life of volumes: calls, some at once, some given up, and a controller that is restarted. */
import fc from 'fast-check';

export const VOLUMES = ['vol-alone', 'vol-node', 'vol-shared'] as const;
export const SNAPSHOTS = ['snap-one', 'snap-two'] as const;
export const GROUPS = ['group-one', 'group-two'] as const;
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
  | { readonly do: 'group'; readonly group: string; readonly volumes: readonly VolumeId[] }
  | About<'ungroup' | 'look', { readonly group: string }>
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
const gib = fc.constantFrom(1, 2);
const group = fc.constantFrom(...GROUPS);
/** Name of the snapshot in a group of the volume with this number, of those in the group. */
export const memberOf = (name: string, index: number): string => `${name}-${index + 1}`;

/** Groups of snapshots are a part of lives only where the engine has them. */
export interface LifeOptions {
  readonly hasGroups?: boolean;
}

const withMembers = [...SNAPSHOTS, ...GROUPS.flatMap((name) => VOLUMES.map((_, index) => memberOf(name, index)))];
const snapshotOf = ({ hasGroups = false }: LifeOptions): fc.Arbitrary<string> =>
  fc.constantFrom(...(hasGroups ? withMembers : SNAPSHOTS));

const createOf = (snapshot: fc.Arbitrary<string>) => {
  const from = fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: snapshot.map((id) => ({ kind: 'snapshot' as const, id })) },
    { weight: 1, arbitrary: volume.map((id) => ({ kind: 'volume' as const, id })) },
  );
  return fc.record({ do: fc.constant('create' as const), volume, gib, from }).map(
    ({ from: origin, ...call }): Call =>
      // Nothing begins with itself.
      origin === undefined || origin.id === call.volume ? call : { ...call, from: origin },
  );
};

/** In any order, and one may be said twice. */
const aGroup: fc.Arbitrary<Call> = fc.record({
  do: fc.constant('group' as const),
  group,
  volumes: fc.array(volume, { minLength: 1, maxLength: 3 }),
});
const ofGroups = [
  { weight: 3, arbitrary: aGroup },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('ungroup' as const, 'look' as const), group }) },
];

const callOf = (options: LifeOptions): fc.Arbitrary<Call> => {
  const snapshot = snapshotOf(options);
  // Only a group takes what is a member's name.
  const own = fc.constantFrom(...SNAPSHOTS);
  return fc.oneof(
    { weight: 4, arbitrary: createOf(snapshot) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), volume }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('attach' as const, 'stage' as const), volume, node }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('detach' as const, 'unstage' as const), volume, node }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('bind' as const, 'write' as const), volume, node, pod }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('unbind' as const), volume, node, pod }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('expand' as const), volume, gib: fc.constantFrom(1, 2, 3) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('snap' as const), snapshot: own, volume }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('unsnap' as const), snapshot }) },
    { weight: 1, arbitrary: fc.constant({ do: 'list' as const }) },
    ...(options.hasGroups === true ? ofGroups : []),
  );
};

const alone = (each: Call): Step => ({ branches: [{ call: each }], isRestart: false });

const branchOf = (call: fc.Arbitrary<Call>): fc.Arbitrary<Branch> =>
  fc.oneof(
    { weight: 3, arbitrary: call.map((each) => ({ call: each })) },
    { weight: 1, arbitrary: fc.record({ call, givenUpAfter: fc.nat(40) }) },
  );
const togetherOf = (call: fc.Arbitrary<Call>): fc.Arbitrary<Step> =>
  fc.record({
    branches: fc.array(branchOf(call), { minLength: 1, maxLength: 3 }),
    isRestart: fc.nat(14).map((one) => one === 14),
  });
/** The same call at once, as a caller that has lost patience makes it. */
const twiceOf = (call: fc.Arbitrary<Call>) =>
  call.map((each): Step => ({ branches: [{ call: each }, { call: each }], isRestart: false }));
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
const cloned = fc
  .record({ volume, snapshot: fc.constantFrom(...SNAPSHOTS), copy: volume, gib })
  .map((each): readonly Step[] => {
    const clone = { do: 'create', volume: each.copy, gib: 1, from: { kind: 'snapshot', id: each.snapshot } } as const;
    return [
      alone({ do: 'snap', snapshot: each.snapshot, volume: each.volume }),
      alone(clone),
      alone({ do: 'unsnap', snapshot: each.snapshot }),
      alone({ ...clone, gib: each.gib }),
    ];
  });

/** A group of two, and a volume from one of its snapshots, which alone does not go. */
const clonedOfGroup = fc.record({ group, copy: fc.nat(1), gib }).map((each): readonly Step[] => {
  const [first, second, third] = VOLUMES;
  const snapshot = memberOf(each.group, each.copy);
  return [
    ...[first, second].map((name) => alone({ do: 'create', volume: name, gib: 1 })),
    alone({ do: 'group', group: each.group, volumes: [second, first] }),
    alone({ do: 'unsnap', snapshot }),
    alone({ do: 'create', volume: third, gib: each.gib, from: { kind: 'snapshot', id: snapshot } }),
    alone({ do: 'ungroup', group: each.group }),
  ];
});

/** A life. Shrinks to few steps. */
export const life = (most: number, options: LifeOptions = {}): fc.Arbitrary<readonly Step[]> => {
  const call = callOf(options);
  return fc
    .array(
      fc.oneof(
        { weight: 5, arbitrary: togetherOf(call).map((step) => [step]) },
        { weight: 2, arbitrary: twiceOf(call).map((step) => [step]) },
        { weight: 3, arbitrary: intoPod },
        { weight: 1, arbitrary: cloned },
        ...(options.hasGroups === true ? [{ weight: 1, arbitrary: clonedOfGroup }] : []),
      ),
      { minLength: 3, maxLength: most },
    )
    .map((parts) => parts.flat());
};

/** Where volumes are used on one node alone: everything happens on the first. */
export function onOneNode(steps: readonly Step[]): readonly Step[] {
  return steps.map(({ branches, isRestart }) => ({
    isRestart,
    branches: branches.map((branch) =>
      'node' in branch.call ? { ...branch, call: { ...branch.call, node: NODES[0] } } : branch,
    ),
  }));
}

/** With the controller service restarted beside every second step. */
export function withRestarts(steps: readonly Step[]): readonly Step[] {
  return steps.map((step, index) => (index % 2 === 1 ? { ...step, isRestart: true } : step));
}
