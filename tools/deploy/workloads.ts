/** What runs on a cluster: the controller beside the sidecars, and on each node the engine and the agent. */

import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { CONTROLLER_ACCOUNT, NODE_ACCOUNT } from './accounts.ts';
import type { Json } from './crd-schema.ts';
import { labelsOf, selectorOf } from './labels.ts';
import { METRICS_PLACES } from './metrics.ts';
import { nodeWorkloads } from './node-workloads.ts';
import { SCHEDULING_PLACES } from './scheduling.ts';
import { apiServerEnv, SIDECAR_NAMES, type SidecarName, type SidecarRates, type Values } from './values.ts';

const CONTROLLER_PORT = 8080;
/** The kubelet's own of a pod. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const SOCKET_FOLDER = '/csi';
/** Of the image, too (tools/images/images.ts). */
const NOBODY = 65_532;

/** Accounts, workloads and what limits them. */
export function workloads(values: Values): readonly Json[] {
  return [
    account(CONTROLLER_ACCOUNT),
    account(NODE_ACCOUNT),
    controller(values),
    disruptionBudget(),
    networkPolicy(values),
    ...nodeWorkloads(values),
  ];
}

function account(name: string): Json {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: SYSTEM_NAMESPACE, labels: labelsOf() },
  };
}

function controller(values: Values): Json {
  const component = 'controller';
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: { name: 'holdfast-controller', namespace: SYSTEM_NAMESPACE, labels: labelsOf(component) },
    spec: {
      replicas: values.replicas,
      selector: { matchLabels: selectorOf(component) },
      template: {
        metadata: { labels: labelsOf(component) },
        spec: {
          serviceAccountName: CONTROLLER_ACCOUNT,
          priorityClassName: 'system-cluster-critical',
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          affinity: { podAntiAffinity: apart(component) },
          securityContext: {
            ...{ runAsNonRoot: true, runAsUser: NOBODY, runAsGroup: NOBODY, fsGroup: NOBODY },
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            role(values),
            ...SIDECAR_NAMES.filter((name) => isWanted(name, values)).map((name) => sidecar(name, values)),
          ],
          volumes: [{ name: 'socket', emptyDir: {} }, ...inTemplate(values, SCHEDULING_PLACES.volumes)],
        },
      },
    },
  };
}

/** Only where a template asks for them: the kinds of snapshots are not served everywhere. */
function isWanted(name: SidecarName, { isTemplate }: Values): boolean {
  return name !== 'csi-snapshotter' || isTemplate;
}

function apart(component: string): Json {
  const podAffinityTerm = {
    labelSelector: { matchLabels: selectorOf(component) },
    topologyKey: 'kubernetes.io/hostname',
  };
  return { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] };
}

const CONFINED = {
  ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
  capabilities: { drop: ['ALL'] },
};
const SOCKET_MOUNT = { name: 'socket', mountPath: SOCKET_FOLDER };

/** A place that the chart fills where a value asks for it; the manifest has none. */
function inTemplate<T>({ isTemplate }: Values, place: T): readonly T[] {
  return isTemplate ? [place] : [];
}

function role(values: Values): Json {
  const { registry, tag, pullPolicy, logLevel, isTemplate } = values;
  const probe = (path: string) => ({ httpGet: { path, port: 'health' }, timeoutSeconds: 5 });
  return {
    ...{ name: 'controller', image: `${registry}/controller:${tag}`, imagePullPolicy: pullPolicy },
    args: [
      ...['controller', `--kubeconfig=${SERVICE_ACCOUNT}`, `--csi-socket=${SOCKET_FOLDER}/csi.sock`],
      ...[`--health-listen=0.0.0.0:${CONTROLLER_PORT}`, '--log-format=json', `--log-level=${logLevel}`],
      ...inTemplate(values, SCHEDULING_PLACES.args),
      ...inTemplate(values, METRICS_PLACES.args),
    ],
    // For commands that people run in the pod.
    env: [{ name: 'HOLDFAST_KUBECONFIG', value: SERVICE_ACCOUNT }, ...apiServerEnv(isTemplate)],
    ports: [
      { name: 'health', containerPort: CONTROLLER_PORT },
      ...inTemplate(values, SCHEDULING_PLACES.ports),
      ...inTemplate(values, METRICS_PLACES.ports),
    ],
    startupProbe: { ...probe('/healthz'), periodSeconds: 2, failureThreshold: 30 },
    livenessProbe: { ...probe('/healthz'), periodSeconds: 20, failureThreshold: 3 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 10, failureThreshold: 2 },
    resources: { requests: { cpu: '50m', memory: '128Mi' } },
    securityContext: CONFINED,
    volumeMounts: [SOCKET_MOUNT, ...inTemplate(values, SCHEDULING_PLACES.mounts)],
  };
}

