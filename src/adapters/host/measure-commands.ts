/** Says of each program that is run how long it took and how it ended. */
import { basename } from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import type { Command, CommandResult } from '../../ports/host.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { isRunError } from '../../ports/run-error.ts';

type Run = (command: Command) => Promise<CommandResult>;

/** The same runner, measured. Which programs there are is written in our code, never by a person. */
export function measureCommands(
  run: Run,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics },
): Run {
  return async (command) => {
    const startedAt = clock.monotonic();
    const measure = (result: string) => {
      const labels = { program: basename(command.file), result };
      metrics.observe('holdfast_command_duration_seconds', labels, (clock.monotonic() - startedAt) / 1000);
    };
    try {
      const result = await run(command);
      measure('ok');
      return result;
    } catch (error) {
      measure(isRunError(error) ? error.failure : 'error');
      throw error;
    }
  };
}
