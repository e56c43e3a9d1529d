/**
 * What the chart adds for the advice of the scheduler, where `scheduling.enabled` asks for it: the port of the controller, its Service,
 * its certificate, and the webhook (docs/how-to/run-pods-near-their-data.md).
 */
import { POD_WEBHOOK, SCHEDULING_SERVICE } from '../../src/domain/locality/serving-certificate.ts';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import type { Json } from './crd-schema.ts';
import { labelsOf, selectorOf } from './labels.ts';

export const SCHEDULING_PORT = 7444;
const FOLDER = '/scheduling';

/** Places in the objects of the controller where {@link schedulingLines} puts lines of a template. */
export const SCHEDULING_PLACES = {
  args: '@@SCHEDULING_ARGS',
  ports: { name: '@@SCHEDULING_PORTS' },
  mounts: { name: '@@SCHEDULING_MOUNTS' },
  volumes: { name: '@@SCHEDULING_VOLUMES' },
  ingress: { name: '@@SCHEDULING_INGRESS' },
} as const;

const END = '# {{- end }}';
const ifValue = (path: string): string => `# {{- if .Values.${path} }}`;
const SECRET = 'scheduling.certificate.secretName';

const LINES: Readonly<Record<string, readonly string[]>> = {
  ARGS: [
    ifValue('scheduling.enabled'),
    `- "--extender-listen=0.0.0.0:${SCHEDULING_PORT}"`,
    ifValue(SECRET),
    `- "--extender-cert=${FOLDER}/tls.crt"`,
    `- "--extender-key=${FOLDER}/tls.key"`,
    '# {{- else }}',
    '- "--extender-own-certificate"',
    END,
    ifValue('scheduling.webhook'),
    '- "--webhook-scheduler={{ .Values.scheduling.schedulerName }}"',
    END,
    END,
  ],
  PORTS: [ifValue('scheduling.enabled'), '- name: scheduling', `  containerPort: ${SCHEDULING_PORT}`, END],
  MOUNTS: [ifValue(SECRET), '- name: scheduling', `  mountPath: ${FOLDER}`, '  readOnly: true', END],
  VOLUMES: [ifValue(SECRET), '- name: scheduling', '  secret:', `    secretName: "{{ .Values.${SECRET} }}"`, END],
  INGRESS: [ifValue('scheduling.enabled'), '- protocol: TCP', '  port: scheduling', END],
};

/** The text of a template that is there with a value only. */
export function onlyWith(value: string, text: string): string {
  return `${ifValue(value)}\n${text}${END}\n`;
}

/** Puts the lines in, to be there only where they are asked for. */
export function schedulingLines(manifest: string): string {
  return manifest.replaceAll(/^( *)- (?:name: )?"?@@SCHEDULING_([A-Z]+)"?$/gm, (_, indent: string, place: string) =>
    (LINES[place] ?? []).map((line) => `${indent}${line}`).join('\n'),
  );
}

/** Where scheduler and API server reach the controllers. */
export function schedulingService(): Json {
  return {
    ...{ apiVersion: 'v1', kind: 'Service' },
    metadata: { name: SCHEDULING_SERVICE, namespace: SYSTEM_NAMESPACE, labels: labelsOf('controller') },
    spec: {
      selector: selectorOf('controller'),
      ports: [{ name: 'scheduling', protocol: 'TCP', port: SCHEDULING_PORT, targetPort: 'scheduling' }],
    },
  };
}

/** What to trust is written by the controller, or by whoever makes the certificate; {@link webhookLines} lets people say it too. */
const AUTHORITY = 'authority-is-written-by-the-controller';

/** It must never keep a pod from being made; pods of the system have no claims of ours. */
export function podWebhook(): Json {
  const uses = 'object.spec.volumes.exists(v, has(v.persistentVolumeClaim) || has(v.ephemeral))';
  return {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' },
    metadata: { name: POD_WEBHOOK.configuration, labels: labelsOf('controller') },
    webhooks: [
      {
        ...{ name: POD_WEBHOOK.name, admissionReviewVersions: ['v1'], sideEffects: 'None' },
        ...{ failurePolicy: 'Ignore', timeoutSeconds: 2 },
        clientConfig: {
          service: { name: SCHEDULING_SERVICE, namespace: SYSTEM_NAMESPACE, port: SCHEDULING_PORT, path: '/mutate' },
          caBundle: AUTHORITY,
        },
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'], scope: 'Namespaced' },
        ],
        matchConditions: [{ name: 'has-claims', expression: `has(object.spec.volumes) && ${uses}` }],
      },
    ],
  };
}

/** Without a value there is no such field, so that an upgrade leaves what the controller wrote. */
export function webhookLines(manifest: string): string {
  const bundle = 'scheduling.certificate.caBundle';
  return manifest.replace(
    new RegExp(`^( *)caBundle: ${AUTHORITY}$`, 'm'),
    (_, indent: string) => `${indent}${ifValue(bundle)}\n${indent}caBundle: "{{ .Values.${bundle} }}"\n${indent}${END}`,
  );
}
