/** A lab with Holdfast running in it: glusterd and an agent in each host, and the controller on this machine. */
import { join } from 'node:path';
import { AppError, messageOf } from '../../domain/errors.ts';
import { AGENT_FLAGS } from '../../domain/install/node-flags.ts';
import type { CertificateAuthority } from '../../ports/certificate-authority.ts';
import type { Clock } from '../../ports/clock.ts';
import { LAB_NODE, LAB_PACKAGE_FOLDER } from '../../ports/lab.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import type { Lab, LabOptions, Labs } from './labs.ts';

/** Port of the controller's API on the lab's gateway address, which no other lab has. */
export const API_PORT = 7443;
/** Where the controller tells its metrics, on the same address; and each agent, in its host. */
export const METRICS_PORTS = { controller: 7452, agent: 7451 } as const;
const CSI_FLAG = '--csi-socket';
const METRICS_FLAG = '--metrics-listen';
const AGENT = 'agent';
const CONTROLLER = 'controller';
const NODE_KUBECONFIG = '/etc/holdfast/node.kubeconfig';
const CONTROLLER_TIMEOUT_MS = 30_000;
const TRY_MS = 3_000;
const POLL_MS = 50;
/** Lines of its log that are shown of a controller that does not start. */
const LOG_LINES = 5;
const AGENT_GRACE_MS = 5_000;
const CERTIFICATE_DAYS = 365;

export interface KubeconfigRequest {
  readonly server: string;
  readonly user: string;
  readonly group: string;
}

export interface BringUpDeps {
  readonly clock: Clock;
  readonly labs: Labs;
  /** Folder of a lab's controller, by the lab's name; removed with the lab. */
  readonly controllerFolder: (lab: string) => string;
  readonly openAuthority: (folder: string) => Promise<CertificateAuthority>;
  /** A kubeconfig with a fresh certificate of that authority. */
  readonly kubeconfigFor: (
    authority: CertificateAuthority,
    request: KubeconfigRequest & { days: number },
  ) => Promise<string>;
  /** Text of a file on this machine. */
  readonly readFile: (path: string) => Promise<string>;
  /** Connects with the kubeconfig at a path. */
  readonly connect: (kubeconfigPath: string) => Promise<ResourceClient>;
  /** How the engine's daemon is started in a host; it daemonizes itself. */
  readonly engineDaemon: readonly string[];
  /** The Holdfast package on this machine and the Node that runs it. */
  readonly installation: { readonly packageFolder: string; readonly node: string };
}

/** What is started beside the lab itself. */
export interface HoldfastOptions extends Pick<LabOptions, 'name' | 'hosts' | 'zones' | 'isKept' | 'dataDiskBytes'> {
  /** Serves CSI too: {@link csiSockets}. */
  readonly hasCsi?: boolean;
}

/** Where CSI is served in a lab that has it: on this machine, and in each host. */
export function csiSockets(controllerFolder: string): { readonly controller: string; readonly node: string } {
  return { controller: join(controllerFolder, 'csi.sock'), node: '/run/holdfast/csi.sock' };
}

export interface HoldfastLab {
  readonly lab: Lab;
  readonly client: ResourceClient;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** "https://10.91.1.254:7443" */
  readonly server: string;
}

/**
 * Makes the lab and starts everything in it.
 *
 * @param say - told what is being done, for progress
 * @throws {AppError} as {@link Labs.up}; timeout when the controller does not answer, with the end of its log
 */
export async function bringUpHoldfast(
  deps: BringUpDeps,
  { hasCsi = false, ...options }: HoldfastOptions,
  signal: AbortSignal,
  say: (line: string) => void = () => undefined,
): Promise<HoldfastLab> {
  const lab = await deps.labs.up(
    {
      ...options,
      installation: deps.installation,
      bootActions: [{ name: 'glusterd', kind: 'run', argv: [...deps.engineDaemon] }],
    },
    signal,
  );
  try {
    say(
      `${lab.hostNames.length} hosts are on: ${lab.hostNames.map((host) => `${host} ${lab.addressOf(host)}`).join(', ')}`,
    );
    const server = `https://${lab.gateway}:${API_PORT}`;
    const kubeconfig = await startController(deps, lab, server, hasCsi);
    const client = await waitForController(deps, lab, kubeconfig, signal);
    say(`the controller answers at ${server}`);
    await Promise.all(lab.hostNames.map((host) => startAgent(deps, lab, host, { server, hasCsi })));
    return { lab, client, kubeconfig, server };
  } catch (error) {
    await lab.down();
    throw error;
  }
}

/**
 * Gives a host that was installed anew its certificate again and starts its agent, as whoever sets up the new machine
 * would: its disk took both with it. Nothing is done in a lab without Holdfast.
 */
