/** What the parts of a Task add up to. Pure: the controller writes it, and unit tests try every turn of events. */
import type { TaskPart, TaskSpec, TaskState, TaskStatus } from '../../schemas/task.ts';
import { kubernetesTime } from '../kubernetes-time.ts';

/** Nobody waits longer for a node that is away, or for an agent that does not begin. */
export const TASK_NODE_DEADLINE_MS = 60_000;
/** A finished Task can be read for so long. */
const TASK_KEPT_MS = 24 * 3_600_000;
/** A choice can be taken back for so long: its Task is kept, and the versions that were put aside for it. */
export const CHOICE_KEPT_MS = 7 * TASK_KEPT_MS;
const CHOICES: ReadonlySet<string> = new Set(['resolveSplitBrain', 'undoSplitBrain', 'acceptFolder']);

/** How long a Task is kept when it is finished, in milliseconds. */
export function keptMs({ action }: Pick<TaskSpec, 'action'>): number {
  return CHOICES.has(action) ? CHOICE_KEPT_MS : TASK_KEPT_MS;
}

/** What of a Volume matters to a Task. */
export interface TaskVolume {
  readonly uid: string;
  readonly isDeleting: boolean;
  readonly anchor?: string | undefined;
  /** Nodes with a copy that holds data. */
  readonly dataNodes: readonly string[];
}

export interface TaskNode {
  readonly isReady: boolean;
  /** When that changed last, in milliseconds since the epoch. */
  readonly since: number;
}

export interface TaskLook {
  readonly spec: TaskSpec;
  readonly status: TaskStatus | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Undefined when there is no volume of that name. */
  readonly volume: TaskVolume | undefined;
  /** Undefined when there is no such node. */
  readonly node: (name: string) => TaskNode | undefined;
  readonly now: number;
}

export interface TaskSum {
  readonly status: Pick<TaskStatus, 'state' | 'message' | 'progress' | 'startedAt' | 'finishedAt'>;
  /** Look again after so long even if nothing changes. */
  readonly requeueAfterMs?: number;
}

/** Actions that need a hand on each node with data, besides the one that leads. */
const ON_EVERY_COPY: ReadonlySet<string> = new Set(['showSplitBrain', 'resolveSplitBrain']);

interface Workers {
  readonly lead: string;
  readonly all: readonly string[];
}

/**
 * Who works on a Task: the one that leads (the node named in it, or the anchor of its volume) and those that help.
 * Nobody while its volume has no anchor.
 */
export function workersOf(
  spec: TaskSpec,
  volume: Pick<TaskVolume, 'anchor' | 'dataNodes'> | undefined,
): Workers | undefined {
  const lead = spec.node ?? volume?.anchor;
  if (lead === undefined) return undefined;
  const helpers = ON_EVERY_COPY.has(spec.action) ? (volume?.dataNodes ?? []) : [];
  return { lead, all: [...new Set([lead, ...helpers])] };
}

/** Succeeded or Failed: nothing is done for it any more. */
export function isFinished(part: { readonly state?: TaskState | undefined } | undefined): boolean {
  return part?.state === 'Succeeded' || part?.state === 'Failed';
}

/** True when a node has nothing more to do; one that leads must have led, not only helped the one before it. */
export function isPartDone(part: TaskPart | undefined, isLead: boolean): boolean {
  return part !== undefined && isFinished(part) && (part.state === 'Failed' || !isLead || part.isLead === true);
}

/** Sums the parts up; a finished Task stays as it is. */
export function sumUpTask(look: TaskLook): TaskSum {
  const { spec, status, volume } = look;
  if (isFinished(status)) return { status: status ?? {} };
  const lost = lostVolume(look);
  if (lost !== undefined) return fail(look, lost);
  const workers = workersOf(spec, volume);
  return workers === undefined ? waitForAnchor(look) : sumUpParts(look, workers);
}

/** Why there is nothing to work on any more; a volume of the same name that came later is another one. */
function lostVolume({ spec, volume }: TaskLook): string | undefined {
  if (spec.volume === undefined) return undefined;
  if (volume?.isDeleting === true) return `volume ${spec.volume} is being deleted`;
  return volume?.uid === spec.volumeUid && volume !== undefined
    ? undefined
    : `volume ${spec.volume} is not there any more`;
}

