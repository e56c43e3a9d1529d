/** What to do about the folder of a volume in its share. Pure. */
import { mountSource } from '../../domain/nfs/share.ts';
import type { DesiredVolume } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';
import type { ObservedNfsVolume } from './observe-volume.ts';
import type { NfsVolumeStep } from './steps.ts';

type Steps = readonly (NfsVolumeStep | RefuseStep)[];

/** Plans the steps from what is there to a folder that can be mounted, or to none. */
export function planNfsVolume(desired: DesiredVolume, observed: ObservedNfsVolume): Steps {
  const { share, name: volume } = desired;
  if (share?.subDir === undefined) return [];
  const of = { volume, share: { ...share, subDir: share.subDir } };
  const where = mountSource(share);
  if (!desired.isPresent) return planRemoval(of, observed, where);
  if (observed.folder === 'ready') return [];
  if (observed.folder === 'taken') {
    return [
      desired.engineId === undefined ? refuseTaken(volume, where, observed) : refuseOther(volume, where, observed),
    ];
  }
  if (desired.engineId !== undefined) return [refuseLost(volume, where)];
  return [{ step: 'makeFolder', ...of, about: `make the folder ${where} for ${volume}` }];
}

function planRemoval(of: Pick<NfsVolumeStep, 'volume' | 'share'>, { folder }: ObservedNfsVolume, where: string): Steps {
  const { volume, share } = of;
  const forget: NfsVolumeStep = { step: 'forgetFolder', ...of, about: `forget that ${where} was that of ${volume}` };
  const erase: NfsVolumeStep = { step: 'eraseAside', ...of, about: `erase what was ${where}` };
  if (folder === 'absent') return [];
  if (folder === 'marked') return [forget];
  if (folder === 'aside') return [erase, forget];
  if (share.onDelete === 'archive') {
    return [{ step: 'archiveFolder', ...of, about: `rename ${where} to archived-...` }, forget];
  }
  return [{ step: 'setAside', ...of, about: `set ${where} aside` }, erase, forget];
}

function refuseTaken(volume: string, where: string, { takenBy = 'it is not its own' }: ObservedNfsVolume): RefuseStep {
  return {
    ...{ step: 'refuse', kind: 'precondition', reason: 'FolderTaken', resource: `volume ${volume}` },
    about: `${where} cannot be the folder of ${volume}: ${takenBy}`,
    hint: 'choose another subDir; a folder that is there already is used, and never deleted from, with onDelete retain',
  };
}

/** It had one. */
function refuseOther(volume: string, where: string, { takenBy = 'it is not its own' }: ObservedNfsVolume): RefuseStep {
  return {
    ...{ step: 'refuse', kind: 'precondition', reason: 'FolderTaken', resource: `volume ${volume}` },
    about: `${where} is not the folder that ${volume} had: ${takenBy}`,
    hint: `look at it on the file server, and put back the one that was there; where the server was set up anew: holdfast volume accept-folder ${volume}`,
  };
}

function refuseLost(volume: string, where: string): RefuseStep {
  return {
    ...{ step: 'refuse', kind: 'dataLoss', reason: 'FolderLost', resource: `volume ${volume}` },
    about: `the folder of ${volume} is not there any more: ${where}; it held data, and is not made anew`,
    hint: 'see on the file server what became of it, and put it back; else restore a backup into a new volume',
  };
}
