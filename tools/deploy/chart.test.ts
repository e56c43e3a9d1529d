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
  return chosenLines(text, (path) => Boolean(valueOf(path)))
    .replaceAll('{{`{{`}}', '{{')
    .replaceAll(/\{\{ eq \.Values\.([\w.]+) `([^`]*)` \}\}/g, (_, path: string, other: string) =>
      String(valueOf(path) === other),
    )
    .replaceAll(
      /\{\{ \.Values\.([\w.]+) \| default (?:`([^`]*)`|\(regexFind .*?\)) \}\}/g,
      (_, path: string, other = 'v1.36.3') => String(valueOf(path) || other),
    )
    .replaceAll(/\{\{ \.Values\.([\w.]+) \}\}/g, (_, path: string) => String(valueOf(path)));
}

/** Lines between `if` and `end`, which may be nested, where the value is set; those after `else` where it is not. */
function chosenLines(text: string, isSet: (path: string) => boolean): string {
  const open: boolean[] = [];
  const kept: string[] = [];
  for (const line of text.split('\n')) {
    const [, word, not, path = ''] = /^ *# \{\{- (if|else|end)( not)?(?: \.Values\.([\w.]+))? \}\}$/.exec(line) ?? [];
    const [, refusal] = /^ *# \{\{- fail "([^"]*)" \}\}$/.exec(line) ?? [];
    if (word === 'if') open.push(isSet(path) !== (not !== undefined));
    else if (word === 'else') open.push(!open.pop());
    else if (word === 'end') open.pop();
    else if (open.every(Boolean) && refusal !== undefined) throw new Error(refusal);
    else if (open.every(Boolean)) kept.push(line);
  }
  expect(open).toEqual([]);
  return kept.join('\n');
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

test('each sidecar is told how often it may ask the API server', () => {
  const { sidecars, ...others } = defaultValues();
  const asked = { ...others, snapshots: { enabled: true }, sidecars: { ...sidecars, kubeApiQps: 7, kubeApiBurst: 8 } };
  const text = JSON.stringify(rendered(asked).get('Deployment/holdfast-controller'));
  expect(text.match(/"--kube-api-qps=7","--kube-api-burst=8"/g)).toHaveLength(4);
});

/** The parts that scheduling has, with these values beside the defaults. */
function scheduling(values: object, scheduler: object = {}) {
  const defaults = defaultValues();
  const objects = rendered({
    ...defaults,
    scheduling: { ...defaults.scheduling, ...values },
    scheduler: { ...defaults.scheduler, ...scheduler },
  });
  const controller = JSON.stringify(objects.get('Deployment/holdfast-controller'));
  const webhook = objects.get('MutatingWebhookConfiguration/holdfast-scheduler');
  return { names: [...objects.keys()], controller, webhook, objects };
}

test('the scheduler is advised where that is asked for, with a certificate that the controllers make', () => {
  const without = scheduling({});
  expect(without.names).not.toContain('Service/holdfast-scheduling');
  expect(without.controller).not.toContain('scheduling');
  const advised = scheduling({ enabled: true });
  expect(advised.names).toContain('Service/holdfast-scheduling');
  expect(advised.controller).toContain('"--extender-listen=0.0.0.0:7444","--extender-own-certificate"]');
  expect(advised.controller).not.toContain('secretName');
  expect(advised.webhook).toBeUndefined();
  expect(advised.names).not.toContain('Deployment/holdfast-scheduler');
});

test('a webhook gives pods the scheduler; who trusts its certificate is left to the controllers, or said', () => {
  const own = scheduling({ enabled: true, webhook: true });
  expect(own.controller).toContain('"--extender-own-certificate","--webhook-scheduler=holdfast"]');
  expect(own.webhook).toMatchObject({ webhooks: [{ failurePolicy: 'Ignore' }] });
  expect(JSON.stringify(own.webhook)).not.toContain('caBundle');
  const certificate = { secretName: 'advice', caBundle: 'QQ==' };
  const given = scheduling({ enabled: true, webhook: true, schedulerName: 'second', certificate });
  expect(given.controller).toContain(
    '"--extender-cert=/scheduling/tls.crt","--extender-key=/scheduling/tls.key","--webhook-scheduler=second"]',
  );
  expect(given.controller).toContain('{"name":"scheduling","secret":{"secretName":"advice"}}');
  expect(given.webhook).toMatchObject({ webhooks: [{ clientConfig: { caBundle: 'QQ==' } }] });
});

test('a scheduler of its own has the name that the webhook gives, trusts the certificate, and is of the version of the cluster', () => {
  const { objects } = scheduling({ enabled: true, webhook: true, schedulerName: 'near' }, { enabled: true });
  const deployment = JSON.stringify(objects.get('Deployment/holdfast-scheduler'));
  expect(deployment).toContain('"image":"registry.k8s.io/kube-scheduler:v1.36.3"');
  expect(deployment).toContain('"secretName":"holdfast-scheduling-tls","items":[{"key":"ca.crt","path":"ca.crt"}]');
  expect(deployment).toContain('"replicas":2');
  const config = objects.get('ConfigMap/holdfast-scheduler') as { readonly data: Readonly<Record<string, string>> };
  expect(JSON.parse(config.data['scheduler.json'] ?? '')).toMatchObject({
    profiles: [{ schedulerName: 'near' }],
    leaderElection: { resourceNamespace: 'holdfast-system', resourceName: 'near' },
    extenders: [
      {
        urlPrefix: 'https://holdfast-scheduling.holdfast-system.svc:7444',
        tlsConfig: { caFile: '/etc/holdfast-trust/ca.crt' },
        ignorable: true,
      },
    ],
  });
  const given = scheduling(
    { enabled: true, certificate: { secretName: 'mine', caBundle: '' } },
    { enabled: true, tag: 'v1.35.1' },
  );
  const text = JSON.stringify(given.objects.get('Deployment/holdfast-scheduler'));
  expect(text).toContain('"secretName":"mine"');
  expect(text).toContain('kube-scheduler:v1.35.1"');
});

test('where metrics are asked for they are served, and reached by whom the values name', () => {
  const metrics = (values: object) => {
    const objects = rendered({ ...defaultValues(), metrics: { ...defaultValues().metrics, ...values } });
    const policy = objects.get('NetworkPolicy/holdfast-controller') as {
      readonly spec: { readonly ingress: readonly object[] };
    };
    return { names: [...objects.keys()], ingress: policy.spec.ingress, text: JSON.stringify([...objects.values()]) };
  };
  const own = ['Service/holdfast-controller', 'Service/holdfast-node'];
  const monitors = ['ServiceMonitor/holdfast-controller', 'ServiceMonitor/holdfast-node'];
  const on = { enabled: true };
  const none = metrics({});
  expect(none.names.filter((name) => [...own, ...monitors, 'PrometheusRule/holdfast'].includes(name))).toEqual([]);
  expect(none.text).not.toContain('metrics-listen');
  const served = metrics(on);
  expect(served.names).toEqual(expect.arrayContaining(own));
  expect(served.names).not.toContain(monitors[0]);
  expect(served.text.match(/"--metrics-listen=[^"]*"/g)).toEqual([
    '"--metrics-listen=0.0.0.0:8081"',
    '"--metrics-listen=$(HOST_IP):7451"',
  ]);
  expect(served.ingress[1]).toEqual({ ports: [{ protocol: 'TCP', port: 'metrics' }] });
  const all = metrics({
    ...on,
    namespace: 'monitoring',
    serviceMonitor: { ...on, interval: '1m' },
    prometheusRule: on,
  });
  expect(all.names).toEqual(expect.arrayContaining([...own, ...monitors, 'PrometheusRule/holdfast']));
  expect(JSON.stringify(all.ingress)).toContain('{"kubernetes.io/metadata.name":"monitoring"}');
  expect(all.ingress).toHaveLength(2);
  expect(all.text).toContain('Node {{ $labels.node }} of Holdfast');
});

