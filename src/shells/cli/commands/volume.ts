/** `holdfast volume add|list|show|grow|set-profile|convert|heal|rebalance|split-brain|snapshot|clone|restore|export|unexport|accept-folder|delete|ensure-default` */
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { registerVolumeAcceptFolder } from './volume-accept-folder.ts';
import { registerVolumeAdd } from './volume-add.ts';
import { registerVolumeClone } from './volume-clone.ts';
import { registerVolumeConvert } from './volume-convert.ts';
import { registerVolumeDelete } from './volume-delete.ts';
import { registerVolumeEnsureDefault } from './volume-ensure-default.ts';
import { registerVolumeExport, registerVolumeUnexport } from './volume-export.ts';
import { registerVolumeGrow } from './volume-grow.ts';
import { registerVolumeHeal, registerVolumeRebalance } from './volume-heal.ts';
import { registerVolumeRestore } from './volume-restore.ts';
import { registerVolumeSetProfile } from './volume-set-profile.ts';
import { registerVolumeList, registerVolumeShow } from './volume-show.ts';
import { registerVolumeSnapshot } from './volume-snapshot.ts';
import { registerVolumeSplitBrain } from './volume-split-brain.ts';

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  registerVolumeAdd(command.command('add'), context);
  registerVolumeList(command.command('list'), context);
  registerVolumeShow(command.command('show'), context);
  registerVolumeGrow(command.command('grow'), context);
  registerVolumeConvert(command.command('convert'), context);
  registerVolumeSetProfile(command.command('set-profile'), context);
  registerVolumeHeal(command.command('heal'), context);
  registerVolumeRebalance(command.command('rebalance'), context);
  registerVolumeSplitBrain(command.command('split-brain'), context);
  registerVolumeSnapshot(command.command('snapshot'), context);
  registerVolumeClone(command.command('clone'), context);
  registerVolumeRestore(command.command('restore'), context);
  registerVolumeExport(command.command('export'), context);
  registerVolumeUnexport(command.command('unexport'), context);
  registerVolumeAcceptFolder(command.command('accept-folder'), context);
  registerVolumeDelete(command.command('delete'), context);
  registerVolumeEnsureDefault(command.command('ensure-default'), context);
}
