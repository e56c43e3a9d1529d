/** Options of the long-running roles: how much they log, and in which form. */
import { type Command, Option } from 'commander';
import type { LogChoice } from '../../ports/logger.ts';

export interface LogFlags {
  readonly logLevel: LogChoice['level'];
  readonly logFormat: LogChoice['format'];
}

/** Adds --log-level and --log-format; the log goes to standard error. */
export function addLogOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--log-level <level>', 'least important entries to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(new Option('--log-format <form>', 'form of the log').choices(['json', 'text']).default('json'));
}

/** What the flags say. */
export function logChoice(flags: LogFlags): LogChoice {
  return { level: flags.logLevel, format: flags.logFormat };
}
