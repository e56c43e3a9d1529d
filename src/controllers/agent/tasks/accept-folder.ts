/** lookAtFolder, and acceptFolder: a person has looked at it, and says that it is that of the volume. */
import { AppError } from '../../../domain/errors.ts';
import { assertMayAccept } from '../../../domain/nfs/accept-folder.ts';
import type { Resource } from '../../../ports/resource-client.ts';
import type { FolderOfVolume, ShareWork } from '../../../ports/share-work.ts';
import { desiredShare } from '../desired-share.ts';
import type { TaskContext, TaskRunner } from './task-runner.ts';

export const lookAtFolder: TaskRunner = {
  run: async (context) => {
    const { work, of } = needs(context);
    const { identity, ...look } = await work.lookAtFolder(of, context.signal);
    return { part: { state: 'Succeeded', progress: 100, message: identity, result: { identity, ...look } } };
  },
};

export const acceptFolder: TaskRunner = {
  run: async (context) => {
    const { deps, task, signal } = context;
    const { work, of, volume } = needs(context);
    const { folder, by } = task.spec;
    if (folder === undefined) throw new AppError('invalid', `task ${task.metadata.name} names no folder`);
    // Asked of the API: nobody who mounted the folder of before is to be overlooked.
    const records = (await deps.client.list('VolumeAttachmentRecord', { signal })).items;
    const now = await deps.client.get('Volume', volume.metadata.name, { signal });
    if (now?.metadata.uid !== volume.metadata.uid || now.metadata.deletionTimestamp !== undefined) {
      throw new AppError('precondition', `volume ${of.volume} is being deleted`);
    }
    assertMayAccept({ volume: now, records });
    await work.acceptFolder(of, folder, signal);
    const message = `its folder is the one with ${folder} now${by === undefined ? '' : `, says ${by}`}`;
    deps.events.normal(now, 'FolderAccepted', message);
    return { part: { state: 'Succeeded', progress: 100, message } };
  },
};

interface Needs {
  readonly work: ShareWork;
  readonly of: FolderOfVolume;
  readonly volume: Resource<'Volume'>;
}

function needs({ deps, task, volume }: TaskContext): Needs {
  const share = volume === undefined ? undefined : desiredShare(volume).share;
  const work = deps.engines.nfs.shareWork;
  if (volume === undefined || share === undefined || work === undefined) {
    throw new AppError('invalid', `task ${task.metadata.name} names no volume that is a folder of a share`);
  }
  return { work, of: { volume: volume.metadata.name, share }, volume };
}
