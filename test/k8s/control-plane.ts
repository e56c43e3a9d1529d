/** etcd and the API server, as processes of a lab beside its hosts: they end with it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../../src/usecases/lab/labs.ts';
import type { Pki } from './pki.ts';

const ETCD_PORT = 2379;
const ETCD_PEER_PORT = 2380;
export const API_SERVER_PORT = 6443;
/** No service is reached in these tests, but the API server wants a range for them. */
const SERVICE_RANGE = '10.250.0.0/16';

interface ApiServerOptions {
  readonly lab: Lab;
  /** kube-apiserver. */
  readonly program: string;
  readonly pki: Pki;
  /** For what etcd keeps. */
  readonly folder: string;
}

/** `--key=value` for each. */
function flags(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

/** Starts etcd and the API server. */
export async function startApiServer({ lab, program, pki, folder }: ApiServerOptions): Promise<void> {
  const etcd = `http://${lab.gateway}:${ETCD_PORT}`;
  const data = join(folder, 'etcd');
  await mkdir(data, { recursive: true, mode: 0o700 });
  const peer = `http://${lab.gateway}:${ETCD_PEER_PORT}`;
  const etcdFlags = flags({
    ...{ name: 'etcd', 'data-dir': data, 'listen-client-urls': etcd, 'advertise-client-urls': etcd },
    ...{ 'listen-peer-urls': peer, 'initial-advertise-peer-urls': peer, 'initial-cluster': `etcd=${peer}` },
  });
  await lab.startMachineDaemon({ name: 'etcd', argv: ['etcd', ...etcdFlags, '--unsafe-no-fsync'] });
  await lab.startMachineDaemon({
    name: 'kube-apiserver',
    argv: [program, ...apiServerFlags(lab, pki, etcd)],
  });
}

function apiServerFlags(lab: Lab, pki: Pki, etcd: string): readonly string[] {
  const [certificate, key] = pki.server;
  return flags({
    ...{ 'etcd-servers': etcd, 'bind-address': lab.gateway, 'secure-port': String(API_SERVER_PORT) },
    ...{ 'advertise-address': lab.gateway, 'endpoint-reconciler-type': 'none' },
    ...{ 'tls-cert-file': certificate, 'tls-private-key-file': key, 'client-ca-file': pki.authority },
    ...{ 'service-account-key-file': pki.serviceAccounts, 'service-account-signing-key-file': pki.serviceAccounts },
    ...{ 'service-account-issuer': 'https://kubernetes.default.svc', 'service-cluster-ip-range': SERVICE_RANGE },
    ...{ 'authorization-mode': 'RBAC', 'allow-privileged': 'true', profiling: 'false' },
  });
}
