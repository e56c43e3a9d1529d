/** What a command gets from the outside: streams, environment, time, and ways to reach the cluster. */
import type { Clock } from '../../ports/clock.ts';
import type { PlanReader } from '../../ports/plan-reader.ts';
import type { Random } from '../../ports/random.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';

/** Where text goes: data to stdout, talk to stderr. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Node's streams report a closed reader here (EPIPE). */
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface InputStream extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean;
  /** Lets go of the stream; an open one keeps the process alive. */
  destroy?(): unknown;
}

/** A client and the way to let go of it. */
export interface Connection {
  readonly client: ResourceClient;
  close(): void;
}

export interface CliContext {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on Ctrl-C and SIGTERM; every wait takes it. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly version: string;
  /** Opens a connection to the API server that a kubeconfig names; several files belong together, as kubectl has it. */
  connect(kubeconfig: string | readonly string[], context?: string): Promise<Connection>;
  readonly plans: PlanReader;
  /** Called by kubectl, as `kubectl holdfast`: what kubectl does without being told is done here too. */
  readonly isKubectlPlugin?: boolean;
}

/** Written by the controller at its start; readable by root only. */
export const ADMIN_KUBECONFIG = '/etc/holdfast/admin.kubeconfig';

/** The kubeconfig to use: the flag, $HOLDFAST_KUBECONFIG, the first of $KUBECONFIG, or the one of this machine's controller. */
export function kubeconfigPath(flag: string | undefined, env: CliContext['env']): string {
  const [first] = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  return flag ?? (env['HOLDFAST_KUBECONFIG'] || first || ADMIN_KUBECONFIG);
}

/** The kubeconfigs as kubectl chooses them: the flag, all of $KUBECONFIG, or the one in the home folder. */
export function kubectlKubeconfigs(flag: string | undefined, env: CliContext['env']): readonly string[] {
  if (flag !== undefined) return [flag];
  const paths = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  return paths.length > 0 ? paths : [`${env['HOME'] ?? ''}/.kube/config`];
}
