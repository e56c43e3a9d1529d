/** What installing needs: the machines, what is copied onto them, and the cluster that comes to be. */

import type { SshLogin } from '../../domain/install/ssh-login.ts';
import type { NeededProgram } from '../../domain/needed-programs.ts';
import type { ResolvedNode } from '../../domain/plan/resolve-plan.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ProcessId } from '../../ports/host.ts';
import type { Packages } from '../../ports/packages.ts';
import type { RemoteHost } from '../../ports/remote-host.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';

/** Where everything of Holdfast is on an installed machine. */
export const PROGRAM_FOLDER = '/opt/holdfast';
export const CONFIG_FOLDER = '/etc/holdfast';
export const CONTROLLER_FOLDER = '/var/lib/holdfast/controller';
export const NODE_KUBECONFIG = `${CONFIG_FOLDER}/node.kubeconfig`;
export const SERVICES_FILE = `${CONFIG_FOLDER}/services.json`;
export const SUPERVISOR_RECORD = '/run/holdfast/supervisor.json';
export const LOG_FOLDER = '/var/log/holdfast';
export const API_PORT = 7443;
export const COMMAND_MS = 30_000;

/** The program as it is copied: one folder with `node`, `main.mjs` and `chunks`. */
export interface Release {
  /** Version and a digest of its files: the name of its folder, another one whenever anything in it differs. */
  readonly name: string;
  /** As `uname -m` says it: machines of another kind cannot run this copy. */
  readonly machine: string;
  /** Files of this machine: Node itself, the bundle, and its chunks. */
  readonly node: string;
  readonly entry: string;
  readonly chunks: readonly string[];
}

/** Who installs, as others are told whom the machines are locked by. */
export interface Operator {
  /** "alice@laptop". */
  readonly who: string;
  /** Of this run of the machine that the installing program runs on. */
  readonly bootId: string;
  /** This program. */
  readonly process: ProcessId;
  /** Whether another program of this machine still runs. */
  readonly isAlive: (id: ProcessId) => Promise<boolean>;
}

export interface InstallDeps {
  readonly clock: Clock;
  readonly operator: () => Promise<Operator>;
  /** A machine of the plan; `address` is its ip. */
  readonly reach: (node: ResolvedNode, login: SshLogin) => RemoteHost;
  readonly packagesOf: (host: RemoteHost) => Packages;
  readonly release: () => Promise<Release>;
  readonly connect: (kubeconfig: string) => Promise<{ readonly client: ResourceClient; close(): void }>;
  /** Keeps the administrator's kubeconfig on this machine. @returns its path */
  readonly keepKubeconfig: (text: string) => Promise<string>;
  /** A client certificate in this kubeconfig is for that server and authority, and is valid for a while yet. */
  readonly isKubeconfigCurrent: (
    text: string,
    wanted: { readonly server: string; readonly authorityPem: string },
  ) => boolean;
  /** Programs of the engine and their packages. */
  readonly neededPrograms: readonly NeededProgram[];
  /** Those of the NFS server, for machines that export volumes. */
  readonly nfsServerPrograms: readonly NeededProgram[];
  /** How the engine's daemon runs in the foreground, for the plain supervisor. */
  readonly engineInForeground: readonly string[];
  /** The text of glusterd's configuration with what Holdfast needs in it; the same text when it has that already. */
  readonly configureEngine: (text: string) => string;
}

export interface InstallOptions {
  readonly isDryRun: boolean;
  /** For each wait: pools, volumes and mounts. Milliseconds. */
  readonly waitMs: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** One machine of the plan, connected. */
export interface Target {
  readonly node: ResolvedNode;
  readonly host: RemoteHost;
  readonly isController: boolean;
  readonly hasSystemd: boolean;
}
