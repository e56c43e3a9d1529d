/** `holdfast explain volume|placement` */
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { registerExplainPlacement } from './explain-placement.ts';
import { registerExplainVolume } from './explain-volume.ts';

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  registerExplainVolume(command.command('volume'), context);
  registerExplainPlacement(command.command('placement'), context);
}
