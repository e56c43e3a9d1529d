/** The client against kube-apiserver: the contract that the embedded API server and the fake of unit tests keep too. */
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { ALL_NAMESPACES } from '../../src/ports/resource-client.ts';
import { describeResourceClient } from '../contract/resource-client.contract.ts';
import { answers, type Cluster, startCluster } from './cluster.ts';
import { startApiServer } from './control-plane.ts';

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

/** Its watch cache begins anew with what is there, so older versions are too old. */
async function restartApiServer(): Promise<void> {
  const { lab, composed, kubectl } = cluster;
  const server = (await lab.record()).machineDaemons['kube-apiserver'];
  if (server === undefined) throw new Error('the API server is not recorded');
  await composed.machine.processes.stop(server, { graceMs: 0 });
  await startApiServer(cluster);
  await answers(kubectl, composed.clock);
}

describeResourceClient('HTTPS to kube-apiserver', async () => {
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
    forgetHistory: restartApiServer,
    // It sends them by itself, about once a minute.
    bookmark: async () => undefined,
    stop: removeAll,
  };
});
