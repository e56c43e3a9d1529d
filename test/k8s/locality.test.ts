/** Pods near their data on a real Kubernetes: kube-scheduler asks the controller, which knows the copies; one of three nodes is for pods only. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { type Cluster, extenderAddress, startCluster } from './cluster.ts';
import { SECOND_SCHEDULER, startSecondScheduler } from './control-plane.ts';
import { runHoldfast } from './holdfast.ts';
import { pod } from './manifests.ts';
import { looker, makeClaims, placesOf, placesWhenFull, schedulerFor, WITH_COPY, WITHOUT_COPY } from './near-data.ts';

const PATIENCE_MS = 120_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ name: 'k8snear', nodes: 3, hasExtender: true });
  const { kubectl, lab, pki } = cluster;
  const [certificate, key] = pki.server;
  const secure = ['--extender-cert', certificate, '--extender-key', key];
  await runHoldfast(cluster, [
    ...['--extender-listen', extenderAddress(lab), ...secure, '--webhook-scheduler', SECOND_SCHEDULER],
  ]);
  await kubectl.run('label', 'node', WITHOUT_COPY, 'storageos.com/computeonly=true');
  await makeClaims(cluster, PATIENCE_MS);
});
afterAll(() => cluster?.remove());

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
    .toContain(`${WITHOUT_COPY}: the node is labelled to run pods only, without copies`);
  await client.delete('Volume', 'wide');
  await kubectl.until('volume/wide', 'delete', PATIENCE_MS);
});

test('pods go to the nodes with a copy, however many there are; the scheduler alone would use the third node too', async () => {
  const pods = ['a', 'b', 'c', 'd'].map((name) => ({ name, claim: 'shared' }));
  for (const { node } of await placesOf(cluster, PATIENCE_MS, ...pods)) expect(WITH_COPY).toContain(node);
});

test('where those take no pods, one that prefers goes elsewhere, and a strict one waits and says what for', async () => {
  const { mild, strict } = await placesWhenFull(cluster, PATIENCE_MS);
  expect(mild?.node).toBe(WITHOUT_COPY);
  expect(WITH_COPY).toContain(strict.node);
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
  const user = (name: string) => looker({ name, claim: 'shared' });
  await expect.poll(() => schedulerOf(user), { timeout: PATIENCE_MS }).toBe(SECOND_SCHEDULER);
  expect(await schedulerOf(podWithoutVolumes)).toBe('default-scheduler');
  const daemon = (await lab.record()).machineDaemons[SECOND_SCHEDULER];
  if (daemon === undefined) throw new Error('the second scheduler is not recorded');
  await composed.machine.processes.stop(daemon, { graceMs: 0 });
  await expect.poll(() => schedulerFor(cluster, 'shared'), { timeout: PATIENCE_MS }).toBe('default-scheduler');
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
