/** The cluster comes to be: the controller answers, and each machine gets a certificate of its own. */
import { AppError, messageOf } from '../../domain/errors.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import {
  COMMAND_MS,
  CONFIG_FOLDER,
  CONTROLLER_FOLDER,
  type InstallDeps,
  type InstallOptions,
  LOG_FOLDER,
  NODE_KUBECONFIG,
  type Release,
  type Target,
} from './install-deps.ts';
import { type NodeStep, readIfThere } from './node-steps.ts';
import { program, serverOf } from './services-of.ts';

const ANSWER_MS = 60_000;
const TRY_MS = 3_000;
const POLL_MS = 200;
const ADMIN_KUBECONFIG = `${CONTROLLER_FOLDER}/admin.kubeconfig`;

export interface Cluster {
  readonly client: ResourceClient;
  /** Path of the administrator's kubeconfig on this machine. */
  readonly kubeconfig: string;
  readonly authorityPem: string;
  close(): void;
}

/** Takes the administrator's kubeconfig from the controller's machine and waits until the API answers. */
export async function openCluster(deps: InstallDeps, controller: Target, { signal }: InstallOptions): Promise<Cluster> {
  const { clock } = deps;
  let lastFailure = 'it has not been asked yet';
  for (const end = clock.monotonic() + ANSWER_MS; clock.monotonic() < end; await clock.sleep(POLL_MS, signal)) {
    try {
      return await tryToOpen(deps, controller, signal);
    } catch (error) {
      signal.throwIfAborted();
      lastFailure = messageOf(error);
    }
  }
  throw new AppError('timeout', `the controller on ${controller.node.name} does not answer: ${lastFailure}`, {
    reason: 'ControllerSilent',
    hint: `can this machine reach ${serverOf(controller)}? The controller's log is ${LOG_FOLDER}/controller.log there, or: journalctl -u holdfast-controller`,
  });
}

async function tryToOpen(deps: InstallDeps, controller: Target, signal: AbortSignal): Promise<Cluster> {
  const { files } = controller.host;
  const kubeconfig = await deps.keepKubeconfig(await files.readText(ADMIN_KUBECONFIG));
  const authorityPem = await files.readText(`${CONTROLLER_FOLDER}/pki/ca.crt`);
  const connection = await deps.connect(kubeconfig);
  try {
    // One try that gets no answer must not take all the time there is.
    await connection.client.list('StorageCluster', { signal: AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]) });
    return { client: connection.client, kubeconfig, authorityPem, close: () => connection.close() };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Each machine has a kubeconfig of its own; the key of the authority never leaves the controller's machine. */
export function certificateStep(
  release: Release,
  controller: Target,
  authorityPem: string,
  deps: InstallDeps,
): NodeStep {
  const server = serverOf(controller);
  return {
    name: 'certificate',
    look: async ({ host }) => {
      const text = await readIfThere(host, NODE_KUBECONFIG);
      const isCurrent = text !== undefined && deps.isKubeconfigCurrent(text, { server, authorityPem });
      return isCurrent ? undefined : 'issue a certificate';
    },
    act: async ({ host, node }) => {
      const [file = '', ...args] = program(release);
      const issue = [
        'controller',
        'kubeconfig',
        '--node',
        node.name,
        '--server',
        server,
        '--data-dir',
        CONTROLLER_FOLDER,
      ];
      const issued = await controller.host.run({ file, args: [...args, ...issue], timeoutMs: COMMAND_MS });
      await host.files.makeDirectory(CONFIG_FOLDER, { mode: 0o755 });
      await host.files.writeText(NODE_KUBECONFIG, issued.stdout, { mode: 0o600 });
    },
  };
}

/** On the controller's machine every command of `holdfast` finds the cluster by itself. */
export function adminLinkStep(): NodeStep {
  const link = `${CONFIG_FOLDER}/admin.kubeconfig`;
  return {
    name: 'administration',
    look: async ({ host, isController }) => {
      if (!isController) return undefined;
      const isThere = (await host.files.stat(link)) !== undefined;
      return isThere ? undefined : `link ${link}`;
    },
    act: async ({ host }) => {
      await host.files.makeDirectory(CONFIG_FOLDER, { mode: 0o755 });
      await host.run({ file: 'ln', args: ['-sfnT', '--', ADMIN_KUBECONFIG, link], timeoutMs: COMMAND_MS });
    },
  };
}
