/** `holdfast supervise`: keeps the services of a machine without systemd running. */
import type { LogChoice } from '../../../ports/logger.ts';
import { LOG_FOLDER, SERVICES_FILE, SUPERVISOR_RECORD } from '../../../usecases/install/install-deps.ts';
import type { SupervisorOptions } from '../../../usecases/supervise/run-supervisor.ts';
import type { CommandModule } from '../command-entry.ts';
import { addLogOptions, type LogFlags, logChoice } from '../log-options.ts';

export interface SuperviseCommandDeps {
  /** Runs until the signal aborts. */
  readonly run: (options: SupervisorOptions & { readonly log: LogChoice }, signal: AbortSignal) => Promise<void>;
}

interface Flags extends LogFlags {
  readonly services: string;
}

/** Creates the command's module. */
export function createSuperviseCommand(deps: SuperviseCommandDeps): CommandModule {
  return {
    register: (command, context) => {
      addLogOptions(command)
        .option('--services <file>', 'what is to run, as holdfast install wrote it', SERVICES_FILE)
        .action(async (flags: Flags) => {
          const files = { servicesFile: flags.services, recordFile: SUPERVISOR_RECORD, logFolder: LOG_FOLDER };
          await deps.run({ ...files, log: logChoice(flags) }, context.signal);
        });
    },
  };
}
