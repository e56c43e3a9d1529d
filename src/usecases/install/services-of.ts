/** Which services a machine of the plan has, and their command lines. */
import { AGENT_FLAGS, CONTROLLER_FLAGS } from '../../domain/install/node-flags.ts';
import type { Service } from '../../domain/install/services.ts';
import { formatSocketAddress } from '../../domain/socket-address.ts';
import {
  API_PORT,
  CONTROLLER_FOLDER,
  type InstallDeps,
  NODE_KUBECONFIG,
  type Release,
  type Target,
} from './install-deps.ts';
import { releaseFolder } from './node-steps.ts';

/** Address of the API: of the controller's machine. */
export function serverOf(controller: Pick<Target, 'node'>): string {
  return `https://${formatSocketAddress({ host: controller.node.ip, port: API_PORT })}`;
}

/** Holdfast's program on a machine. */
export function program(release: Release, flags: readonly string[] = AGENT_FLAGS): readonly string[] {
  const folder = releaseFolder(release);
  return [`${folder}/node`, ...flags, `${folder}/main.mjs`];
}

/** The controller, which must answer before any agent gets its certificate. */
export function controllerService(target: Target, release: Release): Service {
  const listen = formatSocketAddress({ host: target.node.ip, port: API_PORT });
  const where = ['--data-dir', CONTROLLER_FOLDER, '--listen', listen];
  return {
    name: 'controller',
    description: 'Holdfast controller',
    argv: [...program(release, CONTROLLER_FLAGS), ...['controller', '--embedded'], ...where],
  };
}

/** The engine's daemon, where nothing else starts it. */
export function engineService({ engineInForeground }: InstallDeps): Service {
  return { name: 'glusterd', description: 'GlusterFS', argv: engineInForeground };
}

/** The agent of a node. */
export function agentService({ node }: Target, release: Release): Service {
  const who = ['--name', node.name, '--address', node.ip, '--kubeconfig', NODE_KUBECONFIG];
  return {
    name: 'agent',
    description: `Holdfast agent of ${node.name}`,
    // The embedded API sends something at least every 10 s.
    argv: [...program(release), 'node', ...who, '--watch-idle', '25s'],
  };
}
