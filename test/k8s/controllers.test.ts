/** The controllers over kube-apiserver: the same tests as over the embedded API server. */
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { CONTROLLERS } from '../../src/shells/kube-api/authorize.ts';
import { describeControllers } from '../contract/controllers.contract.ts';
import { type Cluster, startCluster } from './cluster.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');
const KINDS = [
  'Volume',
  'VolumeCopy',
  'VolumeAttachmentRecord',
  'VolumeSnapshotRecord',
  'StorageNode',
  'Lease',
] as const;
let cluster: Cluster;
/** With the rights that the chart gives to controllers, and no others. */
let controllerClient: ResourceClient;

beforeAll(async () => {
  cluster = await startCluster({ name: 'k8scontrollers', nodes: 0 });
  const { kubectl, composed, pki } = cluster;
  for (const file of ['crds', 'driver']) await kubectl.applyFile(join(DEPLOY, `${file}.yaml`));
  await kubectl.run('wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s');
  controllerClient = await composed.connect(await pki.kubeconfig('holdfast:controller', CONTROLLERS));
});
afterAll(() => cluster?.remove());

async function removeAll(): Promise<void> {
  const { client } = cluster;
  for (const kind of KINDS) {
    for (const { metadata } of (await client.list(kind, { namespace: SYSTEM_NAMESPACE })).items) {
      const { name } = metadata;
      await client.delete(kind, name);
      // Nobody is left to let it go; it may have none, and be gone.
      await client.patch(kind, name, { metadata: { finalizers: [] } }).catch(() => undefined);
    }
  }
}

describeControllers('kube-apiserver', async () => {
  await removeAll();
  return { client: cluster.client, controllerClient, isOnCluster: true, stop: removeAll };
});
