/** Lives a life against a driver, and holds each answer and everything that is there then against the model. */
import { setImmediate } from 'node:timers/promises';
import { ClientError, Status } from 'nice-grpc';
import { expect } from 'vitest';
import { type Branch, type Call, GROUPS, NODES, PODS, SNAPSHOTS, type Step, VOLUMES } from './calls.ts';
import { type Answer, explain } from './explain.ts';
import { NOTHING, type State } from './model.ts';
import { type LifeWorld, type Making, type Observed, Skipped, send } from './send.ts';

/** Longer than anything takes, on an engine that works. */
const CALL_MS = 60_000;
/** A busy name is asked for again so often; each takes a round trip. */
const BARRIER_TRIES = 5_000;

/** @param parameters - of the class */
export async function live(
  world: LifeWorld,
  steps: readonly Step[],
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  let states: readonly State[] = [NOTHING];
  let tokens = 0;
  for (const planned of steps) {
    const step = { ...planned, branches: lawful(states, planned.branches) };
    const restart = step.isRestart ? world.restartController() : undefined;
    const answers = await Promise.all(
      step.branches.map(async (branch) => {
        tokens += 1;
        const token = `t${tokens}`;
        return { branch, token, ...(await make(world, branch, { token, parameters, states })) };
      }),
    );
    await restart;
    for (const { call } of step.branches) await untilFree(world, call);
    await world.settle();
    states = narrow(explain(states, step, answers, world.rules), await world.observe(), answers);
  }
  await end(world, steps, parameters);
}

/** What no orchestrator does: take away what is in use, or while it is just coming into use. */
function lawful(states: readonly State[], branches: readonly Branch[]): readonly Branch[] {
  const calls = branches.map(({ call }) => call);
  const isComing = (place: string) =>
    calls.some(
      (call) =>
        (call.do === 'stage' || call.do === 'bind' || call.do === 'write') && `${call.volume}@${call.node}` === place,
    );
  return branches.filter(({ call }) => {
    if (call.do !== 'detach' && call.do !== 'unstage' && call.do !== 'unbind') return true;
    const place = `${call.volume}@${call.node}`;
    if (isComing(place)) return false;
    if (call.do === 'unbind') return true;
    const isLeaving = calls.some((other) => other.do === 'unbind' && `${other.volume}@${other.node}` === place);
    const isUsed = states.some(
      ({ bound, staged }) =>
        bound.some((each) => each.startsWith(`${place}/`)) || (call.do === 'detach' && staged.includes(place)),
    );
    return (
      !isUsed &&
      !isLeaving &&
      !(
        call.do === 'detach' &&
        calls.some((other) => other.do === 'unstage' && `${other.volume}@${other.node}` === place)
      )
    );
  });
}

async function make(
  world: LifeWorld,
  { call, givenUpAfter }: Branch,
  making: Making,
): Promise<Pick<Answer, 'code' | 'value'>> {
  const hangUp = new AbortController();
  const signal = AbortSignal.any([hangUp.signal, AbortSignal.timeout(CALL_MS)]);
  const answer = send(world, call, making, signal).then(
    (value) => ({ code: 'OK', value }),
    (error: unknown) => {
      if (hangUp.signal.aborted) return { code: 'UNKNOWN' };
      if (error instanceof Skipped) return { code: 'SKIPPED' };
      if (!(error instanceof ClientError)) throw error;
      const isGone = error.code === Status.UNAVAILABLE || error.code === Status.CANCELLED;
      return { code: isGone ? 'UNKNOWN' : (Status[error.code] ?? String(error.code)), value: error.details };
    },
  );
  if (givenUpAfter === undefined) return answer;
  await Promise.race([answer, (world.patience ?? eventLoop)(givenUpAfter)]);
  hangUp.abort();
  return answer;
}

async function eventLoop(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await setImmediate();
}

