/** heal: sends the engine over what differs, or over everything, and follows it until nothing is left. */
import type { EngineVolumeName } from '../../../domain/names.ts';
import { engineNameOf } from '../../../domain/volume/engine-name.ts';
import type { Resource } from '../../../ports/resource-client.ts';
import type { HealState } from '../../../ports/volume-work.ts';
import type { TaskPart } from '../../../schemas/task.ts';
import type { TaskContext, TaskRunner } from './task-runner.ts';
import { requireVolume, waitsForCopies } from './task-volume.ts';

/**
 * GlusterFS lists a folder as in split-brain until it has merged what was made in it on several nodes, which the heal does:
 * so many looks, one each second, it is given for that.
 */
const LOOKS_AT_SPLIT_BRAIN = 15;

/** Kept over restarts of the agent. */
interface Memory {
  readonly isStarted: true;
  readonly mostPending: number;
  /** Looks in a row that found nothing to heal but split-brain. */
  readonly splitBrainLooks: number;
  /** Looks at everything that were there before this one was asked for. */
  readonly earlier: readonly string[];
}

export const heal: TaskRunner = {
  run: async (context) => {
    const { deps, task, signal } = context;
    const volume = requireVolume(context);
    const name = engineNameOf(volume);
    const isFull = task.spec.isFull === true;
    const memory = recall(context);
    if (memory === undefined) return { part: await begin(context, name, isFull) };
    const state = await deps.work.healState(name, signal);
    const part = describeHeal(volume, state, memory);
    if (!isFull || part.state !== 'Succeeded' || (await isCrawlOver(context, name, memory))) return { part };
    return { part: { ...part, state: 'Running', message: 'compares every entry', progress: 50 } };
  },
};

function recall({ part }: TaskContext): Memory | undefined {
  return part?.result?.['isStarted'] === true ? (part.result as unknown as Memory) : undefined;
}

async function begin({ deps, signal }: TaskContext, volume: EngineVolumeName, isFull: boolean): Promise<TaskPart> {
  const before = await deps.work.healState(volume, signal);
  const crawls = isFull ? await deps.work.fullCrawls(volume, signal) : [];
  await deps.work.startHeal(volume, { isFull, signal });
  const earlier = crawls.map((crawl) => crawl.id);
  const memory: Memory = { isStarted: true, mostPending: before.pending ?? 0, splitBrainLooks: 0, earlier };
  return { state: 'Running', message: 'heals', progress: 0, result: { ...memory } };
}

async function isCrawlOver(
  { deps, signal }: TaskContext,
  volume: EngineVolumeName,
  { earlier }: Memory,
): Promise<boolean> {
  const crawls = (await deps.work.fullCrawls(volume, signal)).filter((crawl) => !earlier.includes(crawl.id));
  return crawls.length > 0 && crawls.every((crawl) => crawl.isEnded);
}

function describeHeal(volume: Resource<'Volume'>, state: HealState, memory: Memory): TaskPart {
  const mostPending = Math.max(memory.mostPending, state.pending ?? 0);
  const isSplitOnly = state.pending === 0 && state.splitBrain > 0;
  const result = { ...memory, mostPending, splitBrainLooks: isSplitOnly ? memory.splitBrainLooks + 1 : 0 };
  if (state.pending === undefined) {
    return {
      state: 'Running',
      message: waitsForCopies(volume, state.silent),
      result,
    };
  }
  if (state.pending > 0) {
    const progress = Math.floor((100 * (mostPending - state.pending)) / mostPending);
    return { state: 'Running', message: `${count(state.pending)} left`, progress, result };
  }
  if (isSplitOnly && result.splitBrainLooks < LOOKS_AT_SPLIT_BRAIN) {
    return {
      state: 'Running',
      message: `sees whether ${count(state.splitBrain)} in split-brain can be merged`,
      result,
    };
  }
  if (isSplitOnly) {
    const message = `${count(state.splitBrain)} in split-brain cannot be healed; see: holdfast volume split-brain list ${volume.metadata.name}`;
    return { state: 'Failed', message, result };
  }
  const message =
    mostPending === 0 ? 'all copies are the same' : `${count(mostPending)} healed; all copies are the same`;
  return { state: 'Succeeded', message, progress: 100, result };
}

function count(entries: number): string {
  return entries === 1 ? '1 entry' : `${entries} entries`;
}
