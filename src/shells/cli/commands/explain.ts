/** `holdfast explain volume|claim|placement` */
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { registerExplainClaim } from './explain-claim.ts';
import { registerExplainPlacement } from './explain-placement.ts';
import { registerExplainVolume } from './explain-volume.ts';

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  registerExplainVolume(command.command('volume'), context);
  registerExplainClaim(command.command('claim'), context);
  registerExplainPlacement(command.command('placement'), context);
}
