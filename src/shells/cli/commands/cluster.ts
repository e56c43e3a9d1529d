/** `holdfast cluster` */
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { registerClusterTls } from './cluster-tls.ts';

/** Registers the commands. */
export function register(command: Command, context: CliContext): void {
  registerClusterTls(command.command('tls').description('Encrypt what nodes and mounts send each other'), context);
}
