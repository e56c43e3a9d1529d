/** What the actions of a Task need of it, or a clear refusal. */
import { AppError } from '../../../domain/errors.ts';
import { engineNameOf, nodeCalled } from '../../../domain/volume/engine-name.ts';
import type { Resource } from '../../../ports/resource-client.ts';
import type { TaskContext } from './task-runner.ts';

/** @throws {AppError} unavailable, while it is not started; invalid, when the Task names none */
export function requireVolume({ task, volume }: TaskContext): Resource<'Volume'> {
  if (volume === undefined) throw new AppError('invalid', `task ${task.metadata.name} names no volume that is there`);
  if (volume.status?.engine?.state === 'Started') return volume;
  throw new AppError('unavailable', `volume ${volume.metadata.name} is not started yet`, { reason: 'NotStarted' });
}

/** What is put aside lies in the copy's pool, and what was adopted lies in none. @throws {AppError} unsupported */
export function refuseAdopted({ volume }: TaskContext): void {
  if (volume?.spec.adopted === undefined) return;
  const { name } = volume.metadata;
  throw new AppError(
    'unsupported',
    `volume ${name} was adopted: its versions cannot be put aside; nothing was changed`,
    {
      reason: 'AdoptedVolume',
      hint: `choose by hand: gluster volume heal ${engineNameOf(volume)} split-brain source-brick NODE:BRICK PATH`,
    },
  );
}

/** @throws {AppError} invalid, when the Task names no entry */
export function requirePath({ task }: TaskContext): string {
  if (task.spec.path !== undefined) return task.spec.path;
  throw new AppError('invalid', `task ${task.metadata.name} names no path`, { reason: 'NoPath' });
}

/** Path of a pool of this node. @throws {AppError} unavailable, while it is not ready */
export function requirePool({ deps }: TaskContext, pool: string): string {
  const path = deps.readyPools.get(pool);
  if (path !== undefined) return path;
  throw new AppError('unavailable', `pool ${pool} on ${deps.node} is not ready; see: holdfast node show ${deps.node}`);
}

/** What a Task says while copies are out of reach, given as the engine calls their machines. */
export function waitsForCopies(volume: Resource<'Volume'>, silent: readonly string[]): string {
  return `waits for the copy on ${silent.map((host) => nodeCalled(volume, host)).join(', ')}`;
}
