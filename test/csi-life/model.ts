/**
 * What the driver may answer, and what there is then. The driver is free in few places only, and calls that are made at once
 * may be carried out in any order: so the model keeps every state that explains what was seen.
 */
import { type Call, memberOf, type VolumeId } from './calls.ts';

interface ModelVolume {
  /** Another one under the name of one that was deleted is another volume. */
  readonly id: number;
  readonly gib: number;
  /** What is written in it. */
  readonly data: string;
  /** What it was made from, as its call said. */
  readonly from: string;
  /** The volume that it was made from; another one may have that name by now. */
  readonly fromId?: number;
}

interface ModelSnapshot {
  /** The group that it was taken with. */
  readonly group?: string;
  readonly of: string;
  readonly ofId: number;
  readonly gib: number;
  readonly data: string;
}

export interface State {
  readonly next: number;
  readonly volumes: Readonly<Record<string, ModelVolume>>;
  readonly snapshots: Readonly<Record<string, ModelSnapshot>>;
  /** Names of the volumes, in the order of their snapshots. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** `volume@node`. */
  readonly attached: readonly string[];
  readonly staged: readonly string[];
  /** `volume@node/pod`. */
  readonly bound: readonly string[];
}

/** One way in which a call can end. */
export interface Outcome {
  readonly code: string;
  /** GiB of a volume, or the names in a list. */
  readonly value?: unknown;
  readonly state: State;
}

export const NOTHING: State = {
  ...{ next: 1, volumes: {}, snapshots: {}, groups: {} },
  ...{ attached: [], staged: [], bound: [] },
};

const ALONE: ReadonlySet<VolumeId> = new Set(['vol-alone', 'vol-node']);
/** ReadWriteOncePod. */
const ONE_POD: ReadonlySet<VolumeId> = new Set(['vol-alone']);

const ok = (state: State, value?: unknown): Outcome => ({
  code: 'OK',
  state,
  ...(value === undefined ? {} : { value }),
});
const no = (code: string, state: State): Outcome => ({ code, state });
const withIt = (all: readonly string[], one: string) => (all.includes(one) ? all : [...all, one].toSorted());
const without = (all: readonly string[], one: string) => all.filter((each) => each !== one);

/** What an engine does not do. */
export interface LifeRules {
  /** Volumes are folders of a file server: they neither grow nor have snapshots, and nothing is made from one. */
  readonly isShare?: boolean;
}

/** Every way in which the call may end when it is alone. */
export function outcomesOf(state: State, call: Call, token: string, rules: LifeRules = {}): readonly Outcome[] {
  return (rules.isShare === true ? ofShare(state, call) : undefined) ?? outcomesOfAny(state, call, token);
}

/** Undefined where it is like that of other volumes. */
function ofShare(state: State, call: Call): readonly Outcome[] | undefined {
  const there = 'volume' in call ? state.volumes[call.volume] : undefined;
  if (call.do === 'snap') return [no(there === undefined ? 'NOT_FOUND' : 'FAILED_PRECONDITION', state)];
  if (call.do === 'expand' && there !== undefined && call.gib > there.gib) return [no('OUT_OF_RANGE', state)];
  const isCopy = call.do === 'create' && there === undefined && sourceOf(state, call) !== undefined;
  return isCopy ? [no('FAILED_PRECONDITION', state)] : undefined;
}

function outcomesOfAny(state: State, call: Call, token: string): readonly Outcome[] {
  if (call.do === 'list') return [ok(state, Object.keys(state.volumes).toSorted().join())];
  if ('pod' in call) return call.do === 'write' ? write(state, call, token) : inPod(state, call);
  if ('node' in call) return onNode(state, call);
  if ('snapshot' in call) return onSnapshot(state, call);
  if ('group' in call) return onGroup(state, call);
  if (call.do === 'create') return create(state, call);
  return call.do === 'expand' ? expand(state, call) : remove(state, call.volume);
}

