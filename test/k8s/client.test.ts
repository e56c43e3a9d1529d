/** The client against kube-apiserver: the contract that the embedded API server and the fake of unit tests keep too. */
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { ALL_NAMESPACES } from '../../src/ports/resource-client.ts';
import { type ClientUnderTest, describeResourceClient } from '../contract/resource-client.contract.ts';
import { type Cluster, startCluster } from './cluster.ts';

const CRDS = join(import.meta.dirname, '../../deploy/crds.yaml');
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ name: 'k8sclient', nodes: 0 });
  const { kubectl } = cluster;
  await kubectl.applyFile(CRDS);
  for (const kind of ['volumes', 'volumecopies'])
    await kubectl.until(`crd/${kind}.holdfast.dev`, 'condition=Established');
  await kubectl.run('create', 'namespace', 'holdfast-system');
});
afterAll(() => cluster?.remove());

async function setUp(): Promise<ClientUnderTest> {
  const { client } = cluster;
  const removeAll = async (): Promise<void> => {
    for (const kind of ['Volume', 'VolumeCopy', 'Lease'] as const) {
      for (const { metadata } of (await client.list(kind, { namespace: ALL_NAMESPACES })).items) {
        const { name, namespace = 'default' } = metadata;
        if (namespace !== 'default' && namespace !== 'holdfast-system') continue;
        if ((metadata.finalizers ?? []).length > 0) {
          await client.patch(kind, name, { metadata: { finalizers: [] } }, { namespace });
        }
        await client.delete(kind, name, { namespace });
      }
    }
  };
  await removeAll();
  return {
    client,
    forgetHistory: async () => undefined,
    bookmark: async () => undefined,
    stop: removeAll,
  };
}

describeResourceClient('HTTPS to kube-apiserver', setUp, { isOwn: false });