test.each([
  [{ metrics: { serviceMonitor: { enabled: true } } }, 'metrics.serviceMonitor.enabled needs metrics.enabled=true: '],
  [{ metrics: { prometheusRule: { enabled: true } } }, 'metrics.prometheusRule.enabled needs metrics.enabled=true: '],
  [{ scheduling: { webhook: true } }, 'scheduling.webhook needs scheduling.enabled=true: '],
  [{ scheduler: { enabled: true } }, 'scheduler.enabled needs scheduling.enabled=true: '],
])('%j alone, which would do nothing, is refused', (asked, sentence) => {
  const values = Object.entries(defaultValues()).map(([name, value]) => [
    name,
    { ...value, ...(asked as Readonly<Record<string, object>>)[name] },
  ]);
  expect(() => rendered(Object.fromEntries(values) as object)).toThrow(sentence);
});

test('values.yaml says each value that the schema knows', () => {
  const schema = JSON.parse(chartFiles().find(({ path }) => path === 'values.schema.json')?.text ?? '') as {
    readonly properties: object;
  };
  const values = parse(chartFiles().find(({ path }) => path === 'values.yaml')?.text ?? '') as object;
  expect(values).toEqual(defaultValues());
  expect(Object.keys(schema.properties)).toEqual([...Object.keys(values), 'global']);
});
