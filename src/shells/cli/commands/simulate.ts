/** `holdfast simulate lose-node|lose-zone|add-node|grow`: what if. Nothing is changed. */
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { registerSimulateAddNode } from './simulate-add-node.ts';
import { registerSimulateGrow } from './simulate-grow.ts';
import { registerLoseNode, registerLoseZone } from './simulate-loss.ts';

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  registerLoseNode(command.command('lose-node'), context);
  registerLoseZone(command.command('lose-zone'), context);
  registerSimulateAddNode(command.command('add-node'), context);
  registerSimulateGrow(command.command('grow'), context);
}
