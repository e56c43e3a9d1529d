/** `holdfast node` without a verb: the agent of one machine. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../../domain/duration.ts';
import { AppError } from '../../../domain/errors.ts';
import { labelFault, parseNodeName } from '../../../domain/names.ts';
import { isPlainPath } from '../../../domain/paths.ts';
import type { SocketAddress } from '../../../domain/socket-address.ts';
import type { LogChoice } from '../../../ports/logger.ts';
import { StorageNodeSpec } from '../../../schemas/storage-node.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { globalOptions } from '../global-options.ts';
import { healthOption, metricsOption } from '../listen-options.ts';
import { addLogOptions, type LogFlags, logChoice } from '../log-options.ts';
import { register as registerVerbs } from './node.ts';

export interface AgentOptions {
  readonly name: string;
  readonly kubeconfig: string;
  /** What the node registers with when no plan has described it yet. */
  readonly initialSpec: StorageNodeSpec;
  readonly watchIdleMs: number;
  readonly log: LogChoice;
  /** Where it says how it is; nowhere when left out. */
  readonly healthListen?: SocketAddress;
  /** Where it tells its metrics; nowhere when left out, and then there are none. */
  readonly metricsListen?: SocketAddress;
  /** The CSI node service; none when left out. */
  readonly csi?: { readonly socketPath: string; readonly targetRoot: string; readonly isRegistered: boolean };
}

export interface NodeCommandDeps {
  /** Runs until the signal aborts. */
  readonly runAgent: (options: AgentOptions, signal: AbortSignal) => Promise<void>;
}

interface Flags extends LogFlags {
  readonly name?: string;
  readonly address?: string;
  readonly zone?: string;
  readonly pool: readonly StorageNodeSpec['pools'][number][];
  readonly watchIdle: number;
  readonly csiSocket?: string;
  readonly csiRoot: string;
  readonly csiRegister?: boolean;
  readonly healthListen?: SocketAddress;
  readonly metricsListen?: SocketAddress;
}

const KUBELET_ROOT = '/var/lib/kubelet';

/** Creates the command's module: `node list|show`, and the agent. */
export function createNodeCommand(deps: NodeCommandDeps): CommandModule {
  return {
    register: (command, context) => {
      registerVerbs(command, context);
      addLogOptions(command)
        .description('List and show nodes; with --name, run the agent of this machine')
        .option('--name <node>', 'run the agent of this node')
        .option('--address <ip>', 'address to register with, when no plan has described the node yet')
        .option('--zone <zone>', 'failure domain to register with')
        .addOption(
          new Option('--pool <name=path[,device]>', 'pool to register with; may be given several times')
            .argParser(collectPools)
            .default([], 'none'),
        )
        .addOption(
          new Option('--watch-idle <time>', 'silence of the API server that is taken for a dead connection')
            .argParser(parseDuration)
            .default(90_000, '90s'),
        )
        .option('--csi-socket <path>', 'serve the CSI node service on this unix socket')
        .option('--csi-root <folder>', 'where CSI calls may mount: the folder of kubelet', KUBELET_ROOT)
        .option('--csi-register', 'make the driver known to kubelet, in the folder plugins_registry of --csi-root')
        .addOption(healthOption())
        .addOption(metricsOption())
        .action((flags: Flags, own: Command) => run(deps, context, flags, own));
    },
  };
}

async function run(deps: NodeCommandDeps, context: CliContext, flags: Flags, own: Command): Promise<void> {
  if (flags.name === undefined) {
    throw new AppError('invalid', 'holdfast node needs a verb, or the name of the node whose agent is to run', {
      hint: 'holdfast node list, holdfast node show NAME, or holdfast node --name NAME --address IP --kubeconfig FILE',
    });
  }
  const { kubeconfig } = globalOptions(own);
  if (kubeconfig === undefined) {
    throw new AppError('invalid', 'the agent was not told which API server to use', {
      hint: 'add --kubeconfig FILE, with the certificate of this node',
    });
  }
  const name = parseNodeName(flags.name);
  const initialSpec = readSpec(flags);
  const health = flags.healthListen === undefined ? {} : { healthListen: flags.healthListen };
  const metrics = flags.metricsListen === undefined ? {} : { metricsListen: flags.metricsListen };
  await deps.runAgent(
    {
      name,
      kubeconfig,
      initialSpec,
      watchIdleMs: flags.watchIdle,
      log: logChoice(flags),
      ...health,
      ...metrics,
      ...readCsi(flags),
    },
    context.signal,
  );
}

function readCsi({ csiSocket, csiRoot, csiRegister: isRegistered = false }: Flags): Pick<AgentOptions, 'csi'> {
  if (csiSocket === undefined) {
    if (!isRegistered) return {};
    throw new AppError('invalid', 'there is no driver to make known to kubelet', { hint: 'add --csi-socket PATH' });
  }
  if (isPlainPath(csiRoot)) return { csi: { socketPath: csiSocket, targetRoot: csiRoot, isRegistered } };
  throw new AppError('invalid', `${JSON.stringify(csiRoot)} cannot be the folder that CSI calls mount in`, {
    hint: `write an absolute path without a slash at its end, such as ${KUBELET_ROOT}`,
  });
}

function readSpec({ address, zone, pool }: Flags): StorageNodeSpec {
  if (address === undefined) {
    throw new AppError('invalid', 'the agent was not told the address of its node', { hint: 'add --address IP' });
  }
  const spec = StorageNodeSpec.safeParse({
    addresses: { ip: address },
    ...(zone === undefined ? {} : { zone }),
    pools: pool,
  });
  if (spec.success) return spec.data;
  throw new AppError('invalid', 'the node cannot be registered so', {
    faults: spec.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message })),
    hint: 'correct the flags --address, --zone and --pool',
  });
}

function collectPools(text: string, previous: Flags['pool']): Flags['pool'] {
  const match = /^(?<name>[^=]+)=(?<path>[^,]+)(?:,(?<device>.+))?$/.exec(text);
  const { name, path, device } = match?.groups ?? {};
  if (name === undefined || path === undefined || labelFault(name) !== undefined) {
    throw new InvalidArgumentError('write NAME=PATH or NAME=PATH,DEVICE, for example default=/mnt/pool,/dev/vdb');
  }
  return [...previous, { name, path, ...(device === undefined ? {} : { device }) }];
}
