/** Pods near their data where only the chart was installed: its webhook, its scheduler, and its controllers with a certificate of their own. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { programs } from '../../tools/k8s/programs.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { installSnapshotKinds } from './holdfast.ts';
import { giveSchedulerImage, helmUpgrade, prepareNodes, routePods, storeOnNodes } from './install.ts';
import { makeClaims, placesOf, placesWhenFull, schedulerFor, WITH_COPY, WITHOUT_COPY } from './near-data.ts';

const PATIENCE_MS = 240_000;
const SCHEDULER = 'holdfast';
const SERVICE = 'holdfast-scheduling';

let cluster: Cluster;
const inSystem = (...args: readonly string[]) => cluster.kubectl.run('-n', SYSTEM_NAMESPACE, ...args);
const rolledOut = (what: string) => inSystem('rollout', 'status', what, `--timeout=${PATIENCE_MS / 1000}s`);

beforeAll(async () => {
  cluster = await startCluster({ name: 'k8schartnear', nodes: 3, hasEngine: false });
  const { kubectl, lab } = cluster;
  await routePods(cluster);
  await prepareNodes(cluster);
  const version = programs().find(({ name }) => name === 'kube-scheduler')?.version ?? '';
  await giveSchedulerImage(cluster, `registry.k8s.io/kube-scheduler:${version}`);
  await installSnapshotKinds(cluster);
  await helmUpgrade(cluster, 'scheduling.enabled=true', 'scheduling.webhook=true', 'scheduler.enabled=true');
  await rolledOut('deployment/holdfast-controller');
  await vi.waitUntil(async () => (await served()).length === 2, { timeout: PATIENCE_MS, interval: 500 });
  await nameControllers();
  await kubectl.run('label', 'node', WITHOUT_COPY, 'holdfast.dev/compute-only=true');
  await storeOnNodes(cluster);
  for (const host of lab.hostNames) await kubectl.until(`storagenode/${host}`, 'condition=Ready', PATIENCE_MS);
  await makeClaims(cluster, PATIENCE_MS);
});
afterAll(() => cluster?.remove());

/** Addresses of the controllers that a Service leads to now. */
async function served(): Promise<readonly string[]> {
  const path = '{.items[*].endpoints[?(@.conditions.ready==true)].addresses[*]}';
  const slices = ['endpointslices', '-l', `kubernetes.io/service-name=${SERVICE}`];
  const text = await inSystem('get', ...slices, '-o', `jsonpath=${path}`);
  return text.split(' ').filter((ip) => ip !== '');
}

/** Nothing here leads connections from a Service to pods: the scheduler's are told the addresses that it has. */
async function nameControllers(): Promise<void> {
  const hostAliases = (await served()).map((ip) => ({ ip, hostnames: [`${SERVICE}.${SYSTEM_NAMESPACE}.svc`] }));
  const patch = JSON.stringify({ spec: { template: { spec: { hostAliases } } } });
  await inSystem('patch', 'deployment/holdfast-scheduler', '-p', patch);
  await rolledOut('deployment/holdfast-scheduler');
}

const near = WITH_COPY.map((node) => ({ scheduler: SCHEDULER, node }));

test('the webhook trusts the controllers, and gives pods the scheduler, which keeps them near their data', async () => {
  const trusted = await cluster.kubectl.read(
    'mutatingwebhookconfiguration/holdfast-scheduler',
    '{.webhooks[0].clientConfig.caBundle}',
  );
  const secret = await cluster.kubectl.read('secret/holdfast-scheduling-tls', '{.data.ca\\.crt}', SYSTEM_NAMESPACE);
  expect(trusted).toBe(secret);
  expect(trusted).not.toBe('');
  await expect.poll(() => schedulerFor(cluster, 'shared'), { timeout: PATIENCE_MS }).toBe(SCHEDULER);
  const pods = ['a', 'b', 'c', 'd'].map((name) => ({ name, claim: 'shared' }));
  for (const place of await placesOf(cluster, PATIENCE_MS, ...pods)) expect(near).toContainEqual(place);
});

test('with one controller killed they still are, by the other, as soon as the Service leads to that alone', async () => {
  const lines = await inSystem('get', 'pods', '-l', 'app.kubernetes.io/component=controller', '-o', 'name');
  const [killed = ''] = lines.trim().split('\n');
  const address = await cluster.kubectl.read(killed, '{.status.podIP}', SYSTEM_NAMESPACE);
  await inSystem('delete', killed, '--grace-period=0', '--force', '--wait=false');
  // Until then a question that goes to the one that is gone has no answer, and the scheduler goes on without.
  await expect.poll(served, { timeout: PATIENCE_MS }).not.toContain(address);
  await nameControllers();
  // Pods get it only while it leads, which another one has to begin with now.
  await expect.poll(() => schedulerFor(cluster, 'tied'), { timeout: PATIENCE_MS }).toBe(SCHEDULER);
  const pods = ['e', 'f', 'g', 'h'].map((name) => ({ name, claim: 'tied' }));
  for (const { node } of await placesOf(cluster, PATIENCE_MS, ...pods)) expect(WITH_COPY).toContain(node);
  await rolledOut('deployment/holdfast-controller');
});

test('where those nodes take no pods, one that prefers goes elsewhere, and a strict one waits and says what for', async () => {
  const { mild, strict } = await placesWhenFull(cluster, PATIENCE_MS);
  expect(mild).toEqual({ scheduler: SCHEDULER, node: WITHOUT_COPY });
  expect(near).toContainEqual(strict);
});
