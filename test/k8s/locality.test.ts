/** Pods near their data on a real Kubernetes: kube-scheduler asks the controller, which knows the copies; one of three nodes is for pods only. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { type Cluster, extenderAddress, startCluster } from './cluster.ts';
import { SECOND_SCHEDULER, startSecondScheduler } from './control-plane.ts';
import { runHoldfast } from './holdfast.ts';
import { claim, type PodWish, pod, storageClass } from './manifests.ts';

const PATIENCE_MS = 120_000;
const WITH_COPY = ['kube1', 'kube2'];

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ name: 'k8snear', nodes: 3, hasExtender: true });
  const { kubectl, lab, pki } = cluster;
  const [certificate, key] = pki.server;
  const secure = ['--extender-cert', certificate, '--extender-key', key];
  await runHoldfast(cluster, [
    ...['--extender-listen', extenderAddress(lab), ...secure, '--webhook-scheduler', SECOND_SCHEDULER],
  ]);
  await kubectl.run('label', 'node', 'kube3', 'storageos.com/computeonly=true');
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

/** Runs pods to their ends side by side, and says where each was. */
async function nodesOf(...wishes: readonly Omit<PodWish, 'script'>[]): Promise<readonly string[]> {
  const { kubectl } = cluster;
  await kubectl.apply(...wishes.map((wish) => pod({ ...wish, script: 'ls /data' })));
  return Promise.all(
    wishes.map(async ({ name }) => {
      await kubectl.until(`pod/${name}`, 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
      const node = await kubectl.read(`pod/${name}`, '{.spec.nodeName}');
      await kubectl.run('delete', `pod/${name}`, '--wait');
      return node;
    }),
  );
}

test('a node for pods only gets no copies, even where a volume then has no place', async () => {
  const { kubectl, client } = cluster;
  const volumes = await client.list('Volume');
  for (const { status } of volumes.items) {
    expect(status?.placement?.map(({ node }) => node).toSorted()).toEqual(WITH_COPY);
  }
  await client.create('Volume', { metadata: { name: 'wide' }, spec: { size: '128Mi', layout: 'replicated' } });
  const said = async () => (await client.get('Volume', 'wide'))?.status?.reasons?.join('\n');
  await expect
    .poll(said, { timeout: PATIENCE_MS })
    .toContain('kube3: the node is labelled to run pods only, without copies');
  await client.delete('Volume', 'wide');
  await kubectl.until('volume/wide', 'delete', PATIENCE_MS);
});

test('pods go to the nodes with a copy, however many there are; the scheduler alone would use the third node too', async () => {
  const pods = ['a', 'b', 'c', 'd'].map((name) => ({ name, claim: 'shared' }));
  for (const node of await nodesOf(...pods)) expect(WITH_COPY).toContain(node);
});

test('where those take no pods, one that prefers goes elsewhere, and a strict one waits and says what for', async () => {
  const { kubectl } = cluster;
  await kubectl.run('cordon', ...WITH_COPY);
  expect(await nodesOf({ name: 'mild', claim: 'shared' })).toEqual(['kube3']);
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
  expect(await kubectl.read('pod/waits', '{.status.phase}')).toBe('Pending');
  await kubectl.run('uncordon', ...WITH_COPY);
  await kubectl.until('pod/waits', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  expect(WITH_COPY).toContain(await kubectl.read('pod/waits', '{.spec.nodeName}'));
  await kubectl.run('delete', 'pod/waits', '--wait');
});

test('pods with volumes are given the scheduler that asks, while it is at work; others are not', async () => {
  const { kubectl, lab, composed, pki } = cluster;
  const url = `https://${extenderAddress(lab)}`;
  await kubectl.apply(...secondSchedulerRoles());
  await startSecondScheduler(cluster, url);
  await kubectl.apply(podWebhook(`${url}/mutate`, await readFile(pki.authority, 'utf8')));
  let made = 0;
  const schedulerOf = async (object: (name: string) => object): Promise<string> => {
    made += 1;
    const name = `asks-${made}`;
    await kubectl.apply(object(name));
    const scheduler = await kubectl.read(`pod/${name}`, '{.spec.schedulerName}');
    await kubectl.until(`pod/${name}`, 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
    await kubectl.run('delete', `pod/${name}`, '--wait');
    return scheduler;
  };
  const user = (name: string) => pod({ name, claim: 'shared', script: 'ls /data' });
  await expect.poll(() => schedulerOf(user), { timeout: PATIENCE_MS }).toBe(SECOND_SCHEDULER);
  expect(await schedulerOf(podWithoutVolumes)).toBe('default-scheduler');
  const daemon = (await lab.record()).machineDaemons[SECOND_SCHEDULER];
  if (daemon === undefined) throw new Error('the second scheduler is not recorded');
  await composed.machine.processes.stop(daemon, { graceMs: 0 });
  const dry = async () => {
    const text = await kubectl.dryRun(user('nobody'));
    return (JSON.parse(text) as { readonly spec: { readonly schedulerName: string } }).spec.schedulerName;
  };
  await expect.poll(dry, { timeout: PATIENCE_MS }).toBe('default-scheduler');
  expect(await schedulerOf(user)).toBe('default-scheduler');
});

test('without its adviser the scheduler goes on', async () => {
  const { lab, composed } = cluster;
  const controller = (await lab.record()).machineDaemons['controller-a'];
  if (controller === undefined) throw new Error('controller-a is not recorded');
  await composed.machine.processes.stop(controller, { graceMs: 0 });
  // The webhook is asked in vain as well.
  await cluster.kubectl.apply(podWithoutVolumes('alone'));
  const phase = () => cluster.kubectl.read('pod/alone', '{.status.phase}');
  await expect.poll(phase, { timeout: PATIENCE_MS }).toBe('Succeeded');
});

function podWithoutVolumes(name: string): object {
  const { spec, ...rest } = pod({ name, claim: 'none', script: 'true' }) as {
    readonly spec: { readonly containers: readonly object[] };
  };
  const containers = spec.containers.map((container) => ({ ...container, volumeMounts: [] }));
  return { ...rest, spec: { ...spec, containers, volumes: [] } };
}

/** As docs/how-to/run-pods-near-their-data.md has it, but for where it is: there is no Service here. */
function podWebhook(url: string, authorityPem: string): object {
  const uses = 'object.spec.volumes.exists(v, has(v.persistentVolumeClaim) || has(v.ephemeral))';
  return {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' },
    metadata: { name: 'holdfast-scheduler' },
    webhooks: [
      {
        ...{ name: 'scheduler.holdfast.dev', admissionReviewVersions: ['v1'], sideEffects: 'None' },
        ...{ failurePolicy: 'Ignore', timeoutSeconds: 2 },
        clientConfig: { url, caBundle: Buffer.from(authorityPem).toString('base64') },
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'], scope: 'Namespaced' },
        ],
        matchConditions: [{ name: 'has-claims', expression: `has(object.spec.volumes) && ${uses}` }],
      },
    ],
  };
}

function secondSchedulerRoles(): readonly object[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  const apiVersion = `${apiGroup}/v1`;
  const subjects = [{ kind: 'User', apiGroup, name: SECOND_SCHEDULER }];
  const here = { name: SECOND_SCHEDULER, namespace: SYSTEM_NAMESPACE };
  const leases = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
  return [
    ...['system:kube-scheduler', 'system:volume-scheduler'].map((name) => ({
      ...{ apiVersion, kind: 'ClusterRoleBinding', subjects, roleRef: { apiGroup, kind: 'ClusterRole', name } },
      metadata: { name: `holdfast:${name.slice('system:'.length)}` },
    })),
    {
      ...{ apiVersion, kind: 'Role', metadata: here },
      rules: [{ ...leases, verbs: ['create', 'get', 'list', 'watch', 'update'] }],
    },
    {
      ...{ apiVersion, kind: 'RoleBinding', metadata: here, subjects },
      roleRef: { apiGroup, kind: 'Role', name: SECOND_SCHEDULER },
    },
  ];
}
