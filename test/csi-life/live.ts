/** Lives a life against a driver, and holds each answer and everything that is there then against the model. */
import { setImmediate } from 'node:timers/promises';
import { ClientError, Status } from 'nice-grpc';
import { expect } from 'vitest';
import {
  type ControllerClient,
  VolumeCapability_AccessMode_Mode as Mode,
  type NodeClient,
  type VolumeCapability,
} from '../../src/gen/csi/csi.ts';
import { type Branch, type Call, NODES, PODS, SNAPSHOTS, type Step, VOLUMES, type VolumeId } from './calls.ts';
import { type Answer, explain } from './explain.ts';
import { NOTHING, type State } from './model.ts';

/** What is really there. */
export interface Observed {
  /** GiB by name. */
  readonly volumes: Readonly<Record<string, number>>;
  readonly snapshots: readonly string[];
  /** As in {@link State}. */
  readonly attached: readonly string[];
  readonly staged: readonly string[];
  readonly bound: readonly string[];
  /** By volume; those that cannot be read now are left out. */
  readonly data: Readonly<Record<string, string>>;
}

/** A driver with everything behind it. */
export interface LifeWorld {
  /** How a volume is used where that is not as on an engine that serves all nodes. */
  readonly modes?: Partial<Readonly<Record<VolumeId, Mode>>>;
  readonly root: string;
  readonly controller: ControllerClient;
  readonly nodes: Readonly<Record<string, NodeClient>>;
  /** How long a caller waits that gives up after so many turns; turns of the event loop when left out. */
  readonly patience?: (turns: number) => Promise<void>;
  /** As a pod would, at the path that it was given. */
  write(node: string, path: string, volume: VolumeId, token: string): Promise<void>;
  /** Resolves when nothing is being made or taken away any more. */
  settle(): Promise<void>;
  observe(): Promise<Observed>;
  restartController(): Promise<void>;
  /** Whatever is still there of volumes, snapshots, attachments, mounts and folders. */
  residue(): Promise<readonly string[]>;
}

const GIB = 1024n ** 3n;
/** Longer than anything takes, on an engine that works. */
const CALL_MS = 60_000;
/** A busy name is asked for again so often; each takes a round trip. */
const BARRIER_TRIES = 5_000;

const MODES: Readonly<Record<VolumeId, Mode>> = {
  'vol-alone': Mode.SINGLE_NODE_SINGLE_WRITER,
  'vol-node': Mode.SINGLE_NODE_WRITER,
  'vol-shared': Mode.MULTI_NODE_MULTI_WRITER,
};

/** Where a volume is staged on a node. */
export const stagingPath = (root: string, volume: string): string => `${root}/staging/${volume}`;
/** Where a pod has a volume. */
export const podPath = (root: string, volume: string, pod: string): string => `${root}/pods/${pod}/${volume}`;

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
    states = narrow(explain(states, step, answers), await world.observe(), answers);
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

