/** heal: sends the engine over what differs, and follows it until nothing is left. */
import type { HealState } from '../../../ports/volume-work.ts';
import type { TaskPart } from '../../../schemas/task.ts';
import type { TaskRunner } from './task-runner.ts';
import { requireVolume } from './task-volume.ts';

export const heal: TaskRunner = {
  run: async (context) => {
    const { deps, part, task, signal } = context;
    const { name } = requireVolume(context).metadata;
    if (part?.result?.['isStarted'] !== true) {
      const before = await deps.work.healState(name, signal);
      await deps.work.startHeal(name, { isFull: task.spec.isFull === true, signal });
      const mostPending = before.pending ?? 0;
      return { part: { state: 'Running', message: 'healing', progress: 0, result: { isStarted: true, mostPending } } };
    }
    return { part: describeHeal(name, await deps.work.healState(name, signal), part) };
  },
};

function describeHeal(volume: string, state: HealState, part: TaskPart): TaskPart {
  const before = Number(part.result?.['mostPending'] ?? 0);
  const mostPending = Math.max(before, state.pending ?? 0);
  const result = { isStarted: true, mostPending };
  if (state.pending === undefined) {
    return { ...part, state: 'Running', message: `waits for the copy on ${state.silent.join(', ')}`, result };
  }
  if (state.pending > 0) {
    const progress = Math.floor((100 * (mostPending - state.pending)) / mostPending);
    const entries = state.pending === 1 ? '1 entry' : `${state.pending} entries`;
    return { state: 'Running', message: `${entries} left`, progress, result };
  }
  if (state.splitBrain > 0) {
    const message = `entries in split-brain cannot be healed: ${state.splitBrain}; see: holdfast volume split-brain list ${volume}`;
    return { state: 'Failed', message, result };
  }
  const message = mostPending === 0 ? 'nothing was left to heal' : `all copies are the same (${mostPending} healed)`;
  return { state: 'Succeeded', message, progress: 100, result };
}