type Create = Extract<Call, { do: 'create' }>;

function create(state: State, call: Create): readonly Outcome[] {
  const { volumes, next } = state;
  const { volume, gib, from } = call;
  const there = volumes[volume];
  if (there !== undefined) return createAgain(state, call, there);
  const origin = originOf(state, from);
  if (from !== undefined && origin === undefined) return [no('NOT_FOUND', state)];
  const size = Math.max(gib, origin?.gib ?? 0);
  const source = sourceOf(state, call);
  const own = source === undefined ? {} : { fromId: source.id };
  const made = { id: next, gib: size, data: origin?.data ?? '', from: wishOf(call), ...own };
  return [ok({ ...state, next: next + 1, volumes: { ...volumes, [volume]: made } }, size)];
}

function createAgain(state: State, call: Create, there: ModelVolume): readonly Outcome[] {
  if (there.from !== wishOf(call) || there.gib < call.gib) return [no('ALREADY_EXISTS', state)];
  const source = sourceOf(state, call);
  const isAnother = source !== undefined && source.id !== there.fromId;
  return [ok(state, there.gib), ...(isAnother ? [no('ALREADY_EXISTS', state)] : [])];
}

const wishOf = ({ from }: Create): string => (from === undefined ? '' : `${from.kind} ${from.id}`);
const sourceOf = ({ volumes }: State, { from }: Create): ModelVolume | undefined =>
  from?.kind === 'volume' ? volumes[from.id] : undefined;

type Origin = Extract<Call, { do: 'create' }>['from'];

/** What a volume is to begin with, if that is there. */
export function originOf(
  { volumes, snapshots }: State,
  from: Origin,
): { readonly gib: number; readonly data: string } | undefined {
  return from === undefined ? undefined : (from.kind === 'volume' ? volumes : snapshots)[from.id];
}

function remove(state: State, volume: string): readonly Outcome[] {
  if (state.attached.some((each) => each.startsWith(`${volume}@`))) return [no('FAILED_PRECONDITION', state)];
  const { [volume]: _gone, ...volumes } = state.volumes;
  return [ok({ ...state, volumes })];
}

type OnNode = Exclude<Extract<Call, { readonly node: string }>, InPod>;

function onNode(state: State, { do: what, volume, node }: OnNode): readonly Outcome[] {
  const { attached, staged } = state;
  const place = `${volume}@${node}`;
  if (what === 'detach') return [ok({ ...state, attached: without(attached, place) })];
  if (what === 'unstage') return [ok({ ...state, staged: without(staged, place) })];
  if (state.volumes[volume] === undefined) return [no('NOT_FOUND', state)];
  if (what === 'stage') {
    if (!attached.includes(place)) return [no('FAILED_PRECONDITION', state)];
    return [ok({ ...state, staged: withIt(staged, place) })];
  }
  const isElsewhere = attached.some((each) => each.startsWith(`${volume}@`) && each !== place);
  if (ALONE.has(volume) && isElsewhere) return [no('FAILED_PRECONDITION', state)];
  return [ok({ ...state, attached: withIt(attached, place) })];
}

type InPod = Extract<Call, { readonly pod: string }>;

function inPod(state: State, { do: what, volume, node, pod }: InPod): readonly Outcome[] {
  const { bound, staged, attached } = state;
  const [place, own] = [`${volume}@${node}`, `${volume}@${node}/${pod}`];
  if (what === 'unbind') return [ok({ ...state, bound: without(bound, own) })];
  if (state.volumes[volume] === undefined) return [no('NOT_FOUND', state)];
  if (!attached.includes(place) || !staged.includes(place)) return [no('FAILED_PRECONDITION', state)];
  const isTaken = ONE_POD.has(volume) && bound.some((each) => each.startsWith(`${place}/`) && each !== own);
  return [isTaken ? no('FAILED_PRECONDITION', state) : ok({ ...state, bound: withIt(bound, own) })];
}

