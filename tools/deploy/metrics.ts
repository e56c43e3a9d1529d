/**
 * What the chart adds where metrics are asked for: a port of the controller and of each agent, their Services, and what the
 * Prometheus operator reads (docs/how-to/watch-with-prometheus.md).
 */
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { alertGroups, JOBS } from './alerts.ts';
import type { Json } from './crd-schema.ts';
import { labelsOf, selectorOf } from './labels.ts';

const CONTROLLER_PORT = 8081;
/** On the network of the machine. */
const AGENT_PORT = 7451;
const OPERATOR = 'monitoring.coreos.com/v1';
const LABELS = '@@METRICS_LABELS';

/** Places in the objects of controller and agent where {@link metricsLines} puts lines of a template. */
export const METRICS_PLACES = {
  args: '@@METRICS_ARGS',
  agentArgs: '@@METRICS_AGENT',
  ports: { name: '@@METRICS_PORTS' },
  ingress: { name: '@@METRICS_INGRESS' },
} as const;

const END = '# {{- end }}';
const onlyIf = (value: string, lines: readonly string[]) => [`# {{- if .Values.metrics.${value} }}`, ...lines, END];
const withMetrics = (lines: readonly string[]) => onlyIf('enabled', lines);
const OPEN = ['- ports:', '    - protocol: TCP', '      port: metrics'];
const FROM_NAMESPACE = [
  ...['  from:', '    - namespaceSelector:', '        matchLabels:'],
  '          kubernetes.io/metadata.name: "{{ .Values.metrics.namespace }}"',
];

const LINES: Readonly<Record<string, readonly string[]>> = {
  ARGS: withMetrics([`- "--metrics-listen=0.0.0.0:${CONTROLLER_PORT}"`]),
  AGENT: withMetrics([`- "--metrics-listen=$(HOST_IP):${AGENT_PORT}"`]),
  PORTS: withMetrics(['- name: metrics', `  containerPort: ${CONTROLLER_PORT}`]),
  // Indented as the project's formatter has comments.
  INGRESS: withMetrics([...OPEN, '  # {{- if .Values.metrics.namespace }}', ...FROM_NAMESPACE, END]),
};

/** Puts the lines in, to be there only where they are asked for. */
export function metricsLines(manifest: string): string {
  return manifest
    .replaceAll(/^( *)- (?:name: )?"?@@METRICS_([A-Z]+)"?$/gm, (_, indent: string, place: string) =>
      (LINES[place] ?? []).map((line) => `${indent}${line}`).join('\n'),
    )
    .replaceAll(new RegExp(`^( *)"?${LABELS}"?: ""$`, 'gm'), (_, indent: string) =>
      onlyIf('labels', [`# {{- toYaml .Values.metrics.labels | nindent ${indent.length} }}`])
        .map((line) => `${indent}${line}`)
        .join('\n'),
    );
}

/** The text of a template that is there with metrics only, or with what else is asked for beside them. */
export function onlyWithMetrics(text: string, also?: 'serviceMonitor' | 'prometheusRule'): string {
  const lines = text.trimEnd().split('\n');
  return `${withMetrics(also === undefined ? lines : onlyIf(`${also}.enabled`, lines)).join('\n')}\n`;
}

/** Their names are those of the jobs in alerts. */
export function metricsServices(): readonly Json[] {
  const service = (component: 'controller' | 'node', name: string, port: number): Json => ({
    ...{ apiVersion: 'v1', kind: 'Service' },
    metadata: { name, namespace: SYSTEM_NAMESPACE, labels: labelsOf(component) },
    // No address of its own: each of the pods is asked.
    spec: {
      clusterIP: 'None',
      selector: selectorOf(component),
      ports: [{ name: 'metrics', protocol: 'TCP', port, targetPort: port }],
    },
  });
  return [service('controller', JOBS.controller, CONTROLLER_PORT), service('node', JOBS.agent, AGENT_PORT)];
}

/** One for each, since only what agents tell lacks the name of a node. */
export function serviceMonitors(): readonly Json[] {
  const nodeOfPod = { sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' };
  const monitor = (component: 'controller' | 'node', name: string, more: Json): Json => ({
    ...{ apiVersion: OPERATOR, kind: 'ServiceMonitor' },
    metadata: metadataOf(component, name),
    spec: {
      selector: { matchLabels: selectorOf(component) },
      endpoints: [{ port: 'metrics', interval: '{{ .Values.metrics.serviceMonitor.interval }}', ...more }],
    },
  });
  return [monitor('controller', JOBS.controller, {}), monitor('node', JOBS.agent, { relabelings: [nodeOfPod] })];
}

/** The alerts for the operator. What Prometheus puts into them is not for helm. */
export function prometheusRule(): Json {
  return {
    ...{ apiVersion: OPERATOR, kind: 'PrometheusRule' },
    metadata: metadataOf('controller', 'holdfast'),
    spec: { groups: alertGroups() },
  };
}

function metadataOf(component: 'controller' | 'node', name: string): Json {
  return { name, namespace: SYSTEM_NAMESPACE, labels: { ...labelsOf(component), [LABELS]: '' } };
}

/** Text of a template in which helm leaves the braces of Prometheus alone. */
export function keepBraces(text: string): string {
  return text.replaceAll('{{', '{{`{{`}}');
}
