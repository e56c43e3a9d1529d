/** `holdfast controller`: the process that decides; with --embedded it serves the Kubernetes API itself. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import type { LogChoice } from '../../../ports/logger.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { globalOptions } from '../global-options.ts';
import { addLogOptions, type LogFlags, logChoice } from '../log-options.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface ControllerCommandDeps {
  /** Both run until the signal aborts. */
  readonly runEmbedded: (
    options: { readonly dataDir: string; readonly listen: readonly ListenAddress[]; readonly log: LogChoice },
    signal: AbortSignal,
  ) => Promise<void>;
  readonly runOnCluster: (
    options: { readonly kubeconfig: string; readonly log: LogChoice },
    signal: AbortSignal,
  ) => Promise<void>;
}

interface Flags extends LogFlags {
  readonly embedded?: boolean;
  readonly dataDir: string;
  readonly listen: readonly ListenAddress[];
}

const DEFAULT_LISTEN: ListenAddress = { host: '127.0.0.1', port: 7443 };

/** Creates the command's module, for `src/main`. */
export function createControllerCommand(deps: ControllerCommandDeps): CommandModule {
  return {
    register: (command, context) => {
      addLogOptions(command)
        .option('--embedded', 'serve the Kubernetes API from this process, for use without a cluster')
        .option('--data-dir <folder>', 'where the embedded API keeps its state', '/var/lib/holdfast/controller')
        .addOption(
          new Option('--listen <address:port>', 'where the embedded API listens; may be given several times')
            .argParser(collectAddresses)
            .default([DEFAULT_LISTEN], '127.0.0.1:7443'),
        )
        .action((flags: Flags, own: Command) => run(deps, context, flags, own));
    },
  };
}

async function run(deps: ControllerCommandDeps, context: CliContext, flags: Flags, own: Command): Promise<void> {
  const log = logChoice(flags);
  if (flags.embedded === true) {
    await deps.runEmbedded({ dataDir: flags.dataDir, listen: flags.listen, log }, context.signal);
    return;
  }
  const { kubeconfig } = globalOptions(own);
  if (kubeconfig === undefined) {
    throw new AppError('invalid', 'the controller was not told which API server to use', {
      hint: 'add --embedded to run without a cluster, or --kubeconfig FILE to run on one',
    });
  }
  await deps.runOnCluster({ kubeconfig, log }, context.signal);
}

function collectAddresses(text: string, previous: readonly ListenAddress[]): readonly ListenAddress[] {
  const match = /^(?:\[(?<ip6>[0-9a-fA-F:]+)\]|(?<ip4>[0-9.]+)):(?<port>\d{1,5})$/.exec(text);
  const host = match?.groups?.['ip6'] ?? match?.groups?.['ip4'];
  const port = Number(match?.groups?.['port']);
  if (host === undefined || !(port >= 0 && port <= 65_535)) {
    throw new InvalidArgumentError('write an address and a port, for example 127.0.0.1:7443');
  }
  const isDefault = previous.length === 1 && previous[0] === DEFAULT_LISTEN;
  return [...(isDefault ? [] : previous), { host, port }];
}