function write(state: State, { volume, node, pod }: InPod, token: string): readonly Outcome[] {
  const there = state.volumes[volume];
  // Where it is not, nobody writes into what is in its place.
  if (there === undefined || !state.bound.includes(`${volume}@${node}/${pod}`)) return [no('SKIPPED', state)];
  return [ok({ ...state, volumes: { ...state.volumes, [volume]: { ...there, data: token } } })];
}

function expand(state: State, { volume, gib }: Extract<Call, { do: 'expand' }>): readonly Outcome[] {
  const there = state.volumes[volume];
  if (there === undefined) return [no('NOT_FOUND', state)];
  const size = Math.max(there.gib, gib);
  return [ok({ ...state, volumes: { ...state.volumes, [volume]: { ...there, gib: size } } }, size)];
}

function onSnapshot(state: State, call: Extract<Call, { readonly snapshot: string }>): readonly Outcome[] {
  if (call.do === 'snap') return snap(state, call);
  const { [call.snapshot]: gone, ...snapshots } = state.snapshots;
  if (gone?.group !== undefined) return [no('INVALID_ARGUMENT', state)];
  return [ok({ ...state, snapshots })];
}

function snap(state: State, { snapshot, volume }: Extract<Call, { do: 'snap' }>): readonly Outcome[] {
  const [there, taken] = [state.volumes[volume], state.snapshots[snapshot]];
  if (taken !== undefined) {
    if (taken.of !== volume) return [no(there === undefined ? 'NOT_FOUND' : 'ALREADY_EXISTS', state)];
    // That of a volume of this name which is gone is the answer as long as there is no other.
    return [there === undefined || there.id === taken.ofId ? ok(state) : no('ALREADY_EXISTS', state)];
  }
  if (there === undefined) return [no('NOT_FOUND', state)];
  const made = { of: volume, ofId: there.id, gib: there.gib, data: there.data };
  return [ok({ ...state, snapshots: { ...state.snapshots, [snapshot]: made } })];
}

type OnGroup = Extract<Call, { readonly group: string }>;

function onGroup(state: State, call: OnGroup): readonly Outcome[] {
  const { [call.group]: there, ...groups } = state.groups;
  const names = (there ?? []).map((_, index) => memberOf(call.group, index));
  if (call.do === 'look') return [there === undefined ? no('NOT_FOUND', state) : ok(state, names.join())];
  if (call.do === 'group') return group(state, call);
  const snapshots = Object.fromEntries(Object.entries(state.snapshots).filter(([name]) => !names.includes(name)));
  return [ok({ ...state, groups, snapshots })];
}

function group(state: State, call: Extract<OnGroup, { do: 'group' }>): readonly Outcome[] {
  const volumes = [...new Set(call.volumes)].toSorted();
  const names = volumes.map((_, index) => memberOf(call.group, index));
  const there = state.groups[call.group];
  if (there !== undefined) {
    const isOther = there.join() !== volumes.join();
    // Those of a volume that is gone are the answer as long as there is no other of its name.
    const isLater = names.some((name, index) => {
      const now = state.volumes[volumes[index] ?? ''];
      return now !== undefined && now.id !== state.snapshots[name]?.ofId;
    });
    return [isOther || isLater ? no('ALREADY_EXISTS', state) : ok(state, names.join())];
  }
  const made = volumes.map((name, index) => {
    const source = state.volumes[name];
    if (source === undefined) return undefined;
    const { id: ofId, gib, data } = source;
    return [memberOf(call.group, index), { of: name, ofId, gib, data, group: call.group }] as const;
  });
  const taken = made.filter((each) => each !== undefined);
  if (taken.length < volumes.length) return [no('NOT_FOUND', state)];
  const snapshots = { ...state.snapshots, ...Object.fromEntries(taken) };
  return [ok({ ...state, snapshots, groups: { ...state.groups, [call.group]: volumes } }, names.join())];
}
