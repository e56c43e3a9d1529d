/** How to log in on the machines of a plan: its section ssh, or Kismatic's cluster.ssh. */
import type { PlanFile, PlanSsh } from '../../schemas/plan-file.ts';

export interface SshLogin {
  readonly user: string;
  readonly port: number;
  readonly keyFile?: string;
  readonly knownHostsFile?: string;
}

const DEFAULT_PORT = 22;

/** Every default filled in: root, port 22, the key that ssh finds by itself. */
export function sshLoginOf(plan: Pick<PlanFile, 'ssh' | 'cluster'>): SshLogin {
  const {
    user = 'root',
    port = DEFAULT_PORT,
    key,
    known_hosts: knownHostsFile,
  } = plan.ssh ?? kismaticSsh(plan.cluster);
  return {
    user,
    port,
    ...(key === undefined ? {} : { keyFile: key }),
    ...(knownHostsFile === undefined ? {} : { knownHostsFile }),
  };
}

/** apprenda/kismatic, docs/plan-file-reference.md: cluster.ssh.user, ssh_key, ssh_port. Older plans write ssh_user. */
function kismaticSsh(cluster: unknown): PlanSsh {
  const ssh = asObject(asObject(cluster)['ssh']);
  const user = ssh['user'] ?? ssh['ssh_user'];
  const { ssh_key: key, ssh_port: port } = ssh;
  return {
    ...(typeof user === 'string' && user !== '' ? { user } : {}),
    ...(typeof key === 'string' && key !== '' ? { key } : {}),
    ...(typeof port === 'number' && Number.isInteger(port) && port > 0 ? { port } : {}),
  };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
