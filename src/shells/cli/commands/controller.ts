/** `holdfast controller`: the process that decides; with --embedded it serves the Kubernetes API itself. */
import { isIP } from 'node:net';
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { labelFault, parseNodeName } from '../../../domain/names.ts';
import { formatSocketAddress, parseSocketAddress, type SocketAddress } from '../../../domain/socket-address.ts';
import type { LogChoice } from '../../../ports/logger.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { globalOptions } from '../global-options.ts';
import { healthOption, metricsOption } from '../listen-options.ts';
import { addLogOptions, type LogFlags, logChoice } from '../log-options.ts';
import { parsedOption } from '../parsed-option.ts';

export interface ControllerCommandDeps {
  /** Both run until the signal aborts. */
  readonly runEmbedded: (
    options: {
      readonly dataDir: string;
      readonly listen: readonly SocketAddress[];
      readonly csiSocket?: string;
      readonly metricsListen?: SocketAddress;
      readonly log: LogChoice;
    },
    signal: AbortSignal,
  ) => Promise<void>;
  readonly runOnCluster: (
    options: {
      readonly kubeconfig: string;
      readonly csiSocket?: string;
      readonly scheduling?: SchedulingChoice;
      readonly healthListen?: SocketAddress;
      readonly metricsListen?: SocketAddress;
      readonly log: LogChoice;
    },
    signal: AbortSignal,
  ) => Promise<void>;
  /** A kubeconfig with a fresh certificate of a node, from the authority in the controller's folder. */
  readonly issueNodeKubeconfig: (request: NodeKubeconfigRequest) => Promise<string>;
}

/** Where and how the scheduler is advised. */
export interface SchedulingChoice {
  readonly listen: SocketAddress;
  /** Paths of PEM files, or one that Holdfast makes itself and keeps in a Secret; HTTP without. */
  readonly certificate?: { readonly cert: string; readonly key: string } | 'own';
  /** Given to new pods by the webhook; no webhook without. */
  readonly scheduler?: string;
}

export interface NodeKubeconfigRequest {
  readonly dataDir: string;
  readonly node: string;
  /** "https://10.91.1.254:7443" */
  readonly server: string;
}

interface Flags extends LogFlags {
  readonly embedded?: boolean;
  readonly dataDir: string;
  readonly listen: readonly SocketAddress[];
  readonly csiSocket?: string;
  readonly extenderListen?: SocketAddress;
  readonly extenderCert?: string;
  readonly extenderKey?: string;
  readonly extenderOwnCertificate?: boolean;
  readonly healthListen?: SocketAddress;
  readonly metricsListen?: SocketAddress;
  readonly webhookScheduler?: string;
}

const DATA_DIR = '/var/lib/holdfast/controller';
const DEFAULT_LISTEN: SocketAddress = { host: '127.0.0.1', port: 7443 };

/** Creates the command's module, for `src/main`. */
export function createControllerCommand(deps: ControllerCommandDeps): CommandModule {
  return {
    register: (command, context) => {
      registerKubeconfig(command.command('kubeconfig'), deps, context);
      addLogOptions(command)
        .option('--embedded', 'serve the Kubernetes API from this process, for use without a cluster')
        .option('--data-dir <folder>', 'where the embedded API keeps its state', DATA_DIR)
        .addOption(
          parsedOption(
            '--listen <address:port>',
            'where the embedded API listens; may be given several times',
            collectAddresses,
          ).default([DEFAULT_LISTEN], formatSocketAddress(DEFAULT_LISTEN)),
        )
        .option('--csi-socket <path>', 'serve the CSI controller service on this unix socket')
        .addOption(
          parsedOption(
            '--extender-listen <address:port>',
            'advise the scheduler of a cluster here',
            parseSocketAddress,
          ),
        )
        .option('--extender-cert <file>', 'certificate to be known by there (PEM); HTTP without, on loopback only')
        .option('--extender-key <file>', 'key of that certificate (PEM)')
        .option(
          '--extender-own-certificate',
          'be known there by a certificate that the controller which leads makes and renews, in a Secret of holdfast-system; with a webhook, also have the API server trust it',
        )
        .addOption(healthOption())
        .addOption(metricsOption())
        .addOption(
          parsedOption(
            '--webhook-scheduler <name>',
            'also answer the webhook that gives new pods with volumes this scheduler, while its Lease moves',
            parseSchedulerName,
          ),
        )
        .action((flags: Flags, own: Command) => run(deps, context, flags, own));
    },
  };
}

