/** A person says that the folder which is now at the place of a volume's is the volume's own. */
import { AppError } from '../../domain/errors.ts';
import { assertMayAccept } from '../../domain/nfs/accept-folder.ts';
import { mountSource } from '../../domain/nfs/share.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { FolderLook } from '../../ports/share-work.ts';
import type { TaskSpec } from '../../schemas/task.ts';
import { type RunTaskDeps, runTask } from '../tasks/run-task.ts';
import { findVolume } from './read-volumes.ts';

export interface AcceptFolderOptions {
  /** Has the folder looked at, and changes nothing. */
  readonly isDryRun?: boolean;
  /** Longest wait for the node that looks, and again for the one that accepts. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  /** Who asks, as people know them. */
  readonly by?: string;
  /** Shown what is there; nothing is changed when the answer is false. */
  readonly confirm: (seen: SeenFolder) => Promise<boolean>;
}

export interface SeenFolder extends FolderLook {
  readonly name: string;
  /** As mount(8) takes it. */
  readonly source: string;
  readonly onDelete: 'delete' | 'archive';
}

export interface AcceptedFolder extends SeenFolder {
  readonly outcome: 'unchanged' | 'foreseen' | 'kept' | 'accepted';
}

/**
 * Has a node look at the folder, and accept it when the answer is yes.
 *
 * @throws {AppError} notFound; unsupported and precondition as {@link assertMayAccept}; precondition TaskFailed, with what the node says;
 *   timeout; cancelled
 */
export async function acceptFolder(
  deps: RunTaskDeps,
  name: string,
  options: AcceptFolderOptions,
): Promise<AcceptedFolder> {
  const { client } = deps;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const volume = await findVolume({ client, ...scope }, name);
  const records = (await client.list('VolumeAttachmentRecord', scope)).items;
  assertMayAccept({ volume, records });
  const about = { volume: name, volumeUid: volume.metadata.uid } as const;
  const run = (spec: TaskSpec) => runTask(deps, spec, { ...scope, waitMs: options.waitMs });
  const seen = seenIn(volume, await run({ action: 'lookAtFolder', ...about }));
  if (seen.before === seen.identity) return { ...seen, outcome: 'unchanged' };
  if (options.isDryRun === true) return { ...seen, outcome: 'foreseen' };
  if (!(await options.confirm(seen))) return { ...seen, outcome: 'kept' };
  const by = options.by === undefined ? {} : { by: options.by };
  await run({ action: 'acceptFolder', ...about, folder: seen.identity, ...by });
  return { ...seen, outcome: 'accepted' };
}

function seenIn({ metadata, spec }: Resource<'Volume'>, task: Resource<'Task'>): SeenFolder {
  const look = Object.values(task.status?.parts ?? {}).find(({ isLead }) => isLead === true)?.result;
  if (look === undefined || spec.share === undefined) {
    throw new AppError('internal', `task ${task.metadata.name} succeeded without a result`);
  }
  const onDelete = spec.share.onDelete === 'archive' ? 'archive' : 'delete';
  return { ...(look as unknown as FolderLook), name: metadata.name, source: mountSource(spec.share), onDelete };
}
