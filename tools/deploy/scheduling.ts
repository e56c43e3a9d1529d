/**
 * What the chart adds for the advice of the scheduler, where a Secret with a certificate is named: the port of the controller,
 * its Service, and the webhook where a second scheduler is named too (docs/how-to/run-pods-near-their-data.md).
 */
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import type { Json } from './crd-schema.ts';
import { labelsOf, selectorOf } from './labels.ts';

/** Of the Service too; its certificate is for holdfast-scheduling.holdfast-system.svc. */
const NAME = 'holdfast-scheduling';
const PORT = 7444;
const FOLDER = '/scheduling';

/** Places in the objects of the controller where {@link schedulingLines} puts lines of a template. */
export const SCHEDULING_PLACES = {
  args: '@@SCHEDULING_ARGS',
  webhook: '@@SCHEDULING_WEBHOOK',
  ports: { name: '@@SCHEDULING_PORTS' },
  mounts: { name: '@@SCHEDULING_MOUNTS' },
  volumes: { name: '@@SCHEDULING_VOLUMES' },
  ingress: { name: '@@SCHEDULING_INGRESS' },
} as const;

const LINES: Readonly<Record<string, readonly string[]>> = {
  ARGS: [
    `- "--extender-listen=0.0.0.0:${PORT}"`,
    `- "--extender-cert=${FOLDER}/tls.crt"`,
    `- "--extender-key=${FOLDER}/tls.key"`,
  ],
  WEBHOOK: ['- "--webhook-scheduler={{ .Values.scheduling.secondScheduler }}"'],
  PORTS: ['- name: scheduling', `  containerPort: ${PORT}`],
  MOUNTS: ['- name: scheduling', `  mountPath: ${FOLDER}`, '  readOnly: true'],
  VOLUMES: ['- name: scheduling', '  secret:', '    secretName: "{{ .Values.scheduling.secret }}"'],
  INGRESS: ['- protocol: TCP', '  port: scheduling'],
};

const WITH_SECRET = '# {{- if .Values.scheduling.secret }}';
const WITH_SECOND = '# {{- if .Values.scheduling.secondScheduler }}';
const END = '# {{- end }}';

/** The text of a template that is there with a second scheduler only, or with the certificate. */
export function onlyWith(value: 'secret' | 'secondScheduler', text: string): string {
  return `${value === 'secret' ? WITH_SECRET : WITH_SECOND}\n${text}${END}\n`;
}

/** Puts the lines in, to be there only where they are asked for. */
export function schedulingLines(manifest: string): string {
  return manifest.replaceAll(/^( *)- (?:name: )?"?@@SCHEDULING_([A-Z]+)"?$/gm, (_, indent: string, place: string) =>
    [place === 'WEBHOOK' ? WITH_SECOND : WITH_SECRET, ...(LINES[place] ?? []), END]
      .map((line) => `${indent}${line}`)
      .join('\n'),
  );
}

/** Where scheduler and API server reach the controllers. */
export function schedulingService(): Json {
  return {
    ...{ apiVersion: 'v1', kind: 'Service' },
    metadata: { name: NAME, namespace: SYSTEM_NAMESPACE, labels: labelsOf('controller') },
    spec: {
      selector: selectorOf('controller'),
      ports: [{ name: 'scheduling', protocol: 'TCP', port: PORT, targetPort: 'scheduling' }],
    },
  };
}

/** It must never keep a pod from being made; pods of the system have no claims of ours. */
export function podWebhook(): Json {
  const uses = 'object.spec.volumes.exists(v, has(v.persistentVolumeClaim) || has(v.ephemeral))';
  return {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' },
    metadata: { name: 'holdfast-scheduler', labels: labelsOf('controller') },
    webhooks: [
      {
        ...{ name: 'scheduler.holdfast.dev', admissionReviewVersions: ['v1'], sideEffects: 'None' },
        ...{ failurePolicy: 'Ignore', timeoutSeconds: 2 },
        clientConfig: {
          service: { name: NAME, namespace: SYSTEM_NAMESPACE, port: PORT, path: '/mutate' },
          caBundle: '{{ .Values.scheduling.caBundle }}',
        },
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'], scope: 'Namespaced' },
        ],
        matchConditions: [{ name: 'has-claims', expression: `has(object.spec.volumes) && ${uses}` }],
      },
    ],
  };
}
