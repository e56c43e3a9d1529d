/** The Helm chart: the objects of the manifest, with what may differ between clusters as values. */
import { stringify } from 'yaml';
import { z } from 'zod';
import { VERSION } from '../../src/main/version.ts';
import { admissionObjects } from './admission.ts';
import type { Json } from './crd-schema.ts';
import { customResourceDefinitions } from './crds.ts';
import { documents } from './documents.ts';
import { driverObjects, GLUSTER_CLASS, LOCAL_CLASS, snapshotClass } from './driver.ts';
import { guardObjects } from './guard.ts';
import {
  keepBraces,
  metricsLines,
  metricsServices,
  onlyWithMetrics,
  prometheusRule,
  serviceMonitors,
} from './metrics.ts';
import { accessObjects } from './rbac.ts';
import { refusals } from './refusals.ts';
import { onlyWith, podWebhook, schedulingLines, schedulingService, webhookLines } from './scheduling.ts';
import { secondScheduler } from './second-scheduler.ts';
import { type DefaultValues, defaultValues, templateValues } from './values.ts';
import { workloads } from './workloads.ts';

const KEEP = { 'helm.sh/resource-policy': 'keep' };
const text = z.string().min(1);
const registry = text.regex(/^[a-z0-9][a-z0-9.:/_-]*$/);

