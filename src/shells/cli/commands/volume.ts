/** `holdfast volume add|list|show|grow|convert|delete|ensure-default` */
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { registerVolumeAdd } from './volume-add.ts';
import { registerVolumeConvert } from './volume-convert.ts';
import { registerVolumeDelete } from './volume-delete.ts';
import { registerVolumeEnsureDefault } from './volume-ensure-default.ts';
import { registerVolumeGrow } from './volume-grow.ts';
import { registerVolumeList, registerVolumeShow } from './volume-show.ts';

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  registerVolumeAdd(command.command('add'), context);
  registerVolumeList(command.command('list'), context);
  registerVolumeShow(command.command('show'), context);
  registerVolumeGrow(command.command('grow'), context);
  registerVolumeConvert(command.command('convert'), context);
  registerVolumeDelete(command.command('delete'), context);
  registerVolumeEnsureDefault(command.command('ensure-default'), context);
}
