/** `holdfast in-engine -- ROLE ...`: a role beside the engine of this machine, which another pod keeps. */
import type { LogChoice } from '../../../ports/logger.ts';
import { SUPERVISOR_RECORD } from '../../../usecases/install/install-deps.ts';
import type { CommandModule } from '../command-entry.ts';
import { addLogOptions, type LogFlags, logChoice } from '../log-options.ts';

export interface InEngineRequest {
  /** Written by what keeps the engine running. */
  readonly recordFile: string;
  readonly args: readonly string[];
  readonly log: LogChoice;
}

export interface InEngineCommandDeps {
  /** Returns only when the signal aborts before there is an engine. */
  readonly enter: (request: InEngineRequest, signal: AbortSignal) => Promise<void>;
}

/** Creates the command's module. */
export function createInEngineCommand(deps: InEngineCommandDeps): CommandModule {
  return {
    register: (command, context) => {
      addLogOptions(command)
        .argument('<role...>', 'the role and its flags, behind --')
        .action(async (args: readonly string[], flags: LogFlags) => {
          await deps.enter({ recordFile: SUPERVISOR_RECORD, args, log: logChoice(flags) }, context.signal);
        });
    },
  };
}