/** values.schema.json: what helm refuses before anything is sent. */
const ValuesSchema = z.strictObject({
  image: z.strictObject({ registry, tag: text, pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']) }),
  sidecars: z.strictObject({
    ...{ registry, provisioner: text, attacher: text, resizer: text, snapshotter: text },
    ...{ kubeApiQps: z.int().min(1).max(1000), kubeApiBurst: z.int().min(1).max(2000) },
  }),
  controller: z.strictObject({ replicas: z.int().min(1).max(5) }),
  snapshots: z.strictObject({ enabled: z.boolean() }),
  scheduling: z.strictObject({
    enabled: z.boolean(),
    certificate: z.strictObject({
      secretName: z.string().regex(/^[a-z0-9.-]*$/),
      caBundle: z.string().regex(/^[A-Za-z0-9+/=]*$/),
    }),
    webhook: z.boolean(),
    // It is the name of a Lease, too.
    schedulerName: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  }),
  scheduler: z.strictObject({
    ...{ enabled: z.boolean(), image: registry, tag: z.string().regex(/^[A-Za-z0-9_.-]*$/) },
    replicas: z.int().min(1).max(5),
  }),
  metrics: z.strictObject({
    enabled: z.boolean(),
    namespace: z.string().regex(/^[a-z0-9-]{0,63}$/),
    labels: z.record(z.string(), z.string()),
    serviceMonitor: z.strictObject({ enabled: z.boolean(), interval: z.string().regex(/^\d+(?:ms|s|m)$/) }),
    prometheusRule: z.strictObject({ enabled: z.boolean() }),
  }),
  defaultClass: z.enum(['', GLUSTER_CLASS, LOCAL_CLASS]),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']),
  apiServer: z.strictObject({ host: z.string(), port: z.string().regex(/^\d{1,5}$/) }),
  // Helm hands these to every chart.
  global: z.record(z.string(), z.unknown()).optional(),
});

/** Words about each value, for values.yaml. */
const WORDS: Readonly<Record<keyof DefaultValues, string>> = {
  image:
    "Holdfast's own images: REGISTRY/controller:TAG and REGISTRY/node:TAG. None are published: build and push them.",
  sidecars:
    'Images of the CSI sidecars, and the versions that Holdfast was tested with. kubeApiQps, kubeApiBurst: questions of each to the API server, a second and at once.',
  controller: 'One of the replicas leads; another takes over within seconds of its death.',
  snapshots: "Needs the kinds and the controller of Kubernetes' external-snapshotter in the cluster.",
  scheduling: `Advice for the scheduler, see docs/how-to/run-pods-near-their-data.md: where a pod has its data. The controllers make their certificate themselves, unless one of your own is named (secretName: of type kubernetes.io/tls, in holdfast-system, for holdfast-scheduling.holdfast-system.svc; caBundle: PEM in base64, for the webhook, unless somebody writes it there, as cert-manager does). webhook, which needs enabled: new pods with volumes of Holdfast get schedulerName, while that scheduler renews its Lease.`,
  scheduler:
    "A kube-scheduler of that name, which asks Holdfast; for clusters whose own cannot be told to. Needs scheduling.enabled. tag: the cluster's version when empty.",
  metrics:
    "For Prometheus, see docs/how-to/watch-with-prometheus.md. enabled: served by controllers and agents, by plain HTTP. namespace: that of Prometheus, and only from there controllers are reached (any when empty; agents are on their machine's network, where no policy reaches). serviceMonitor and prometheusRule need that, and the kinds of the Prometheus operator; labels: what it chooses them by.",
  defaultClass: `The class of claims that name none: ${GLUSTER_CLASS}, ${LOCAL_CLASS}, or none of ours.`,
  logLevel: 'debug, info, warn or error',
  apiServer:
    'How pods reach the API server; the cluster says so itself unless its service network needs Holdfast first.',
};

export interface ChartFile {
  /** Relative to the chart's folder. */
  readonly path: string;
  readonly text: string;
}

/** All files of the chart. */
export function chartFiles(): readonly ChartFile[] {
  const values = templateValues();
  const template = (name: string, objects: readonly Json[]) => ({
    path: `templates/${name}.yaml`,
    text: asTemplate(documents(objects)),
  });
  const snapshots = template('snapshots', [snapshotClass()]);
  const scheduling = template('scheduling', [schedulingService()]);
  const services = template('metrics', metricsServices());
  const monitors = template('monitors', serviceMonitors());
  const alerts = keepBraces(documents([prometheusRule()]));
  const webhook = template('webhook', [podWebhook()]);
  const scheduler = template('scheduler', secondScheduler());
  return [
    { path: 'Chart.yaml', text: chartYaml() },
    { path: 'values.yaml', text: valuesYaml() },
    { path: 'values.schema.json', text: valuesSchema() },
    { path: 'templates/NOTES.txt', text: NOTES },
    { path: 'templates/refusals.yaml', text: refusals() },
    template('crds', customResourceDefinitions().map(kept)),
    template(
      'driver',
      driverObjects(values).map((object) => (isNamespace(object) ? kept(object) : object)),
    ),
    template('access', [...accessObjects(), ...admissionObjects(), ...guardObjects()]),
    template('workloads', workloads(values)),
    { ...scheduling, text: onlyWith('scheduling.enabled', scheduling.text) },
    { ...webhook, text: onlyWith('scheduling.webhook', webhook.text) },
    { ...scheduler, text: onlyWith('scheduler.enabled', scheduler.text) },
    { ...services, text: onlyWithMetrics(services.text) },
    { ...monitors, text: onlyWithMetrics(monitors.text, 'serviceMonitor') },
    { path: 'templates/alerts.yaml', text: onlyWithMetrics(metricsLines(alerts), 'prometheusRule') },
    { ...snapshots, text: `# {{- if .Values.snapshots.enabled }}\n${snapshots.text}# {{- end }}\n` },
  ];
}

/**
 * The definitions stay when the release goes, and the namespace: with them would go every record of every volume, and the keys of
 * encrypted ones.
 */
function kept(object: Json): Json {
  const { metadata } = object as { readonly metadata: Json };
  return { ...object, metadata: { ...metadata, annotations: KEEP } };
}

function isNamespace(object: Json): boolean {
  return (object as { readonly kind: string }).kind === 'Namespace';
}

/** Placeholders become template actions, in comments where they are lines of their own: so the file is YAML as it stands. */
function asTemplate(manifest: string): string {
  return metricsLines(webhookLines(schedulingLines(wrapSnapshotter(manifest))))
    .replaceAll(/^( *)replicas: "(\{\{.*\}\})"$/gm, '$1replicas: !!int "$2"')
    .replaceAll(/^( *)- name: "?@@API_SERVER"?$/gm, (_, indent: string) =>
      [
        '# {{- if .Values.apiServer.host }}',
        '- name: KUBERNETES_SERVICE_HOST',
        '  value: "{{ .Values.apiServer.host }}"',
        '- name: KUBERNETES_SERVICE_PORT',
        '  value: "{{ .Values.apiServer.port }}"',
        '# {{- end }}',
      ]
        .map((line) => `${indent}${line}`)
        .join('\n'),
    );
}

/** The container is there only with snapshots.enabled: without the kinds it ends at once. */
function wrapSnapshotter(manifest: string): string {
  const item = /^( *)- name: csi-snapshotter\n(?:\1 .*\n)*/m;
  return manifest.replace(item, (block, indent: string) => {
    return `${indent}# {{- if .Values.snapshots.enabled }}\n${block}${indent}# {{- end }}\n`;
  });
}

function chartYaml(): string {
  return stringify({
    ...{ apiVersion: 'v2', name: 'holdfast', type: 'application', version: VERSION, appVersion: VERSION },
    description: 'Persistent storage for Kubernetes that outlives the node',
    kubeVersion: '>=1.34.0-0',
    annotations: { 'artifacthub.io/license': 'Apache-2.0' },
  });
}

const LINE = 120;

/** Formatted as the project's other JSON: lists of one line where they fit. */
function valuesSchema(): string {
  const fields = z.toJSONSchema(ValuesSchema, { target: 'draft-7' });
  const schema = JSON.stringify(fields, null, 2);
  const lists = /^(.*)\[\n\s+([^[\]{}]*?)\n\s+\](,?)$/gm;
  return `${schema.replaceAll(lists, (whole: string, before: string, items: string, after: string) => {
    const line = `${before}[${items.replaceAll(/,\n\s+/g, ', ')}]${after}`;
    return line.length > LINE ? whole : line;
  })}\n`;
}

function valuesYaml(): string {
  const parts = Object.entries(defaultValues()).map(
    ([name, value]) => `# ${WORDS[name as keyof typeof WORDS]}\n${stringify({ [name]: value })}`,
  );
  return parts.join('\n');
}

const NOTES = `Holdfast {{ .Chart.AppVersion }} is being started in namespace holdfast-system.

See that it is ready:
  kubectl -n holdfast-system rollout status deployment/holdfast-controller
  kubectl -n holdfast-system get pods -o wide
  kubectl get storagenodes

Which nodes store, and where on them, is for you to say, with a plan file:
  holdfast plan apply --kubeconfig ~/.kube/config -f plan.yaml
{{- if .Values.metrics.enabled }}

Metrics are served by port 8081 of the controllers and 7451 of each node, without authentication.
{{- end }}

Classes: ${GLUSTER_CLASS} (replicated, on any node), ${LOCAL_CLASS} (one copy, on the node of its pod).

After an upgrade the agents are of the new version at once. The engine of a node, with its mounts, stays as it is until its
pod is deleted. Do that node by node, with the node drained:
  kubectl -n holdfast-system delete pod -l app.kubernetes.io/component=engine --field-selector spec.nodeName=NODE
`;
