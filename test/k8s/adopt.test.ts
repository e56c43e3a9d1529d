/**
 * A static PersistentVolume of NFS is adopted on a real API server, with the real controllers of Kubernetes that bind claims and
 * protect them. This machine's kernel may have no NFS client, so no pod mounts it here, and what Holdfast's controller and agent would
 * say about the share is said by the test; both are shown with mounts in test/vm/guest.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from './cluster.ts';
import { startControllers } from './control-plane.ts';
import { holdfast } from './holdfast.ts';
import { refusalOf } from './kubectl.ts';
import { claim } from './manifests.ts';

const PATIENCE_MS = 60_000;
/** What the agent of a node that can mount NFS reports, and the controller says of it. */
const ABLE = {
  bootId: 'first',
  engines: [{ name: 'nfs', isInstalled: true, isRunning: true }],
  conditions: [
    {
      ...{ type: 'Ready', status: 'True', reason: 'HeartbeatFresh', message: 'the agent reports' },
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
} as const;
const bound = 'jsonpath={.status.phase}=Bound';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ name: 'k8sadopt', nodes: 0 });
  await startControllers(cluster);
  await cluster.kubectl.applyFile(join(import.meta.dirname, '../../deploy/crds.yaml'));
  await cluster.kubectl.until('crd/volumes.holdfast.dev', 'condition=Established');
  await cluster.kubectl.apply(
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'old' } },
      spec: {
        ...{ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany'], storageClassName: 'slow' },
        ...{ persistentVolumeReclaimPolicy: 'Delete', nfs: { server: 'files', path: '/export/db' } },
        mountOptions: ['nfsvers=3'],
      },
    },
    claim({ name: 'data', storageClass: 'slow', size: '1Gi', accessMode: 'ReadWriteMany' }),
  );
  await cluster.kubectl.until('pvc/data', bound, PATIENCE_MS);
});
afterAll(() => cluster?.remove());

const adopt = (...more: readonly string[]) => holdfast(cluster, 'adopt', 'pv', 'old', ...more);
const claimNow = () => cluster.kubectl.read('pvc/data', '{.metadata.uid} {.spec.volumeName} {.status.phase}');

test('while a pod has the claim nothing is changed, and the pod is named', async () => {
  const { kubectl } = cluster;
  const before = await kubectl.read('pv/old', '{.metadata.resourceVersion}');
  await kubectl.apply(podOnNode('reader'));
  expect(await refusalOf(adopt())).toContain('its claim default/data is in use by reader; nothing was changed');
  expect(await kubectl.read('pv/old', '{.metadata.resourceVersion}')).toBe(before);
  await kubectl.run('delete', 'pod/reader', '--grace-period=0', '--force');
});

test('until the share was seen, the claim stays where it is', async () => {
  const { kubectl, client } = cluster;
  const before = await claimNow();
  expect(await refusalOf(adopt())).toContain('no node can mount NFS now');
  await client.create('StorageNode', { metadata: { name: 'mounts' }, spec: { addresses: { ip: '10.0.0.1' } } });
  await client.patch('StorageNode', 'mounts', { status: ABLE }, { subresource: 'status' });
  expect(await refusalOf(adopt('--timeout', '2s'))).toContain('is stored but not ready after 2 s');
  expect(await claimNow()).toBe(before);
  expect(await kubectl.read('pv/old', '{.spec.persistentVolumeReclaimPolicy} {.status.phase}')).toBe('Retain Bound');
  const share = { server: 'files', path: '/export/db', mountOptions: ['nfsvers=3'] };
  expect((await client.get('Volume', 'old-holdfast'))?.spec).toMatchObject({ engine: 'nfs', share });
});

test('then the claim moves, both volumes are kept, and the old one goes when that is confirmed', async () => {
  const { kubectl, client } = cluster;
  const [uid] = (await claimNow()).split(' ');
  await client.patch('Volume', 'old-holdfast', { status: { phase: 'Ready' } }, { subresource: 'status' });
  expect(await adopt()).toContain('default/data has PersistentVolume old-holdfast, with the same data');
  const [newUid, volume, phase] = (await claimNow()).split(' ');
  expect([volume, phase]).toEqual(['old-holdfast', 'Bound']);
  expect(newUid).not.toBe(uid);
  const source = '{.spec.csi.driver} {.spec.persistentVolumeReclaimPolicy} {.status.phase}';
  expect(await kubectl.read('pv/old-holdfast', source)).toBe('csi.holdfast.dev Retain Bound');
  await kubectl.until('pv/old', 'jsonpath={.status.phase}=Released', PATIENCE_MS);
  expect(await adopt()).toContain('default/data has PersistentVolume old-holdfast');
  expect(await claimNow()).toBe([newUid, volume, phase].join(' '));
  await adopt('--confirm');
  await kubectl.until('pv/old', 'delete', PATIENCE_MS);
  await kubectl.until('pvc/data', bound, PATIENCE_MS);
});

/** Given to a node that nobody runs: it counts as one that has the claim open. */
function podOnNode(name: string): object {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: {
      ...{ nodeName: 'elsewhere', automountServiceAccountToken: false },
      containers: [{ name: 'main', image: 'none', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  };
}
