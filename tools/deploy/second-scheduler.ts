/** A kube-scheduler that asks Holdfast, for clusters whose own cannot be told to; the chart adds it with `scheduler.enabled`. */
import { CERTIFICATE_SECRET, SCHEDULING_SERVICE } from '../../src/domain/locality/serving-certificate.ts';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import type { Json } from './crd-schema.ts';
import { labelsOf, selectorOf } from './labels.ts';
import { SCHEDULING_PORT } from './scheduling.ts';
import { apiServerEnv } from './values.ts';

const NAME = 'holdfast-scheduler';
const COMPONENT = 'scheduler';
const API = 'rbac.authorization.k8s.io';
const CONFIG_FOLDER = '/etc/holdfast';
const TRUST_FOLDER = '/etc/holdfast-trust';
const PORT = 10_259;
const NOBODY = 65_532;
const SCHEDULER_NAME = '{{ .Values.scheduling.schedulerName }}';

/**
 * As KubeSchedulerConfiguration of docs/how-to/run-pods-near-their-data.md. It is ignorable: where no controller answers, pods are
 * scheduled without advice. It is the one place that says so, for JSON is YAML and has no lines that templates could touch.
 */
function configuration(): Json {
  return {
    ...{ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' },
    leaderElection: { leaderElect: true, resourceNamespace: SYSTEM_NAMESPACE, resourceName: SCHEDULER_NAME },
    profiles: [{ schedulerName: SCHEDULER_NAME }],
    extenders: [
      {
        urlPrefix: `https://${SCHEDULING_SERVICE}.${SYSTEM_NAMESPACE}.svc:${SCHEDULING_PORT}`,
        ...{ enableHTTPS: true, tlsConfig: { caFile: `${TRUST_FOLDER}/ca.crt` } },
        ...{ filterVerb: 'filter', prioritizeVerb: 'prioritize', weight: 5, nodeCacheCapable: true },
        ...{ ignorable: true, httpTimeout: '1s' },
      },
    ],
  };
}

/** All objects, of a template. */
export function secondScheduler(): readonly Json[] {
  const metadata = { name: NAME, namespace: SYSTEM_NAMESPACE, labels: labelsOf(COMPONENT) };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    ...access(metadata),
    {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata },
      data: { 'scheduler.json': JSON.stringify(configuration()) },
    },
    deployment(metadata),
    {
      ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata },
      spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(COMPONENT) } },
    },
    {
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata },
      // Kubelet alone asks it, and kubelet is always let through.
      spec: { podSelector: { matchLabels: selectorOf(COMPONENT) }, policyTypes: ['Ingress'], ingress: [] },
    },
  ];
}

/** What Kubernetes gives its own scheduler, and the Lease by which the webhook sees that this one is at work. */
function access(metadata: Json): readonly Json[] {
  const apiVersion = `${API}/v1`;
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: SYSTEM_NAMESPACE }];
  const wide = ['system:kube-scheduler', 'system:volume-scheduler'].map((name) => ({
    ...{ apiVersion, kind: 'ClusterRoleBinding' },
    metadata: { name: `holdfast:${name.slice('system:'.length)}`, labels: labelsOf(COMPONENT) },
    ...{ subjects, roleRef: { apiGroup: API, kind: 'ClusterRole', name } },
  }));
  const group = 'coordination.k8s.io';
  return [
    ...wide,
    {
      ...{ apiVersion, kind: 'Role', metadata },
      rules: [
        { apiGroups: [group], resources: ['leases'], verbs: ['create'] },
        {
          ...{ apiGroups: [group], resources: ['leases'], resourceNames: [SCHEDULER_NAME] },
          verbs: ['get', 'update'],
        },
      ],
    },
    { apiVersion, kind: 'RoleBinding', metadata, subjects, roleRef: { apiGroup: API, kind: 'Role', name: NAME } },
  ];
}

function deployment(metadata: Json): Json {
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
    spec: {
      replicas: '{{ .Values.scheduler.replicas }}',
      selector: { matchLabels: selectorOf(COMPONENT) },
      template: {
        // It reads its file at the start only: another name has to be another pod.
        metadata: { labels: labelsOf(COMPONENT), annotations: { 'holdfast.dev/scheduler-name': SCHEDULER_NAME } },
        spec: {
          serviceAccountName: NAME,
          priorityClassName: 'system-cluster-critical',
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          securityContext: {
            ...{ runAsNonRoot: true, runAsUser: NOBODY, runAsGroup: NOBODY, fsGroup: NOBODY },
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container()],
          volumes: [
            { name: 'config', configMap: { name: NAME } },
            { name: 'trust', secret: { secretName: TRUST_SECRET, items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          ],
        },
      },
    },
  };
}

/** Somebody's own, or the one that the controller makes: until that is there the pod waits for it. */
const TRUST_SECRET = `{{ .Values.scheduling.certificate.secretName | default \`${CERTIFICATE_SECRET}\` }}`;

/** Of the cluster's version, without what distributions add to it. */
const TAG =
  '{{ .Values.scheduler.tag | default (regexFind `^v[0-9]+[.][0-9]+[.][0-9]+` .Capabilities.KubeVersion.Version) }}';

function container(): Json {
  const probe = (path: string) => ({ httpGet: { path, port: PORT, scheme: 'HTTPS' }, timeoutSeconds: 5 });
  return {
    ...{ name: 'scheduler', image: `{{ .Values.scheduler.image }}:${TAG}` },
    imagePullPolicy: '{{ .Values.image.pullPolicy }}',
    command: ['kube-scheduler'],
    args: [`--config=${CONFIG_FOLDER}/scheduler.json`, '--profiling=false'],
    env: [...apiServerEnv(true)],
    startupProbe: { ...probe('/healthz'), periodSeconds: 2, failureThreshold: 60 },
    livenessProbe: { ...probe('/healthz'), periodSeconds: 20, failureThreshold: 3 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 10, failureThreshold: 2 },
    resources: { requests: { cpu: '20m', memory: '64Mi' } },
    securityContext: {
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true },
      { name: 'trust', mountPath: TRUST_FOLDER, readOnly: true },
    ],
  };
}