const SIDECAR_FLAGS: Readonly<Record<SidecarName, readonly string[]>> = {
  // The driver says that its room is known: without it the scheduler finds no node for a claim that waits for its pod.
  'csi-provisioner': [
    ...['--feature-gates=Topology=true', '--extra-create-metadata'],
    ...['--enable-capacity', '--capacity-ownerref-level=2', '--capacity-poll-interval=30s'],
  ],
  'csi-attacher': [],
  'csi-resizer': [],
  'csi-snapshotter': [],
};

/** How long sidecars wait for a call, in seconds. */
const TIMEOUT_S = 60;
/** A volume waits for its turn among a hundred: a call that is given up is asked again later each time, and told as a failure to whoever claimed. */
const PROVISIONER_TIMEOUT_S = 180;

/** Flag of a sidecar that says how long it waits for a call. */
export function timeoutFlag(name: SidecarName): string {
  return `--timeout=${name === 'csi-provisioner' ? PROVISIONER_TIMEOUT_S : TIMEOUT_S}s`;
}

/** Flags of every sidecar that say how often it may ask the API server. */
export function rateFlags({ kubeApiQps, kubeApiBurst }: SidecarRates): readonly string[] {
  return [`--kube-api-qps=${kubeApiQps}`, `--kube-api-burst=${kubeApiBurst}`];
}

function sidecar(name: SidecarName, values: Values): Json {
  const from = (fieldPath: string) => ({ fieldRef: { fieldPath } });
  return {
    ...{ name, image: `${values.sidecarRegistry}/${name}:${values.sidecarTags[name]}` },
    imagePullPolicy: values.pullPolicy,
    // Of two it is beside one only that they work, which need not be the controller that leads: any serves CSI.
    args: [
      ...[`--csi-address=${SOCKET_FOLDER}/csi.sock`, '--leader-election', timeoutFlag(name)],
      ...rateFlags(values.sidecarRates),
      ...SIDECAR_FLAGS[name],
    ],
    env: [
      { name: 'NAMESPACE', valueFrom: from('metadata.namespace') },
      { name: 'POD_NAME', valueFrom: from('metadata.name') },
      ...apiServerEnv(values.isTemplate),
    ],
    resources: { requests: { cpu: '10m', memory: '32Mi' } },
    securityContext: CONFINED,
    volumeMounts: [SOCKET_MOUNT],
  };
}

function disruptionBudget(): Json {
  return {
    ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
    metadata: { name: 'holdfast-controller', namespace: SYSTEM_NAMESPACE, labels: labelsOf('controller') },
    // Not "one must stay": a node with the only replica could never be drained.
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf('controller') } },
  };
}

/** Pods of nodes are on the network of their machine, where no policy reaches. */
function networkPolicy(values: Values): Json {
  return {
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
    metadata: { name: 'holdfast-controller', namespace: SYSTEM_NAMESPACE, labels: labelsOf('controller') },
    spec: {
      podSelector: { matchLabels: selectorOf('controller') },
      policyTypes: ['Ingress'],
      ingress: [
        { ports: [{ protocol: 'TCP', port: 'health' }, ...inTemplate(values, SCHEDULING_PLACES.ingress)] },
        ...inTemplate(values, METRICS_PLACES.ingress),
      ],
    },
  };
}
