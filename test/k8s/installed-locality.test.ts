/** Pods near their data where only the chart was installed: its webhook, its scheduler, and its controllers with a certificate of their own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { programs } from '../../tools/k8s/programs.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { installSnapshotKinds } from './holdfast.ts';
import { giveSchedulerImage, helmUpgrade, prepareNodes, routePods, storeOnNodes } from './install.ts';
import { claim, type PodWish, pod, storageClass } from './manifests.ts';

const PATIENCE_MS = 240_000;
const WITH_COPY = ['kube1', 'kube2'];
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
  await kubectl.run('label', 'node', 'kube3', 'holdfast.dev/compute-only=true');
  await storeOnNodes(cluster);
  for (const host of lab.hostNames) await kubectl.until(`storagenode/${host}`, 'condition=Ready', PATIENCE_MS);
  await kubectl.until('storagenode/kube3', 'jsonpath={.status.isComputeOnly}=true', PATIENCE_MS);
  const parameters = { engine: 'gluster', replicas: '2', allowSplitBrain: 'true' };
  await kubectl.apply(
    storageClass({ name: 'near', parameters }),
    storageClass({ name: 'at', parameters: { ...parameters, locality: 'strict' } }),
    claim({ name: 'shared', storageClass: 'near', size: '128Mi', accessMode: 'ReadWriteMany' }),
    claim({ name: 'tied', storageClass: 'at', size: '128Mi', accessMode: 'ReadWriteMany' }),
  );
  for (const name of ['shared', 'tied']) {
    await kubectl.until(`pvc/${name}`, 'jsonpath={.status.phase}=Bound', PATIENCE_MS);
  }
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

/** Runs pods to their ends side by side, and says which scheduler put each where. */
async function placesOf(...wishes: readonly Omit<PodWish, 'script'>[]): Promise<readonly string[]> {
  const { kubectl } = cluster;
  await kubectl.apply(...wishes.map((wish) => pod({ ...wish, script: 'ls /data' })));
  return Promise.all(
    wishes.map(async ({ name }) => {
      await kubectl.until(`pod/${name}`, 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
      const place = await kubectl.read(`pod/${name}`, '{.spec.schedulerName} {.spec.nodeName}');
      await kubectl.run('delete', `pod/${name}`, '--wait');
      return place;
    }),
  );
}
const near = WITH_COPY.map((node) => `${SCHEDULER} ${node}`);

test('the webhook trusts the controllers, and gives pods the scheduler, which keeps them near their data', async () => {
  const trusted = await cluster.kubectl.read(
    'mutatingwebhookconfiguration/holdfast-scheduler',
    '{.webhooks[0].clientConfig.caBundle}',
  );
  const secret = await cluster.kubectl.read('secret/holdfast-scheduling-tls', '{.data.ca\\.crt}', SYSTEM_NAMESPACE);
  expect(trusted).toBe(secret);
  expect(trusted).not.toBe('');
  const dry = async () => {
    const made = await cluster.kubectl.dryRun(pod({ name: 'nobody', claim: 'shared', script: 'true' }));
    return (JSON.parse(made) as { readonly spec: { readonly schedulerName: string } }).spec.schedulerName;
  };
  await expect.poll(dry, { timeout: PATIENCE_MS }).toBe(SCHEDULER);
  for (const place of await placesOf(...['a', 'b', 'c', 'd'].map((name) => ({ name, claim: 'shared' })))) {
    expect(near).toContain(place);
  }
});

test('with one controller killed they still are, while it comes back', async () => {
  const lines = await inSystem('get', 'pods', '-l', 'app.kubernetes.io/component=controller', '-o', 'name');
  const [killed = ''] = lines.trim().split('\n');
  await inSystem('delete', killed, '--grace-period=0', '--force', '--wait=false');
  const places = await placesOf(...['e', 'f', 'g', 'h'].map((name) => ({ name, claim: 'tied' })));
  for (const place of places) expect(WITH_COPY).toContain(place.split(' ')[1]);
  await rolledOut('deployment/holdfast-controller');
});

test('where those nodes take no pods, one that prefers goes elsewhere, and a strict one waits and says what for', async () => {
  const { kubectl } = cluster;
  await kubectl.run('cordon', ...WITH_COPY);
  expect(await placesOf({ name: 'mild', claim: 'shared' })).toEqual([`${SCHEDULER} kube3`]);
  await kubectl.apply(pod({ name: 'waits', claim: 'tied', script: 'ls /data' }));
  const volume = await kubectl.read('pvc/tied', '{.spec.volumeName}');
  const events = () =>
    kubectl.run(
      ...['get', 'events', '--field-selector', 'involvedObject.name=waits,reason=FailedScheduling'],
      ...['-o', 'jsonpath={.items[*].message}'],
    );
  await expect
    .poll(events, { timeout: PATIENCE_MS })
    .toContain(`1 no copy of volume ${volume} that serves (locality strict)`);
  await kubectl.run('uncordon', ...WITH_COPY);
  await kubectl.until('pod/waits', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  expect(near).toContain(await kubectl.read('pod/waits', '{.spec.schedulerName} {.spec.nodeName}'));
});
