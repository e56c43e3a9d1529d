/** Holdfast installed by its chart on a real Kubernetes with two nodes: used, its leader killed, upgraded under a pod that writes. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { NODES } from '../../src/shells/kube-api/authorize.ts';
import { NODE_ACCOUNT } from '../../tools/deploy/accounts.ts';
import { alertGroups } from '../../tools/deploy/alerts.ts';
import { POOL_FOLDER } from '../../tools/deploy/node-workloads.ts';
import { imageName } from '../../tools/images/images.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { installSnapshotKinds, startSnapshotController } from './holdfast.ts';
import { helmTemplate, helmUninstall, helmUpgrade, prepareNodes, storeOnNodes } from './install.ts';
import {
  ended,
  expectNoWriteLost,
  imagesOf,
  inSystem,
  nodesReady,
  PATIENCE_MS,
  podsOf,
  rolledOut,
  startBusy,
} from './installed.ts';
import { refusalOf } from './kubectl.ts';
import { nameImage } from './kubelet.ts';
import { claim, PAIR, pod, snapshot, storageClass } from './manifests.ts';

const NEXT = 'next';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ name: 'k8sinstall', nodes: 2, hasEngine: false });
  await prepareNodes(cluster);
  await installSnapshotKinds(cluster);
  await startSnapshotController(cluster);
  await helmUpgrade(cluster);
});
afterAll(() => cluster?.remove());

test('helm makes the manifest of the chart', async () => {
  const manifest = await readFile(join(import.meta.dirname, '../../deploy/holdfast.yaml'), 'utf8');
  expect(byName(await helmTemplate(cluster))).toEqual(byName(manifest));
});

test('helm makes what the Prometheus operator reads, and leaves the braces of alerts alone', async () => {
  const wanted = ['enabled', 'serviceMonitor.enabled', 'prometheusRule.enabled'].map((name) => `metrics.${name}=true`);
  const chosen = ['metrics.namespace=monitoring', 'metrics.labels.release=prometheus'];
  const objects = byName(await helmTemplate(cluster, ...wanted, ...chosen));
  const metadata = { labels: expect.objectContaining({ release: 'prometheus' }) as object };
  expect(objects['PrometheusRule/holdfast']).toMatchObject({ metadata, spec: { groups: alertGroups() } });
  expect(objects['ServiceMonitor/holdfast-controller']).toMatchObject({ metadata });
  expect(objects['ServiceMonitor/holdfast-node']).toMatchObject({ metadata });
  expect(JSON.stringify(objects['NetworkPolicy/holdfast-controller'])).toContain('"monitoring"');
});

test('helm says why it refuses what would do nothing by itself', async () => {
  const refusal = await refusalOf(helmTemplate(cluster, 'metrics.serviceMonitor.enabled=true'));
  expect(refusal).toContain('metrics.serviceMonitor.enabled needs metrics.enabled=true: without it nothing is served');
});

test('all of it becomes ready, and a claim is written by one node and read by the other', async () => {
  const { kubectl } = cluster;
  await rolledOut(cluster, 'deployment/holdfast-controller', 'daemonset/holdfast-node');
  await storeOnNodes(cluster);
  await nodesReady(cluster);
  await kubectl.apply(
    storageClass({ name: 'both', parameters: PAIR }),
    claim({ name: 'team', storageClass: 'both', size: '128Mi', accessMode: 'ReadWriteMany' }),
    claim({ name: 'notes', storageClass: 'holdfast-local', size: '128Mi' }),
    pod({ name: 'writer', claim: 'team', node: 'kube1', script: 'echo hello > /data/greeting; sync' }),
  );
  await ended(cluster, 'writer');
  await kubectl.apply(pod({ name: 'reader', claim: 'team', node: 'kube2', script: 'cat /data/greeting' }));
  expect(await ended(cluster, 'reader')).toBe('hello\n');
  await kubectl.apply(snapshot({ name: 'moment', claim: 'team' }));
  await kubectl.until('volumesnapshot/moment', 'jsonpath={.status.readyToUse}=true', PATIENCE_MS);
  await kubectl.run('delete', 'volumesnapshot/moment', '--wait');
});

test('metrics are found by their Services, and one controller of the two tells of the cluster', async () => {
  const { lab } = cluster;
  const told = async (service: string): Promise<readonly string[]> => {
    const label = `kubernetes.io/service-name=${service}`;
    const { items } = JSON.parse(await inSystem(cluster, 'get', 'endpointslices', '-l', label, '-o', 'json')) as {
      readonly items: readonly {
        readonly ports: readonly [{ readonly port: number }];
        readonly endpoints: readonly { readonly addresses: readonly [string]; readonly nodeName: string }[];
      }[];
    };
    const places = items.flatMap(({ endpoints, ports: [{ port }] }) =>
      endpoints.map(({ addresses: [address], nodeName }) => ({ url: `http://${address}:${port}/metrics`, nodeName })),
    );
    return Promise.all(
      places.map(async ({ url, nodeName }) => {
        const get = { file: 'busybox', args: ['wget', '-q', '-O', '-', url], timeoutMs: PATIENCE_MS };
        return (await lab.host(nodeName).run(get)).stdout;
      }),
    );
  };
  const leaders = async () =>
    (await told('holdfast-controller'))
      .map((text) => /^holdfast_leader (\d)$/m.exec(text)?.[1] ?? '')
      .toSorted((a, b) => a.localeCompare(b));
  await expect.poll(leaders, { timeout: PATIENCE_MS }).toEqual(['0', '1']);
  const controllers = await told('holdfast-controller');
  for (const host of lab.hostNames) {
    expect(controllers.filter((text) => text.includes(`\nholdfast_node_ready{node="${host}"} 1\n`))).toHaveLength(1);
  }
  expect(controllers.join('')).toMatch(/^holdfast_csi_call_duration_seconds_count\{method="CreateVolume",code="OK"\}/m);
  const agents = await told('holdfast-node');
  expect(agents).toHaveLength(lab.hostNames.length);
  for (const text of agents) {
    expect(text).toContain('role="agent"} 1');
    expect(text).toMatch(/^holdfast_engine_steps_total\{engine="gluster",step="mountVolume",result="ok"\}/m);
  }
});

test('an agent writes what is of its own node, and nothing of another', async () => {
  const { composed, pki, folder, kubeconfig } = cluster;
  const selector = ['-l', 'app.kubernetes.io/component=node', '--field-selector', 'spec.nodeName=kube1'];
  const agent = (
    await inSystem(cluster, 'get', 'pods', ...selector, '-o', 'jsonpath={.items[0].metadata.name}')
  ).trim();
  const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', agent];
  const token = (await inSystem(cluster, 'create', 'token', NODE_ACCOUNT, ...bound)).trim();
  const config = parse(await readFile(kubeconfig, 'utf8')) as { readonly users: readonly [{ readonly name: string }] };
  const byToken = join(folder, 'agent-token.kubeconfig');
  const users = [{ name: config.users[0].name, user: { token } }];
  await writeFile(byToken, JSON.stringify({ ...config, users }), { mode: 0o600 });
  // As an agent in a pod, and as one on a machine outside of the cluster.
  for (const path of [byToken, await pki.kubeconfig('holdfast:node:kube1', NODES)]) {
    const client = await composed.connect(path);
    const say = (node: string) =>
      client.patch('StorageNode', node, { status: { agentVersion: '0' } }, { subresource: 'status' });
    await say('kube1');
    await expect(say('kube2')).rejects.toThrow('an agent reports on its own node only');
  }
});

test('when the pod that leads is killed the other takes over', async () => {
  const { kubectl } = cluster;
  const holder = () => kubectl.read('lease/holdfast-controller', '{.spec.holderIdentity}', SYSTEM_NAMESPACE);
  const first = await holder();
  // The name of its pod, and a UUID.
  const killed = first.slice(0, -37);
  await inSystem(cluster, 'delete', `pod/${killed}`, '--grace-period=0', '--force');
  await expect.poll(holder, { timeout: PATIENCE_MS }).not.toBe(first);
  await rolledOut(cluster, 'deployment/holdfast-controller');
});

/** Of a node, while its pod runs. */
const engineOf = async (node: string): Promise<string> => {
  const selector = ['-l', 'app.kubernetes.io/component=engine', '--field-selector', `spec.nodeName=${node}`];
  return (await inSystem(cluster, 'get', 'pods', ...selector, '-o', 'jsonpath={.items[0].metadata.name}')).trim();
};
const linesOf = (text: string): readonly number[] => text.trim().split('\n').map(Number);

