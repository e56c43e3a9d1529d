/** Claims on a real Kubernetes with two nodes: the sidecars call the driver, kubelet mounts what pods use. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { runHoldfast, startController } from './holdfast.ts';
import { claim, PAIR, type PodWish, pod, snapshot, storageClass } from './manifests.ts';

const PATIENCE_MS = 120_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ name: 'k8sclaims', nodes: 2 });
  await runHoldfast(cluster);
});
afterAll(() => cluster?.remove());

/** Runs pods to their ends side by side, and says what each printed. */
async function ran(...wishes: readonly PodWish[]): Promise<readonly string[]> {
  const { kubectl } = cluster;
  await kubectl.apply(...wishes.map(pod));
  return Promise.all(
    wishes.map(async ({ name }) => {
      await kubectl.until(`pod/${name}`, 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
      const output = await kubectl.run('logs', name);
      await kubectl.run('delete', `pod/${name}`, '--wait');
      return output;
    }),
  );
}

/** Deletes claims, and waits until nothing of them is left anywhere: kubelet has let go, and the volume is gone. */
async function gone(...claims: readonly string[]): Promise<void> {
  const { kubectl, client } = cluster;
  const volumes = await Promise.all(claims.map((name) => kubectl.read(`pvc/${name}`, '{.spec.volumeName}')));
  await kubectl.run('delete', ...claims.map((name) => `pvc/${name}`), '--wait');
  for (const volume of volumes) await kubectl.until(`pv/${volume}`, 'delete', PATIENCE_MS);
  const left = (await client.list('Volume')).items.map(({ metadata }) => metadata.name);
  expect(left.filter((name) => volumes.includes(name))).toEqual([]);
  const attached = await kubectl.run('get', 'volumeattachments', '-o', 'jsonpath={.items[*].spec.source}');
  for (const volume of volumes) expect(attached).not.toContain(volume);
}

test('a local claim waits for its pod, is made on its node, and keeps for the next pod what one wrote', async () => {
  const { kubectl } = cluster;
  await kubectl.apply(claim({ name: 'notes', storageClass: 'holdfast-local', size: '128Mi' }));
  await ran({ name: 'writer', claim: 'notes', node: 'kube2', script: 'echo kept > /data/note; sync' });
  const volume = await kubectl.read('pvc/notes', '{.spec.volumeName}');
  const leads = '{.spec.nodeAffinity.required.nodeSelectorTerms[*].matchExpressions[*].values}';
  expect(await kubectl.read(`pv/${volume}`, leads)).toBe('["kube2"]');
  // Where it runs is not said: the volume leads it there.
  expect(await ran({ name: 'reader', claim: 'notes', script: 'cat /data/note' })).toEqual(['kept\n']);
});

test('a claim grows under its pod, and a snapshot and a clone of it are claims with what it held', async () => {
  const { kubectl } = cluster;
  await kubectl.apply(claim({ name: 'grows', storageClass: 'holdfast-local', size: '128Mi' }));
  await ran({ name: 'first', claim: 'grows', script: 'echo before > /data/note; sync' });
  await kubectl.apply(snapshot({ name: 'moment', claim: 'grows' }));
  await kubectl.until('volumesnapshot/moment', 'jsonpath={.status.readyToUse}=true', PATIENCE_MS);
  const blocks = '$(stat -f -c %b /data)';
  const script = `had=${blocks}; until [ ${blocks} -gt $had ]; do sleep 1; done; echo after > /data/note; sync`;
  await kubectl.apply(pod({ name: 'user', claim: 'grows', script }));
  await kubectl.until('pod/user', 'jsonpath={.status.phase}=Running', PATIENCE_MS);
  await kubectl.run('patch', 'pvc/grows', '-p', '{"spec":{"resources":{"requests":{"storage":"256Mi"}}}}');
  await kubectl.until('pod/user', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  expect(await kubectl.read('pvc/grows', '{.status.capacity.storage}')).toBe('256Mi');
  await kubectl.run('delete', 'pod/user', '--wait');
  await kubectl.apply(
    claim({ name: 'restored', storageClass: 'holdfast-local', size: '128Mi', source: 'VolumeSnapshot/moment' }),
    claim({ name: 'cloned', storageClass: 'holdfast-local', size: '256Mi', source: 'PersistentVolumeClaim/grows' }),
  );
  const readers = ['restored', 'cloned'].map((name) => ({ name, claim: name, script: 'cat /data/note' }));
  expect(await ran(...readers)).toEqual(['before\n', 'after\n']);
  await kubectl.run('delete', 'volumesnapshot/moment', '--wait');
  await gone('restored', 'cloned', 'grows', 'notes');
});

test('a replicated claim is written by pods on both nodes at once, and let go by both', async () => {
  const { kubectl } = cluster;
  await kubectl.apply(
    storageClass({ name: 'both', parameters: PAIR }),
    claim({ name: 'team', storageClass: 'both', size: '128Mi', accessMode: 'ReadWriteMany' }),
  );
  const meets = (own: string, other: string) => ({
    ...{ name: `on-${own}`, claim: 'team', node: own },
    script: `echo ${own} > /data/${own}; until cat /data/${other} 2>/dev/null; do sleep 1; done`,
  });
  expect(await ran(meets('kube1', 'kube2'), meets('kube2', 'kube1'))).toEqual(['kube2\n', 'kube1\n']);
  await gone('team');
});

test.each([
  { engine: 'local', parameters: { engine: 'local' } },
  { engine: 'gluster', parameters: PAIR },
])('a program that is not root writes where the group of its pod does (fsGroup), engine $engine', async (each) => {
  const name = `group-${each.engine}`;
  await cluster.kubectl.apply(
    storageClass({ name, parameters: each.parameters }),
    claim({ name, storageClass: name, size: '128Mi' }),
  );
  const user = { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 };
  const script = 'echo mine > /data/note; stat -c "%u %g" /data/note';
  expect(await ran({ name, claim: name, script, securityContext: user })).toEqual(['1000 2000\n']);
  // Another user of the same group, as after a new version of an image.
  const next = { ...user, runAsUser: 1001, runAsGroup: 1001 };
  const more = 'echo more >> /data/note; cat /data/note';
  expect(await ran({ name, claim: name, script: more, securityContext: next })).toEqual(['mine\nmore\n']);
  await gone(name);
});

test('a second controller takes over when the first dies', async () => {
  const { lab, composed, client, kubectl } = cluster;
  const holder = () => kubectl.read('lease/holdfast-controller', '{.spec.holderIdentity}', SYSTEM_NAMESPACE);
  const first = await holder();
  await startController(cluster, 'controller-b');
  const dying = (await lab.record()).machineDaemons['controller-a'];
  if (dying === undefined) throw new Error('controller-a is not recorded');
  await composed.machine.processes.stop(dying, { graceMs: 0 });
  await expect.poll(holder, { timeout: PATIENCE_MS }).not.toBe(first);
  await client.create('Volume', {
    metadata: { name: 'after' },
    spec: { size: '128Mi', engine: 'local', layout: 'single' },
  });
  await kubectl.until('volume/after', 'condition=Ready', PATIENCE_MS);
  await client.delete('Volume', 'after');
  await kubectl.until('volume/after', 'delete', PATIENCE_MS);
});
