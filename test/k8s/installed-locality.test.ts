/** Pods near their data where only the chart was installed: its webhook, its scheduler, and its controllers with a certificate of their own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { programs } from '../../tools/k8s/programs.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { installSnapshotKinds } from './holdfast.ts';
import { giveSchedulerImage, helmUpgrade, prepareNodes, routePods, storeOnNodes } from './install.ts';
import { makeClaims, placesOf, placesWhenFull, schedulerFor, WITH_COPY, WITHOUT_COPY } from './near-data.ts';

const PATIENCE_MS = 240_000;
const SCHEDULER = 'holdfast';
const NAME = 'holdfast-scheduling.holdfast-system.svc';

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
  await nameControllers();
  await rolledOut('deployment/holdfast-scheduler');
  await kubectl.run('label', 'node', WITHOUT_COPY, 'holdfast.dev/compute-only=true');
  await storeOnNodes(cluster);
  for (const host of lab.hostNames) await kubectl.until(`storagenode/${host}`, 'condition=Ready', PATIENCE_MS);
  await makeClaims(cluster, PATIENCE_MS);
});
afterAll(() => cluster?.remove());

/** There is no DNS of the cluster here: the scheduler's pods are told the addresses behind the Service's name. */
async function nameControllers(): Promise<void> {
  const text = await inSystem(
    ...['get', 'pods', '-l', 'app.kubernetes.io/component=controller', '-o', 'jsonpath={.items[*].status.podIP}'],
  );
  const hostAliases = text
    .trim()
    .split(' ')
    .map((ip) => ({ ip, hostnames: [NAME] }));
  const patch = JSON.stringify({ spec: { template: { spec: { hostAliases } } } });
  await inSystem('patch', 'deployment/holdfast-scheduler', '-p', patch);
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

test('with one controller killed they still are, while it comes back', async () => {
  const lines = await inSystem('get', 'pods', '-l', 'app.kubernetes.io/component=controller', '-o', 'name');
  const [killed = ''] = lines.trim().split('\n');
  await inSystem('delete', killed, '--grace-period=0', '--force', '--wait=false');
  const pods = ['e', 'f', 'g', 'h'].map((name) => ({ name, claim: 'tied' }));
  for (const { node } of await placesOf(cluster, PATIENCE_MS, ...pods)) expect(WITH_COPY).toContain(node);
  await rolledOut('deployment/holdfast-controller');
});

test('where those nodes take no pods, one that prefers goes elsewhere, and a strict one waits and says what for', async () => {
  const { mild, strict } = await placesWhenFull(cluster, PATIENCE_MS);
  expect(mild).toEqual({ scheduler: SCHEDULER, node: WITHOUT_COPY });
  expect(near).toContainEqual(strict);
});