test('the engine of a node is replaced under a writer on another: no line that was acknowledged is missing on either copy', async () => {
  const { kubectl, client } = cluster;
  // A line is acknowledged by being printed, once it is synced.
  const append = 'echo $n | dd of=/data/lines oflag=append conv=notrunc,fsync 2>/dev/null';
  const script = `n=0; until [ -e /data/enough ]; do n=$((n+1)); ${append}; echo $n; done`;
  await kubectl.apply(pod({ name: 'ledger', claim: 'team', node: 'kube1', script }));
  await kubectl.until('pod/ledger', 'jsonpath={.status.phase}=Running', PATIENCE_MS);
  const acknowledged = async () => linesOf(await kubectl.run('logs', 'ledger')).length;
  const stays = await engineOf('kube1');
  const old = await engineOf('kube2');
  await inSystem(cluster, 'delete', `pod/${old}`, '--wait');
  const atLoss = await acknowledged();
  await expect.poll(acknowledged, { timeout: PATIENCE_MS }).toBeGreaterThan(atLoss);
  await expect.poll(() => engineOf('kube2'), { timeout: PATIENCE_MS }).not.toMatch(new RegExp(`^(${old})?$`));
  const fresh = await engineOf('kube2');
  await inSystem(cluster, 'wait', `pod/${fresh}`, '--for=condition=Ready', `--timeout=${PATIENCE_MS / 1000}s`);
  // The agent ended with the engine that it had joined, and joins this one: pods can use volumes on its node again.
  await rolledOut(cluster, 'daemonset/holdfast-node');
  await kubectl.apply(pod({ name: 'enough', claim: 'team', node: 'kube2', script: 'touch /data/enough' }));
  await ended(cluster, 'enough');
  const written = linesOf(await ended(cluster, 'ledger'));
  expect(written).toEqual(written.map((_, at) => at + 1));
  const volume = await kubectl.read('pvc/team', '{.spec.volumeName}');
  const copies = (await client.list('VolumeCopy')).items.filter(({ spec }) => spec.volume === volume);
  expect(copies.map(({ spec }) => spec.node).toSorted()).toEqual(cluster.lab.hostNames);
  for (const { spec, status } of copies) {
    // What is below the engine: nobody else's copy answers for it.
    const read = async () => inSystem(cluster, 'exec', await engineOf(spec.node), '--', 'cat', `${status?.path}/lines`);
    await expect.poll(async () => linesOf(await read()), { timeout: PATIENCE_MS }).toEqual(written);
  }
  await kubectl.until(`volume/${volume}`, 'condition=Redundant', PATIENCE_MS);
  expect(await engineOf('kube1')).toBe(stays);
  await kubectl.run('delete', 'pod/ledger', 'pod/enough', '--wait');
});

