/** Wires `holdfast lab` to this machine. */
import { createApt } from '../adapters/packages/apt.ts';
import type { CommandModule } from '../shells/cli/command-entry.ts';
import { createLabCommand } from '../shells/cli/commands/lab.ts';
import { composeLab } from './compose-lab.ts';

/** The module of the command, for the `load` of its entry in the list of commands. */
export function labCommand(): CommandModule {
  const lab = composeLab();
  const { machine } = lab;
  const userId = process.getuid?.() ?? -1;
  return createLabCommand({
    ...lab,
    packages: createApt({ host: machine, processes: machine.processes, userId }),
  });
}
