/** etcd, API server, controller manager and scheduler, as processes of a lab beside its hosts: they end with it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { CONTROLLERS, NODES } from '../../src/shells/kube-api/authorize.ts';
import type { Lab } from '../../src/usecases/lab/labs.ts';
import type { ProgramPaths } from '../../tools/k8s/build.ts';
import type { Pki } from './pki.ts';

const ETCD_PORT = 2379;
const ETCD_PEER_PORT = 2380;
const SECOND_SCHEDULER_PORT = 10_269;
export const API_SERVER_PORT = 6443;
/** Of all services one is reached in these tests, by the rule in pod-network.ts: there is no kube-proxy. */
const SERVICE_RANGE = '10.250.0.0/16';
/** Of the Service `kubernetes`: the API server gives itself the first address of the range. */
export const API_SERVICE_ADDRESS = '10.250.0.1';

export interface ControlPlaneOptions {
  readonly lab: Lab;
  readonly programs: ProgramPaths;
  readonly pki: Pki;
  /** For what etcd keeps. */
  readonly folder: string;
  /** Where the scheduler is advised; nowhere when left out. */
  readonly extender?: string;
}

/** `--key=value` for each. */
export function flags(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

/** Starts etcd, and the API server on it. */
export async function startStoreAndApiServer(options: ControlPlaneOptions): Promise<void> {
  const { lab, folder } = options;
  const etcd = etcdUrl(lab);
  const data = join(folder, 'etcd');
  await mkdir(data, { recursive: true, mode: 0o700 });
  const peer = `http://${lab.gateway}:${ETCD_PEER_PORT}`;
  const etcdFlags = flags({
    ...{ name: 'etcd', 'data-dir': data, 'listen-client-urls': etcd, 'advertise-client-urls': etcd },
    ...{ 'listen-peer-urls': peer, 'initial-advertise-peer-urls': peer, 'initial-cluster': `etcd=${peer}` },
  });
  await lab.startMachineDaemon({ name: 'etcd', argv: ['etcd', ...etcdFlags, '--unsafe-no-fsync'] });
  await startApiServer(options);
}

function etcdUrl(lab: Lab): string {
  return `http://${lab.gateway}:${ETCD_PORT}`;
}

/** Who of Holdfast wrote what, by the API server's own account; nothing of anybody else. */
const AUDIT_POLICY = {
  ...{ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'] },
  rules: [
    { level: 'None', verbs: ['get', 'list', 'watch'] },
    { level: 'Metadata', userGroups: [CONTROLLERS, NODES] },
    { level: 'None' },
  ],
};

/** Path of what the API server notes of Holdfast's writes, a JSON object a line. */
export function auditLog(folder: string): string {
  return join(folder, 'audit.log');
}

/** Starts the API server, also once more. */
export async function startApiServer({ lab, programs, pki, folder }: ControlPlaneOptions): Promise<void> {
  const policy = join(folder, 'audit-policy.json');
  await writeFile(policy, JSON.stringify(AUDIT_POLICY));
  const audit = flags({ 'audit-policy-file': policy, 'audit-log-path': auditLog(folder) });
  await lab.startMachineDaemon({
    name: 'kube-apiserver',
    argv: [programs['kube-apiserver'], ...apiServerFlags(lab, pki, etcdUrl(lab)), ...audit],
  });
}

function apiServerFlags(lab: Lab, pki: Pki, etcd: string): readonly string[] {
  const [certificate, key] = pki.server;
  const [clientCertificate, clientKey] = pki.kubeletClient;
  return flags({
    ...{ 'etcd-servers': etcd, 'bind-address': lab.gateway, 'secure-port': String(API_SERVER_PORT) },
    ...{ 'advertise-address': lab.gateway, 'endpoint-reconciler-type': 'none' },
    ...{ 'tls-cert-file': certificate, 'tls-private-key-file': key, 'client-ca-file': pki.authority },
    ...{ 'kubelet-client-certificate': clientCertificate, 'kubelet-client-key': clientKey },
    ...{ 'service-account-key-file': pki.serviceAccounts, 'service-account-signing-key-file': pki.serviceAccounts },
    ...{ 'service-account-issuer': 'https://kubernetes.default.svc', 'service-cluster-ip-range': SERVICE_RANGE },
    ...{ 'authorization-mode': 'Node,RBAC', 'allow-privileged': 'true', profiling: 'false' },
    'enable-admission-plugins': 'NodeRestriction',
    // There is no network of services: it asks the pods behind one, which the machine has routes to (install.ts).
    'enable-aggregator-routing': 'true',
    // Names of hosts are known in the lab only.
    'kubelet-preferred-address-types': 'InternalIP',
  });
}

/** Starts what makes pods of claims and templates, and gives them nodes; the API server answers already. */
export async function startControllers({ lab, programs, pki, folder, extender }: ControlPlaneOptions): Promise<void> {
  const manager = await pki.kubeconfig('system:kube-controller-manager', 'system:kube-controller-manager');
  const scheduler = await pki.kubeconfig('system:kube-scheduler', 'system:kube-scheduler');
  const quiet = { 'leader-elect': 'false', 'bind-address': lab.gateway };
  await lab.startMachineDaemon({
    name: 'kube-controller-manager',
    argv: [
      programs['kube-controller-manager'],
      ...flags({
        ...{ ...quiet, kubeconfig: manager, 'authentication-kubeconfig': manager, 'authorization-kubeconfig': manager },
        ...{ 'service-account-private-key-file': pki.serviceAccounts, 'root-ca-file': pki.authority },
        'use-service-account-credentials': 'true',
      }),
    ],
  });
  const config = join(folder, 'scheduler.json');
  await writeFile(config, JSON.stringify(schedulerConfiguration(scheduler, pki, extender)));
  await lab.startMachineDaemon({
    name: 'kube-scheduler',
    argv: [
      programs['kube-scheduler'],
      ...flags({
        ...{ config, 'bind-address': lab.gateway },
        ...{ 'authentication-kubeconfig': scheduler, 'authorization-kubeconfig': scheduler },
      }),
    ],
  });
}

/** Name of the second scheduler, of its Lease and of its user. */
export const SECOND_SCHEDULER = 'holdfast-scheduler';

/** Starts a scheduler of its own for pods that name it, as docs/how-to/run-pods-near-their-data.md has it. */
export async function startSecondScheduler(
  { lab, programs, pki, folder }: ControlPlaneOptions,
  extender: string,
): Promise<void> {
  const kubeconfig = await pki.kubeconfig(SECOND_SCHEDULER, SECOND_SCHEDULER);
  const config = join(folder, `${SECOND_SCHEDULER}.json`);
  const configuration = {
    ...schedulerConfiguration(kubeconfig, pki, extender),
    profiles: [{ schedulerName: SECOND_SCHEDULER }],
    leaderElection: { leaderElect: true, resourceNamespace: SYSTEM_NAMESPACE, resourceName: SECOND_SCHEDULER },
  };
  await writeFile(config, JSON.stringify(configuration));
  const serving = flags({ config, 'bind-address': lab.gateway, 'secure-port': String(SECOND_SCHEDULER_PORT) });
  await lab.startMachineDaemon({ name: SECOND_SCHEDULER, argv: [programs['kube-scheduler'], ...serving] });
}

/** With an extender as docs/how-to/run-pods-near-their-data.md has it. */
function schedulerConfiguration(kubeconfig: string, pki: Pki, extender: string | undefined): object {
  return {
    ...{ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' },
    ...{ clientConnection: { kubeconfig }, leaderElection: { leaderElect: false } },
    extenders:
      extender === undefined
        ? []
        : [
            {
              ...{ urlPrefix: extender, enableHTTPS: true, tlsConfig: { caFile: pki.authority } },
              ...{ filterVerb: 'filter', prioritizeVerb: 'prioritize', weight: 5, nodeCacheCapable: true },
              ...{ ignorable: true, httpTimeout: '1s' },
            },
          ],
  };
}
