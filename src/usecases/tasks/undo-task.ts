/** Which choice in a split-brain is to be taken back, and which version then comes back. */
import { AppError } from '../../domain/errors.ts';
import type { CopyVersion } from '../../domain/split-brain/judge-versions.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import type { TaskSpec } from '../../schemas/task.ts';
import { splitBrainTask } from './volume-task.ts';

export interface UndoWish {
  readonly volume: string;
  readonly path: string;
  /** Whose version comes back; may be left out when only one lost. */
  readonly node?: string;
}

/**
 * The Task that takes the last choice back.
 *
 * @throws {AppError} notFound, when no choice is recorded; invalid, when several versions lost and none is named
 */
export async function undoTask(
  deps: { readonly client: ResourceClient; readonly signal?: AbortSignal },
  wish: UndoWish,
): Promise<TaskSpec> {
  const { path } = wish;
  const spec = await splitBrainTask(deps, wish.volume, { action: 'undoSplitBrain', path });
  const { items } = await deps.client.list('Task', deps.signal === undefined ? {} : { signal: deps.signal });
  const choices = items.filter(
    (task) =>
      task.spec.action === 'resolveSplitBrain' &&
      task.spec.volumeUid === spec.volumeUid &&
      task.spec.path === path &&
      isMade(task),
  );
  const last = choices.toSorted((a, b) => (finishedAt(a) < finishedAt(b) ? 1 : -1))[0];
  if (last === undefined) throw noChoice(wish);
  return { ...spec, node: chooseLoser(wish, last), undoes: last.metadata.uid };
}

/** One that failed afterwards, because the file could not be read for long, was made as well. */
function isMade({ status }: Resource<'Task'>): boolean {
  const isSent = Object.values(status?.parts ?? {}).some((part) => part.result?.['isSent'] === true);
  return status?.state === 'Succeeded' || (status?.state === 'Failed' && isSent);
}

function finishedAt(task: Resource<'Task'>): string {
  return task.status?.finishedAt ?? '';
}

function chooseLoser({ path, node }: UndoWish, task: Resource<'Task'>): string {
  const parts = Object.values(task.status?.parts ?? {});
  const all = parts.flatMap((part) => (part.result?.['versions'] ?? []) as CopyVersion[]);
  const lost = [...new Set(all.map((version) => version.node))].filter((each) => each !== task.spec.keep);
  const [only] = lost;
  if (node === undefined && only !== undefined && lost.length === 1) return only;
  if (node !== undefined && lost.includes(node)) return node;
  const said =
    node === undefined ? 'name the node whose version is to come back' : `node ${node} lost no version of it`;
  throw new AppError('invalid', `${path}: ${said}`, {
    reason: 'NoSuchVersion',
    hint: `versions are put aside on: ${lost.join(', ')}; choose with --node`,
  });
}

function noChoice({ volume, path }: UndoWish): AppError {
  return new AppError('notFound', `no choice for ${path} of volume ${volume} is recorded; nothing was changed`, {
    resource: `volume ${volume}`,
    reason: 'NoChoice',
    hint: 'choices can be taken back for 7 days; what was put aside is removed then',
  });
}