export async function enrollAgain(deps: BringUpDeps, lab: Lab, host: string): Promise<void> {
  const { bootActions } = await lab.record();
  const agent = bootActions.find((action) => action.name === AGENT && action.host === host);
  if (agent === undefined) return;
  // Without its certificate the agent of the boot has ended by itself, or is about to.
  await lab.stopDaemon(host, AGENT, { graceMs: AGENT_GRACE_MS });
  const server = `https://${lab.gateway}:${API_PORT}`;
  await startAgent(deps, lab, host, { server, hasCsi: agent.argv.includes(CSI_FLAG) });
}

/** Starts the controller again, as after a crash: as it was, and with its state, which is in its folder. */
export async function restartController(deps: BringUpDeps, lab: Lab, server: string): Promise<void> {
  const { bootActions } = await lab.record();
  // What the agents were started with is what the lab was asked for.
  const hasCsi = bootActions.some((action) => action.name === AGENT && action.argv.includes(CSI_FLAG));
  await startController(deps, lab, server, hasCsi);
}

/** @returns path of the administrator's kubeconfig */
async function startController(deps: BringUpDeps, lab: Lab, server: string, hasCsi: boolean): Promise<string> {
  const folder = deps.controllerFolder(lab.name);
  const { packageFolder, node } = deps.installation;
  const listen = server.replace('https://', '');
  await lab.startMachineDaemon({
    name: CONTROLLER,
    argv: [
      node,
      join(packageFolder, 'dist/main.mjs'),
      'controller',
      '--embedded',
      '--data-dir',
      folder,
      '--listen',
      listen,
      ...[METRICS_FLAG, `${lab.gateway}:${METRICS_PORTS.controller}`],
      ...(hasCsi ? [CSI_FLAG, csiSockets(folder).controller] : []),
    ],
  });
  return join(folder, 'admin.kubeconfig');
}

async function waitForController(
  deps: BringUpDeps,
  lab: Lab,
  kubeconfig: string,
  signal: AbortSignal,
): Promise<ResourceClient> {
  const { clock } = deps;
  let lastFailure = 'it was not asked yet';
  for (
    const end = clock.monotonic() + CONTROLLER_TIMEOUT_MS;
    clock.monotonic() < end;
    await clock.sleep(POLL_MS, signal)
  ) {
    try {
      const client = await deps.connect(kubeconfig);
      // One try that gets no answer, because the network is only just there, must not take all the time there is.
      await client.list('StorageCluster', { signal: AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]) });
      return client;
    } catch (error) {
      signal.throwIfAborted();
      lastFailure = messageOf(error);
    }
  }
  throw new AppError('timeout', `the controller does not answer: ${lastFailure}`, {
    reason: 'ControllerSilent',
    // Read now: the log goes with the lab.
    hint: `its log ends with: ${await endOfLog(deps, lab.logOfMachineDaemon(CONTROLLER))}`,
  });
}

async function endOfLog({ readFile }: BringUpDeps, path: string): Promise<string> {
  try {
    return (await readFile(path)).trimEnd().split('\n').slice(-LOG_LINES).join('\n');
  } catch (error) {
    return messageOf(error);
  }
}

async function startAgent(
  deps: BringUpDeps,
  lab: Lab,
  host: string,
  { server, hasCsi }: { readonly server: string; readonly hasCsi: boolean },
): Promise<void> {
  const authority = await deps.openAuthority(join(deps.controllerFolder(lab.name), 'pki'));
  const user = `holdfast:node:${host}`;
  const text = await deps.kubeconfigFor(authority, { server, user, group: 'holdfast:nodes', days: CERTIFICATE_DAYS });
  const { files } = lab.host(host);
  await files.makeDirectory('/etc/holdfast');
  await files.writeText(NODE_KUBECONFIG, text, { mode: 0o600 });
  const daemon = { name: AGENT, argv: agentArgv(host, lab.addressOf(host), hasCsi) };
  await lab.addBootAction({ ...daemon, kind: 'daemon', host });
  await lab.startDaemon(host, daemon);
}

function agentArgv(host: string, address: string, hasCsi: boolean): string[] {
  const program = [LAB_NODE, ...AGENT_FLAGS, `${LAB_PACKAGE_FOLDER}/dist/main.mjs`];
  return [
    ...program,
    'node',
    '--name',
    host,
    '--address',
    address,
    '--kubeconfig',
    NODE_KUBECONFIG,
    '--watch-idle',
    '25s',
    // Not on its address alone: a host whose cable is pulled may not have it yet.
    ...[METRICS_FLAG, `0.0.0.0:${METRICS_PORTS.agent}`],
    ...(hasCsi ? [CSI_FLAG, csiSockets('').node] : []),
  ];
}