interface Making {
  readonly token: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly states: readonly State[];
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

class Skipped extends Error {}

async function send(world: LifeWorld, call: Call, making: Making, signal: AbortSignal): Promise<unknown> {
  if (call.do === 'write') return write(world, call, making);
  if (call.do === 'stage' || call.do === 'unstage' || 'pod' in call) return sendToNode(world, call, signal);
  return sendToController(world, call, making.parameters, { signal });
}

async function write(
  world: LifeWorld,
  { volume, node, pod }: Extract<Call, { readonly pod: string }>,
  making: Making,
): Promise<void> {
  const isThere = making.states.every(({ bound }) => bound.includes(`${volume}@${node}/${pod}`));
  if (!isThere) throw new Skipped();
  await world.write(node, podPath(world.root, volume, pod), volume, making.token);
}

type ToController = Extract<
  Call,
  { do: 'create' | 'delete' | 'attach' | 'detach' | 'expand' | 'snap' | 'unsnap' | 'list' }
>;

/** @returns GiB of a volume, or the names in a list */
async function sendToController(
  world: LifeWorld,
  call: ToController,
  parameters: Making['parameters'],
  options: { readonly signal: AbortSignal },
): Promise<unknown> {
  const { controller } = world;
  if (call.do === 'list') {
    const { entries } = await controller.listVolumes({}, options);
    const ids = entries.map(({ volume }) => volume?.volumeId ?? '');
    return ids.toSorted((a, b) => (a < b ? -1 : 1)).join();
  }
  if (call.do === 'create') {
    const { volume: made } = await controller.createVolume(creation(world, call, parameters), options);
    return Number((made?.capacityBytes ?? 0n) / GIB);
  }
  if (call.do === 'expand') {
    const capacityRange = { requiredBytes: BigInt(call.gib) * GIB, limitBytes: 0n };
    const { capacityBytes } = await controller.controllerExpandVolume(
      { volumeId: call.volume, capacityRange },
      options,
    );
    return Number(capacityBytes / GIB);
  }
  if (call.do === 'snap')
    await controller.createSnapshot({ name: call.snapshot, sourceVolumeId: call.volume }, options);
  else if (call.do === 'unsnap') await controller.deleteSnapshot({ snapshotId: call.snapshot }, options);
  else if (call.do === 'delete') await controller.deleteVolume({ volumeId: call.volume }, options);
  else await sendUse(world, call, options);
  return undefined;
}

async function sendUse(
  world: LifeWorld,
  { do: what, volume: volumeId, node: nodeId }: Extract<Call, { do: 'attach' | 'detach' }>,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const { controller } = world;
  if (what === 'detach') return void (await controller.controllerUnpublishVolume({ volumeId, nodeId }, options));
  const wish = { volumeId, nodeId, volumeCapability: capability(world, volumeId) };
  await controller.controllerPublishVolume(wish, options);
}

async function sendToNode(
  world: LifeWorld,
  call: Extract<Call, { readonly node: string }>,
  signal: AbortSignal,
): Promise<void> {
  const { nodes, root } = world;
  const node = nodes[call.node];
  if (node === undefined) throw new Error(`${call.node} has no node service`);
  const volumeId = call.volume;
  const stagingTargetPath = stagingPath(root, volumeId);
  const volumeCapability = capability(world, call.volume);
  if (call.do === 'stage') await node.nodeStageVolume({ volumeId, stagingTargetPath, volumeCapability }, { signal });
  if (call.do === 'unstage') await node.nodeUnstageVolume({ volumeId, stagingTargetPath }, { signal });
  if (call.do !== 'bind' && call.do !== 'unbind') return;
  const targetPath = podPath(root, volumeId, call.pod);
  if (call.do === 'unbind') await node.nodeUnpublishVolume({ volumeId, targetPath }, { signal });
  else await node.nodePublishVolume({ volumeId, stagingTargetPath, targetPath, volumeCapability }, { signal });
}

function creation(
  world: LifeWorld,
  { volume, gib, from }: Extract<Call, { do: 'create' }>,
  parameters: Readonly<Record<string, string>>,
) {
  const type =
    from === undefined
      ? undefined
      : from.kind === 'snapshot'
        ? { $case: 'snapshot' as const, value: { snapshotId: from.id } }
        : { $case: 'volume' as const, value: { volumeId: from.id } };
  return {
    ...{ name: volume, volumeCapabilities: [capability(world, volume)], parameters: { ...parameters } },
    capacityRange: { requiredBytes: BigInt(gib) * GIB, limitBytes: 0n },
    ...(type === undefined ? {} : { volumeContentSource: { type } }),
  };
}

function capability({ modes = {} }: LifeWorld, volume: VolumeId): VolumeCapability {
  const mount = { fsType: '', mountFlags: [], volumeMountGroup: '' };
  return { accessType: { $case: 'mount', value: mount }, accessMode: { mode: modes[volume] ?? MODES[volume] } };
}

/** Returns when the driver has let go of what the call was about: it says so to calls that have nothing to ask. */
async function untilFree({ controller, nodes }: LifeWorld, call: Call): Promise<void> {
  const asks: (() => Promise<unknown>)[] = [];
  if ('volume' in call) {
    asks.push(() => controller.controllerExpandVolume({ volumeId: call.volume }));
    for (const node of Object.values(nodes)) asks.push(() => node.nodeUnstageVolume({ volumeId: call.volume }));
  }
  if ('snapshot' in call) asks.push(() => controller.createSnapshot({ name: call.snapshot }));
  for (const ask of asks) {
    for (let tries = 0; (await codeOf(ask)) !== Status.INVALID_ARGUMENT; tries += 1) {
      if (tries === BARRIER_TRIES) throw new Error(`the driver does not let go of ${JSON.stringify(call)}`);
      await setImmediate();
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
function show({ volumes, snapshots, attached, staged, bound }: State, seen: Observed): Observed {
  const sizes = Object.fromEntries(Object.entries(volumes).map(([name, { gib }]) => [name, gib]));
  const data = Object.fromEntries(Object.keys(seen.data).map((name) => [name, volumes[name]?.data ?? 'gone']));
  return inOrder({ volumes: sizes, snapshots: Object.keys(snapshots), attached, staged, bound, data });
}

function inOrder(seen: Observed): Observed {
  const sorted = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return {
    ...{ volumes: sorted(seen.volumes), snapshots: seen.snapshots.toSorted(), attached: seen.attached.toSorted() },
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
  await all(SNAPSHOTS.map((snapshot) => ({ do: 'unsnap', snapshot })));
  await world.settle();
  expect(await world.residue()).toEqual([]);
}