test('encrypted claims with agents in pods: read on any node, and in the images of no node', async () => {
  const { kubectl, lab } = cluster;
  const sentence = 'what nobody but the pods of this claim shall read';
  await kubectl.apply(
    storageClass({ name: 'sealed-pair', parameters: { ...PAIR, encryption: 'true' } }),
    storageClass({ name: 'sealed', parameters: { engine: 'local', encryption: 'true' } }),
    claim({ name: 'letters', storageClass: 'sealed-pair', size: '128Mi', accessMode: 'ReadWriteMany' }),
    claim({ name: 'diary', storageClass: 'sealed', size: '128Mi' }),
  );
  const claims = ['letters', 'diary', 'team'];
  const script = `n=0; while [ $n -lt 100 ]; do n=$((n+1)); echo "${sentence} $n"; done > /data/text; sync`;
  await kubectl.apply(...claims.map((name) => pod({ name: `writes-${name}`, claim: name, script, node: 'kube1' })));
  for (const name of claims) await ended(cluster, `writes-${name}`);
  const reading = { script: 'cat /data/text' };
  await kubectl.run('delete', ...claims.map((name) => `pod/writes-${name}`), '--wait');
  await kubectl.apply(
    pod({ name: 'reads-letters', claim: 'letters', node: 'kube2', ...reading }),
    pod({ name: 'reads-diary', claim: 'diary', ...reading }),
  );
  for (const name of ['letters', 'diary']) expect(await ended(cluster, `reads-${name}`)).toContain(`${sentence} 100\n`);
  const holds: string[] = [];
  for (const host of lab.hostNames) {
    const files = ['find', `${POOL_FOLDER}/pool`, '-xdev', '-name', 'brick.img'];
    const search = [...files, '-exec', 'grep', '-lF', '-e', sentence, '{}', ';'];
    holds.push(...(await inSystem(cluster, 'exec', await engineOf(host), '--', ...search)).trim().split('\n'));
  }
  // Of the claim that is not encrypted, on both nodes: so the others were looked at as well.
  const copies = (await cluster.client.list('VolumeCopy')).items;
  const plain = await kubectl.read('pvc/team', '{.spec.volumeName}');
  const bare = copies.filter(({ spec }) => spec.volume === plain).map(({ metadata }) => metadata.uid);
  expect(holds).toHaveLength(bare.length);
  for (const uid of bare) expect(holds.some((path) => path.includes(uid))).toBe(true);
  await kubectl.run('delete', 'pod/reads-letters', 'pod/reads-diary', 'pvc/letters', 'pvc/diary', '--wait');
});

