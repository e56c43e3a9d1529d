/**
 * Lets a machine that was installed anew take the place of the one of the same name: it gets the identity that the others
 * know, and the copies that were lost with the old one are filled from the others. All of it is written as a wish at once;
 * controller and agents carry it out, whether or not anybody waits. Stopped anywhere, the same call does the rest.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { planRejoin, type RejoinPlan } from '../../domain/node/plan-rejoin.ts';
import type { StoredCluster } from '../../domain/simulate/stored-cluster.ts';
import { stateMessage } from '../../domain/volume/describe-volume.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { nodeNames, readCluster, requireKnown } from '../simulate/read-cluster.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';

const ENGINE = 'gluster';
/** Between two looks at a new machine that is not there yet: what is awaited is spread over its node and all of its copies. */
const LOOK_AGAIN_MS = 1_000;

export interface RejoinOptions {
  /** Goes on although volumes have lost their last copy; those are left as they are. */
  readonly isForced: boolean;
  readonly isDryRun: boolean;
  /** How long to wait for each step; does not wait when left out. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** Asked before anything is changed. */
  readonly confirm: (plan: RejoinPlan) => Promise<boolean>;
  readonly say: (line: string) => void;
}

export interface RejoinedNode extends RejoinPlan {
  /** nothing: it was all so. planned: a dry run. kept: the question was answered with no. asked: goes on by itself. */
  readonly outcome: 'nothing' | 'planned' | 'kept' | 'asked' | 'rejoined';
}

/**
 * Rejoins a node.
 *
 * @throws {AppError} notFound; precondition, with what has to be so first; unavailable, when the new machine is not there
 *   in time; dataLoss, when a volume has no copy left to fill
 *   the lost one from; timeout, with what it waits for
 */
export async function rejoinNode(deps: WaitDeps, name: string, options: RejoinOptions): Promise<RejoinedNode> {
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const { stored, plan } = await planWhenThere(deps, name, options);
  if (plan.hopeless.length > 0 && !options.isForced) throw lastCopies(plan);
  if (options.isDryRun) return { ...plan, outcome: 'planned' };
  const pending = pendingVolumes(stored, name);
  const isAsked = plan.blankEngineId === undefined && plan.replace.length === 0;
  if (isAsked && pending.length === 0) return { ...plan, outcome: 'nothing' };
  if (!isAsked && !(await options.confirm(plan))) return { ...plan, outcome: 'kept' };

  await askToRejoin(deps, plan, scope);
  if (options.waitMs === undefined) return { ...plan, outcome: 'asked' };
  await waitForIdentity(deps, plan, { ...options, waitMs: options.waitMs });
  const volumes = [...new Set([...pending, ...plan.replace.map(({ volume }) => volume)])];
  for (const volume of volumes) await waitForVolume(deps, name, volume, { ...options, waitMs: options.waitMs });
  return { ...plan, outcome: 'rejoined' };
}

/** What was so a moment ago may be said still: the others notice within their ping-timeout that the old machine is gone. */
const MAY_PASS = ['IdentityInUse', 'NotSeenGone'];

/**
 * GlusterFS on a new machine starts while its agent does, and it is restarted when it has taken its identity: that it does
 * not answer, or that copies were not looked at yet, is waited for as everything else is.
 *
 * @throws {AppError} as planRejoin does; what is not there yet, after the time that is left for each step
 */
async function planWhenThere(
  { client, clock }: WaitDeps,
  name: string,
  { waitMs = 0, signal, say }: RejoinOptions,
): Promise<{ readonly stored: StoredCluster; readonly plan: RejoinPlan }> {
  const end = clock.monotonic() + waitMs;
  for (let told = ''; ; ) {
    const stored = await readCluster({ client, ...(signal === undefined ? {} : { signal }) });
    requireKnown('node', [name], nodeNames(stored));
    try {
      return { stored, plan: planRejoin(stored, name) };
    } catch (error) {
      if (!mayPass(error) || clock.monotonic() + LOOK_AGAIN_MS > end) throw error;
      if (error.message !== told) say(error.message);
      told = error.message;
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

function mayPass(error: unknown): error is AppError {
  return isAppError(error) && (error.kind === 'unavailable' || MAY_PASS.includes(error.reason ?? ''));
}

/** The identity first: without it no copy can be filled. */
async function askToRejoin(
  { client }: WaitDeps,
  { node, engineId, blankEngineId, replace }: RejoinPlan,
  scope: { readonly signal?: AbortSignal },
): Promise<void> {
  if (blankEngineId !== undefined) {
    await client.patch('StorageNode', node, { spec: { engineId, blankEngineId } }, scope);
  }
  for (const { copy } of replace) {
    const replacement = { reason: 'NodeRejoined', node } as const;
    await client.patch('VolumeCopy', copy, { spec: { replacement } }, scope);
  }
}

/** Volumes whose lost copies an earlier call has asked to be replaced. */
function pendingVolumes({ copies }: StoredCluster, name: string): readonly string[] {
  return copies
    .filter(({ spec }) => spec.node === name && spec.replacement?.reason === 'NodeRejoined')
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ spec }) => spec.volume);
}

