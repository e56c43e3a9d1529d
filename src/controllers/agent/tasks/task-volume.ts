/** The volume of a Task, for actions that need one. */
import { AppError } from '../../../domain/errors.ts';
import type { Resource } from '../../../ports/resource-client.ts';
import type { TaskContext } from './task-runner.ts';

/** @throws {AppError} precondition, while it is not started; invalid, when the Task names none */
export function requireVolume({ task, volume }: TaskContext): Resource<'Volume'> {
  if (volume === undefined) throw new AppError('invalid', `task ${task.metadata.name} names no volume that is there`);
  if (volume.status?.engine?.state === 'Started') return volume;
  throw new AppError('unavailable', `volume ${volume.metadata.name} is not started yet`, { reason: 'NotStarted' });
}