test('an upgrade replaces controllers and agents, and no write of a pod in between fails', async () => {
  const { kubectl, lab } = cluster;
  await startBusy(cluster, 'team', 'notes');
  const engines = await podsOf(cluster, 'engine');
  const agents = await podsOf(cluster, 'node');
  for (const role of ['controller', 'node'] as const) {
    for (const host of lab.hostNames) await nameImage(lab.host(host), imageName(role), imageName(role, NEXT));
  }
  await helmUpgrade(cluster, `image.tag=${NEXT}`);
  await rolledOut(cluster, 'deployment/holdfast-controller', 'daemonset/holdfast-node');
  expect(await imagesOf(cluster, 'node')).toEqual(lab.hostNames.map(() => imageName('node', NEXT)));
  expect(await podsOf(cluster, 'node')).not.toBe(agents);
  // The mounts live in these.
  expect(await podsOf(cluster, 'engine')).toBe(engines);
  await expectNoWriteLost(cluster, 'team');
  // What the old agent has mounted the new one lets go.
  await kubectl.run('delete', 'pod/busy', 'pod/stopper', 'pod/writer', 'pod/reader', '--wait');
  await kubectl.run('delete', 'pvc/team', 'pvc/notes', '--wait');
  await expect.poll(() => kubectl.run('get', 'pv', '-o', 'name'), { timeout: PATIENCE_MS }).toBe('');
});

test('uninstalled, it leaves the definitions, and the namespace with the keys of volumes', async () => {
  const { kubectl } = cluster;
  const kinds = ['get', 'customresourcedefinitions', '-o', 'name'];
  const definitions = await kubectl.run(...kinds);
  await helmUninstall(cluster);
  expect(await kubectl.run(...kinds)).toBe(definitions);
  expect(await kubectl.read(`namespace/${SYSTEM_NAMESPACE}`, '{.status.phase}')).toBe('Active');
  expect(await inSystem(cluster, 'get', 'deployments,daemonsets', '-o', 'name')).toBe('');
});

/** Objects by kind and name, without what only helm reads. */
function byName(text: string): Readonly<Record<string, object>> {
  interface Read {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  }
  const objects = parseAllDocuments(text).flatMap((document) => (document.toJS() as Read | null) ?? []);
  return Object.fromEntries(
    objects.map(({ metadata: { annotations, ...metadata }, ...rest }) => {
      const { 'helm.sh/resource-policy': _policy, ...others } = annotations ?? {};
      return [`${rest.kind}/${metadata.name}`, { ...rest, metadata, annotations: others }];
    }),
  );
}