type Waiting = RejoinOptions & { readonly waitMs: number };

async function waitForIdentity(deps: WaitDeps, plan: RejoinPlan, { waitMs, signal, say }: Waiting): Promise<void> {
  const { node, engineId } = plan;
  const scope = { timeoutMs: waitMs, ...(signal === undefined ? {} : { signal }) };
  await waitForObject(deps, {
    ...scope,
    ...{ kind: 'StorageNode', name: node },
    check: (seen) => {
      const engine = seen?.status?.engines?.find((each) => each.name === ENGINE);
      return engine?.id === engineId && engine.isRunning && engine.isStranger !== true ? true : undefined;
    },
    describeTimeout: (seen) => {
      const why = seen?.status?.engines?.find((each) => each.name === ENGINE)?.message;
      return late(`node ${node}`, `GlusterFS on ${node} has not taken its identity back`, { waitMs, why });
    },
  });
  say(`GlusterFS on ${node} is ${engineId} again`);
  const { items } = await deps.client.list('StorageCluster', signal === undefined ? {} : { signal });
  const cluster = items.find(({ spec }) => spec.nodes.includes(node))?.metadata.name;
  if (cluster === undefined) return;
  await waitForObject(deps, {
    ...scope,
    ...{ kind: 'StorageCluster', name: cluster },
    check: (seen) => {
      const peers = seen?.status?.peers;
      return peers?.observedBy === node || peers?.connected.includes(node) === true ? true : undefined;
    },
    describeTimeout: (seen) => {
      const why = seen?.status?.peers?.message;
      return late(`node ${node}`, `${node} is not connected to the others`, { waitMs, why });
    },
  });
  say(`${node} is connected to the others`);
}

async function waitForVolume(
  deps: WaitDeps,
  node: string,
  volume: string,
  { waitMs, signal, say }: Waiting,
): Promise<void> {
  const seenMessages = { last: '' };
  await waitForObject(deps, {
    ...{ kind: 'Volume', name: volume, timeoutMs: waitMs },
    ...(signal === undefined ? {} : { signal }),
    check: (seen) => {
      if (seen === undefined) return true; // deleted by somebody meanwhile: nothing is to be filled any more
      const message = stateMessage(seen);
      if (message !== seenMessages.last) say(`volume ${volume}: ${message}`);
      seenMessages.last = message;
      return isWhole(seen) ? true : undefined;
    },
    describeTimeout: (seen) => {
      const why = seen === undefined ? undefined : stateMessage(seen);
      return late(`volume ${volume}`, `the copy of ${volume} on ${node} is not filled yet`, { waitMs, why });
    },
  });
}

/** Redundant again, and no change of its copies is under way: a copy is marked until it was seen to hold everything. */
function isWhole(volume: Resource<'Volume'>): boolean {
  const isChanging = volume.status?.placement?.some((placed) => placed.replaces !== undefined) === true;
  return findCondition(volume, 'Redundant')?.status === 'True' && !isChanging;
}

function late(
  resource: string,
  what: string,
  { waitMs, why }: { readonly waitMs: number; readonly why: string | undefined },
): AppError {
  return new AppError('timeout', `${what} after ${waitMs / 1000} s${why === undefined ? '' : `: ${why}`}`, {
    resource,
    reason: 'NotDoneInTime',
    hint: 'it goes on by itself; the same command waits on',
  });
}

function lastCopies({ node, hopeless }: RejoinPlan): AppError {
  const volumes = [...new Set(hopeless.map(({ volume }) => volume))].join(', ');
  const message = `${node} held the last current copy of ${volumes}, and no other copy that it could be filled from serves now; nothing was changed`;
  return new AppError('dataLoss', message, {
    resource: `node ${node}`,
    reason: 'LastCopyLost',
    hint: `bring the other copies back or the old disk, and run the command again; with --force the node rejoins and ${volumes} is left as it is`,
    faults: hopeless.map(({ copy, message: why }) => ({ field: copy, message: why ?? 'it is lost' })),
  });
}