/** `holdfast controller kubeconfig`: what an agent needs; the key of the authority stays where it is. */
function registerKubeconfig(command: Command, deps: ControllerCommandDeps, context: CliContext): void {
  command
    .description('Print a kubeconfig with a fresh certificate for the agent of a node')
    .requiredOption('--node <node>', 'the node')
    .requiredOption('--server <url>', 'how the node reaches the API, for example https://10.0.0.1:7443')
    .option('--data-dir <folder>', 'where the embedded API keeps its state', DATA_DIR)
    .action(async (flags: { readonly node: string; readonly server: string }, own: Command) => {
      // The option of the same name of the command above would swallow this one's.
      const { dataDir } = own.optsWithGlobals<{ readonly dataDir: string }>();
      const node = parseNodeName(flags.node);
      context.stdout.write(await deps.issueNodeKubeconfig({ dataDir, node, server: flags.server }));
    });
}

async function run(deps: ControllerCommandDeps, context: CliContext, flags: Flags, own: Command): Promise<void> {
  const log = logChoice(flags);
  const csi = flags.csiSocket === undefined ? {} : { csiSocket: flags.csiSocket };
  const metrics = flags.metricsListen === undefined ? {} : { metricsListen: flags.metricsListen };
  const scheduling = schedulingChoice(flags);
  if (flags.embedded === true) {
    if (scheduling !== undefined)
      throw new AppError('invalid', '--extender-listen goes with a cluster, not --embedded');
    await deps.runEmbedded({ dataDir: flags.dataDir, listen: flags.listen, ...csi, ...metrics, log }, context.signal);
    return;
  }
  const { kubeconfig } = globalOptions(own);
  if (kubeconfig === undefined) {
    throw new AppError('invalid', 'the controller was not told which API server to use', {
      hint: 'add --embedded to run without a cluster, or --kubeconfig FILE to run on one',
    });
  }
  const advice = scheduling === undefined ? {} : { scheduling };
  const health = flags.healthListen === undefined ? {} : { healthListen: flags.healthListen };
  await deps.runOnCluster({ kubeconfig, ...csi, ...advice, ...health, ...metrics, log }, context.signal);
}

function schedulingChoice(flags: Flags): SchedulingChoice | undefined {
  const { extenderListen: listen, extenderCert: cert, extenderKey: key, webhookScheduler } = flags;
  const isOwn = flags.extenderOwnCertificate === true;
  if ((cert === undefined) !== (key === undefined)) {
    throw new AppError('invalid', '--extender-cert and --extender-key go together');
  }
  if (isOwn && cert !== undefined) {
    throw new AppError('invalid', '--extender-own-certificate does not go with --extender-cert and --extender-key');
  }
  if (listen === undefined) {
    if (cert === undefined && !isOwn && webhookScheduler === undefined) return undefined;
    throw new AppError(
      'invalid',
      '--extender-cert, --extender-key, --extender-own-certificate and --webhook-scheduler go with --extender-listen',
    );
  }
  const scheduler = webhookScheduler === undefined ? {} : { scheduler: webhookScheduler };
  if (isOwn) return { listen, certificate: 'own', ...scheduler };
  if (cert === undefined || key === undefined) return { listen, ...scheduler };
  return { listen, certificate: { cert, key }, ...scheduler };
}

/** It becomes the name of a Lease too. */
function parseSchedulerName(text: string): string {
  const fault = labelFault(text);
  if (fault === undefined) return text;
  throw new AppError('invalid', `the name of a scheduler ${fault}`);
}

function collectAddresses(text: string, previous: readonly SocketAddress[]): readonly SocketAddress[] {
  const address = parseSocketAddress(text);
  // Addresses go into the server's certificate, where a name would need another kind of entry.
  if (isIP(address.host) === 0) throw new AppError('invalid', `${address.host} is not an IP address`);
  const isDefault = previous.length === 1 && previous[0] === DEFAULT_LISTEN;
  return [...(isDefault ? [] : previous), address];
}