function waitForAnchor(look: TaskLook): TaskSum {
  const leftMs = look.createdAt + TASK_NODE_DEADLINE_MS - look.now;
  if (leftMs > 0) return { status: waiting(look, 'waits for the volume to be placed'), requeueAfterMs: leftMs };
  return fail(look, `volume ${look.spec.volume} has no node that speaks for it; see: holdfast explain volume`);
}

function sumUpParts(look: TaskLook, workers: Workers): TaskSum {
  const parts = look.status?.parts ?? {};
  const failed = workers.all.find((node) => parts[node]?.state === 'Failed');
  if (failed !== undefined) return fail(look, withNode(workers.all, failed, parts[failed]?.message ?? 'failed'));
  const open = workers.all.filter((node) => !isPartDone(parts[node], node === workers.lead));
  if (open.length === 0) return finish(look, 'Succeeded', parts[workers.lead]?.message);
  const waits = open.map((node) => waitFor(look, node));
  const over = waits.find((wait) => wait !== undefined && wait.leftMs <= 0);
  if (over !== undefined) return fail(look, over.why);
  return { status: running(look, workers, open), ...nextLook(waits) };
}

interface Wait {
  readonly leftMs: number;
  /** The sentence when the time is up. */
  readonly why: string;
}

/** How long a node may still be silent; undefined when it is at work. */
function waitFor({ node: nodeOf, status, createdAt, now }: TaskLook, name: string): Wait | undefined {
  const node = nodeOf(name);
  if (node === undefined) return { leftMs: 0, why: `there is no node ${name}` };
  const seconds = TASK_NODE_DEADLINE_MS / 1000;
  if (!node.isReady) {
    const since = Math.max(node.since, createdAt);
    const why = `node ${name} has been away for ${seconds} s; start it again, then repeat the command`;
    return { leftMs: since + TASK_NODE_DEADLINE_MS - now, why };
  }
  if (status?.parts?.[name] !== undefined) return undefined;
  const since = Math.max(node.since, createdAt);
  const why = `the agent of node ${name} has not begun within ${seconds} s; see its log, and that it is of this version`;
  return { leftMs: since + TASK_NODE_DEADLINE_MS - now, why };
}

function nextLook(waits: readonly (Wait | undefined)[]): Pick<TaskSum, 'requeueAfterMs'> {
  const left = waits.flatMap((wait) => (wait === undefined ? [] : [wait.leftMs]));
  return left.length === 0 ? {} : { requeueAfterMs: Math.min(...left) };
}

function waiting({ status }: TaskLook, message: string): TaskSum['status'] {
  return { state: status?.startedAt === undefined ? 'Waiting' : 'Running', message, startedAt: status?.startedAt };
}

function running(look: TaskLook, workers: Workers, open: readonly string[]): TaskSum['status'] {
  const parts = look.status?.parts ?? {};
  const hasBegun = workers.all.some((node) => parts[node] !== undefined);
  if (!hasBegun) return waiting(look, `waits for ${open.join(', ')}`);
  const speaker = parts[workers.lead]?.message === undefined ? (open[0] ?? workers.lead) : workers.lead;
  return {
    state: 'Running',
    message: parts[speaker]?.message,
    progress: parts[workers.lead]?.progress ?? 0,
    startedAt: look.status?.startedAt ?? kubernetesTime(look.now),
  };
}

function fail(look: TaskLook, message: string): TaskSum {
  return finish(look, 'Failed', message);
}

function finish({ status, now }: TaskLook, state: 'Succeeded' | 'Failed', message: string | undefined): TaskSum {
  const progress = state === 'Succeeded' ? { progress: 100 } : {};
  const at = kubernetesTime(now);
  return { status: { state, message, ...progress, startedAt: status?.startedAt ?? at, finishedAt: at } };
}

function withNode(all: readonly string[], node: string, message: string): string {
  return all.length > 1 ? `${node}: ${message}` : message;
}
