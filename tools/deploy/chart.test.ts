import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../project.ts';
import { chartFiles } from './chart.ts';
import { defaultValues } from './values.ts';

/** What helm makes of the few actions that the templates have; test/k8s/install.test.ts asks helm itself. */
function render(text: string, values: object): string {
  const valueOf = (path: string): unknown =>
    path.split('.').reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>>)[key], values);
  const blocks = /^ *# \{\{- if \.Values\.([\w.]+) \}\}\n(.*?)^ *# \{\{- end \}\}\n/gms;
  const chosen = (source: string): string =>
    source.replaceAll(blocks, (_, path: string, body: string) => (valueOf(path) ? body : ''));
  return chosen(text)
    .replaceAll(/\{\{ eq \.Values\.([\w.]+) `([^`]*)` \}\}/g, (_, path: string, other: string) =>
      String(valueOf(path) === other),
    )
    .replaceAll(/\{\{ \.Values\.([\w.]+) \}\}/g, (_, path: string) => String(valueOf(path)));
}

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

/** By kind and name, without what only helm reads. */
function objectsOf(text: string): ReadonlyMap<string, unknown> {
  const objects = parseAllDocuments(text).flatMap((document) => (document.toJS() as Named | null) ?? []);
  const bare = ({ metadata: { annotations = {}, ...metadata }, ...rest }: Named) => {
    const { 'helm.sh/resource-policy': _policy, ...others } = annotations;
    return { ...rest, metadata: { ...metadata, ...(Object.keys(others).length === 0 ? {} : { annotations: others }) } };
  };
  return new Map(objects.map((object) => [`${object.kind}/${object.metadata.name}`, bare(object)]));
}

function rendered(values: object): ReadonlyMap<string, unknown> {
  const templates = chartFiles().filter(({ path }) => path.endsWith('.yaml') && path.startsWith('templates/'));
  return new Map(templates.flatMap(({ text }) => [...objectsOf(render(text, values))]));
}

test('with its defaults the chart is the manifest', () => {
  const manifest = objectsOf(readFileSync(join(ROOT, 'deploy/holdfast.yaml'), 'utf8'));
  expect(Object.fromEntries(rendered(defaultValues()))).toEqual(Object.fromEntries(manifest));
});

test('what a value asks for is there', () => {
  const text = JSON.stringify([...rendered({ ...defaultValues(), defaultClass: 'holdfast' })]);
  expect(text.match(/"storageclass.kubernetes.io\/is-default-class":"true"/g)).toHaveLength(1);
  const reached = JSON.stringify([...rendered({ ...defaultValues(), apiServer: { host: '10.0.0.1', port: '6443' } })]);
  // Of the controller, three sidecars and the agent.
  expect(reached.match(/"KUBERNETES_SERVICE_HOST","value":"10.0.0.1"/g)).toHaveLength(5);
});

test('the scheduler is advised where a certificate is named, and a webhook gives pods the second one where that is', () => {
  const scheduling = (values: object) => {
    const objects = rendered({ ...defaultValues(), scheduling: { ...defaultValues().scheduling, ...values } });
    const text = JSON.stringify(objects.get('Deployment/holdfast-controller'));
    return {
      names: [...objects.keys()],
      text,
      webhook: objects.get('MutatingWebhookConfiguration/holdfast-scheduler'),
    };
  };
  const without = scheduling({});
  expect(without.names).not.toContain('Service/holdfast-scheduling');
  expect(without.text).not.toContain('scheduling');
  const advised = scheduling({ secret: 'advice' });
  expect(advised.names).toContain('Service/holdfast-scheduling');
  expect(advised.text).toContain('"--extender-cert=/scheduling/tls.crt","--extender-key=/scheduling/tls.key"]');
  expect(advised.text).toContain('{"name":"scheduling","secret":{"secretName":"advice"}}');
  expect(advised.webhook).toBeUndefined();
  const both = scheduling({ secret: 'advice', secondScheduler: 'second', caBundle: 'QQ==' });
  expect(both.text).toContain('"--webhook-scheduler=second"');
  expect(both.webhook).toMatchObject({ webhooks: [{ failurePolicy: 'Ignore', clientConfig: { caBundle: 'QQ==' } }] });
});

test('values.yaml says each value that the schema knows', () => {
  const schema = JSON.parse(chartFiles().find(({ path }) => path === 'values.schema.json')?.text ?? '') as {
    readonly properties: object;
  };
  const values = parse(chartFiles().find(({ path }) => path === 'values.yaml')?.text ?? '') as object;
  expect(values).toEqual(defaultValues());
  expect(Object.keys(schema.properties)).toEqual([...Object.keys(values), 'global']);
});
