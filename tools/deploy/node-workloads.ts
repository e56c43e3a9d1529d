/**
 * What runs on each node, in two pods: the engine with its bricks and the mounts of volumes, which is replaced only when
 * somebody deletes its pod; and the agent, which joins the engine's namespaces and may be replaced at any time (ADR 0025).
 */
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { NODE_ACCOUNT } from './accounts.ts';
import type { Json } from './crd-schema.ts';
import { labelsOf, selectorOf } from './labels.ts';
import { METRICS_PLACES } from './metrics.ts';
import { apiServerEnv, type Values } from './values.ts';

const AGENT_PORT = 7450;
const GLUSTERD_PORT = 24_007;
const KUBELET = '/var/lib/kubelet';
/** Of the projected volume: the agent finds its token through the folder of kubelet, for it leaves its own root. */
const API_ACCESS = 'api-access';
/** Of the machine, for pools. */
export const POOL_FOLDER = '/mnt/holdfast';
const TOKEN_SECONDS = 3_607;

/** The DaemonSets. */
export function nodeWorkloads(values: Values): readonly Json[] {
  return [engine(values), agent(values)];
}

interface Folder {
  readonly name: string;
  readonly path: string;
  /** Mounts made in the pod are seen by the machine, and stay when the pod ends. */
  readonly isShared?: boolean;
}

const RUN: Folder = { name: 'run', path: '/run/holdfast' };
const STATE: Folder = { name: 'state', path: '/var/lib/holdfast', isShared: true };
const ENGINE_STATE: Folder = { name: 'engine-state', path: '/var/lib/glusterd' };
const ENGINE_FOLDERS: readonly Folder[] = [
  { name: 'kubelet', path: KUBELET, isShared: true },
  STATE,
  // Plans name folders below it; another one of the machine is not seen.
  { name: 'pools', path: POOL_FOLDER, isShared: true },
  RUN,
  ENGINE_STATE,
  { name: 'devices', path: '/dev' },
  { name: 'modules', path: '/lib/modules' },
  { name: 'engine-logs', path: '/var/log/glusterfs' },
  { name: 'logs', path: '/var/log/holdfast' },
];

function mountOf({ name, path, isShared = false }: Folder): Json {
  return { name, mountPath: path, ...(isShared ? { mountPropagation: 'Bidirectional' } : {}) };
}

function volumeOf({ name, path }: Folder): Json {
  return { name, hostPath: { path, type: path === '/dev' ? 'Directory' : 'DirectoryOrCreate' } };
}

function engine(values: Values): Json {
  const fresh = '/fresh';
  return daemonSet('engine', 'OnDelete', {
    // What the package keeps there is hidden by the machine's folder.
    initContainers: [
      {
        ...{ name: 'fill', ...imageOf(values), command: ['cp', '-a', '-n', `${ENGINE_STATE.path}/.`, fresh] },
        volumeMounts: [{ name: ENGINE_STATE.name, mountPath: fresh }],
      },
    ],
    containers: [
      {
        ...{ name: 'engine', ...imageOf(values) },
        args: ['supervise', '--log-format=json', `--log-level=${values.logLevel}`],
        securityContext: { privileged: true },
        // No liveness probe: to start it again is to take every volume of this node away from its users.
        readinessProbe: { tcpSocket: { port: GLUSTERD_PORT }, periodSeconds: 10, timeoutSeconds: 5 },
        resources: { requests: { cpu: '100m', memory: '256Mi' } },
        volumeMounts: ENGINE_FOLDERS.map(mountOf),
      },
    ],
    volumes: ENGINE_FOLDERS.map(volumeOf),
  });
}

function agent(values: Values): Json {
  const from = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const probe = (path: string) => ({ httpGet: { path, port: AGENT_PORT }, timeoutSeconds: 5 });
  const access = `${KUBELET}/pods/$(POD_UID)/volumes/kubernetes.io~projected/${API_ACCESS}`;
  return daemonSet('node', 'RollingUpdate', {
    containers: [
      {
        ...{ name: 'agent', ...imageOf(values) },
        args: [
          ...['in-engine', '--', 'node', '--name=$(NODE_NAME)', '--address=$(HOST_IP)', `--kubeconfig=${access}`],
          ...[`--csi-socket=${RUN.path}/csi.sock`, '--csi-register', `--health-listen=$(HOST_IP):${AGENT_PORT}`],
          ...['--log-format=json', `--log-level=${values.logLevel}`],
          ...(values.isTemplate ? [METRICS_PLACES.agentArgs] : []),
        ],
        env: [
          from('NODE_NAME', 'spec.nodeName'),
          from('HOST_IP', 'status.hostIP'),
          from('POD_UID', 'metadata.uid'),
          ...apiServerEnv(values.isTemplate),
        ],
        securityContext: { privileged: true },
        // It begins when the engine is there.
        startupProbe: { ...probe('/healthz'), periodSeconds: 5, failureThreshold: 60 },
        livenessProbe: { ...probe('/healthz'), periodSeconds: 20, failureThreshold: 3 },
        readinessProbe: { ...probe('/readyz'), periodSeconds: 10, failureThreshold: 2 },
        resources: { requests: { cpu: '50m', memory: '128Mi' } },
        volumeMounts: [
          ...[RUN, { ...STATE, isShared: false }].map(mountOf),
          { name: API_ACCESS, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
        ],
      },
    ],
    volumes: [
      ...[RUN, STATE].map(volumeOf),
      {
        name: API_ACCESS,
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          ],
        },
      },
    ],
  });
}

function imageOf({ registry, tag, pullPolicy }: Values): Json {
  return { image: `${registry}/node:${tag}`, imagePullPolicy: pullPolicy };
}

function daemonSet(component: 'engine' | 'node', strategy: 'OnDelete' | 'RollingUpdate', spec: Json): Json {
  return {
    ...{ apiVersion: 'apps/v1', kind: 'DaemonSet' },
    metadata: { name: `holdfast-${component}`, namespace: SYSTEM_NAMESPACE, labels: labelsOf(component) },
    spec: {
      selector: { matchLabels: selectorOf(component) },
      updateStrategy: { type: strategy },
      template: {
        metadata: { labels: labelsOf(component) },
        spec: {
          serviceAccountName: NODE_ACCOUNT,
          // The agent brings its own, and the engine has no business with the API.
          automountServiceAccountToken: false,
          priorityClassName: 'system-node-critical',
          ...{ hostNetwork: true, hostPID: true, dnsPolicy: 'Default' },
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: [{ operator: 'Exists' }],
          ...spec,
        },
      },
    },
  };
}