/** Returns when the driver has let go of what the call was about: it says so to calls that have nothing to ask. */
async function untilFree({ controller, groups, nodes, patience = eventLoop }: LifeWorld, call: Call): Promise<void> {
  const asks: (() => Promise<unknown>)[] = [];
  if ('volume' in call) {
    asks.push(() => controller.controllerExpandVolume({ volumeId: call.volume }));
    for (const node of Object.values(nodes)) asks.push(() => node.nodeUnstageVolume({ volumeId: call.volume }));
  }
  if ('snapshot' in call) asks.push(() => controller.createSnapshot({ name: call.snapshot }));
  if ('group' in call && groups !== undefined)
    asks.push(() => groups.createVolumeGroupSnapshot({ name: call.group, sourceVolumeIds: [] }));
  for (const ask of asks) {
    for (let tries = 0; (await codeOf(ask)) !== Status.INVALID_ARGUMENT; tries += 1) {
      if (tries === BARRIER_TRIES) throw new Error(`the driver does not let go of ${JSON.stringify(call)}`);
      // A driver that is just being started refuses at once, thousands of times in a second.
      await patience(1);
    }
  }
}

async function codeOf(ask: () => Promise<unknown>): Promise<Status> {
  try {
    await ask();
    return Status.OK;
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

/** @throws when nothing explains what was answered, or what is there */
function narrow(states: readonly State[], seen: Observed, answers: readonly Answer[]): readonly State[] {
  const told = answers.map(
    ({ branch, code, value }) => `${JSON.stringify(branch.call)}: ${code} ${JSON.stringify(value) ?? ''}`,
  );
  expect(states, `no order explains these answers:\n${told.join('\n')}`).not.toEqual([]);
  for (const volume of ['vol-alone', 'vol-node']) {
    expect(seen.attached.filter((place) => place.startsWith(`${volume}@`)).length).toBeLessThanOrEqual(1);
  }
  const shown = states.map((state) => show(state, seen));
  const fitting = states.filter((_, at) => JSON.stringify(shown[at]) === JSON.stringify(inOrder(seen)));
  if (fitting.length === 0) expect(inOrder(seen), `after:\n${told.join('\n')}`).toEqual(shown[0]);
  return fitting;
}

/** A state as it would be observed: of the data what can be read. */
function show({ volumes, snapshots, groups, attached, staged, bound }: State, seen: Observed): Observed {
  const sizes = Object.fromEntries(Object.entries(volumes).map(([name, { gib }]) => [name, gib]));
  const data = Object.fromEntries(Object.keys(seen.data).map((name) => [name, volumes[name]?.data ?? 'gone']));
  const taken = { snapshots: Object.keys(snapshots), groups: Object.keys(groups) };
  return inOrder({ volumes: sizes, ...taken, attached, staged, bound, data });
}

function inOrder(seen: Observed): Observed {
  const sorted = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return {
    ...{ volumes: sorted(seen.volumes), snapshots: seen.snapshots.toSorted(), attached: seen.attached.toSorted() },
    groups: seen.groups.toSorted(),
    ...{ staged: seen.staged.toSorted(), bound: seen.bound.toSorted(), data: sorted(seen.data) },
  };
}

/** Takes everything away as an orchestrator does, each call twice. A creation that was given up is made once more before. */
async function end(world: LifeWorld, steps: readonly Step[], parameters: Making['parameters']): Promise<void> {
  const all = (calls: readonly Call[]) =>
    Promise.all(
      calls.map(async (call) => {
        for (let round = 0; round < 2; round += 1) {
          const answer = await make(world, { call }, { token: '', parameters, states: [] });
          expect({ call, ...answer }).toMatchObject({ code: 'OK' });
        }
      }),
    );
  // One node and one pod after the other: two calls for one volume at once are turned away.
  for (const node of NODES) {
    for (const pod of PODS) await all(VOLUMES.map((volume) => ({ do: 'unbind', volume, node, pod })));
    await all(VOLUMES.map((volume) => ({ do: 'unstage', volume, node })));
  }
  for (const node of NODES) await all(VOLUMES.map((volume) => ({ do: 'detach', volume, node })));
  const givenUp = steps.flatMap(({ branches, isRestart }) =>
    branches.filter((branch) => branch.call.do === 'create' && (isRestart || branch.givenUpAfter !== undefined)),
  );
  for (const { call } of givenUp) await make(world, { call }, { token: '', parameters, states: [] });
  await all(VOLUMES.map((volume) => ({ do: 'delete', volume })));
  if (world.groups !== undefined) await all(GROUPS.map((group) => ({ do: 'ungroup', group })));
  await all(SNAPSHOTS.map((snapshot) => ({ do: 'unsnap', snapshot })));
  await world.settle();
  expect(await world.residue()).toEqual([]);
}
