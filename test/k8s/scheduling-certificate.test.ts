/** The certificate for scheduling on kube-apiserver, with no more than the rights that the manifests give a controller. */
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { AUTHORITY_SECRET, CERTIFICATE_SECRET, POD_WEBHOOK } from '../../src/domain/locality/serving-certificate.ts';
import { CONTROLLERS } from '../../src/shells/kube-api/authorize.ts';
import { describeSchedulingCertificate } from '../contract/scheduling-certificate.contract.ts';
import { type Cluster, startCluster } from './cluster.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');
let cluster: Cluster;
let asController: Awaited<ReturnType<Cluster['composed']['connect']>>;

beforeAll(async () => {
  cluster = await startCluster({ name: 'k8scert', nodes: 0 });
  for (const file of ['crds', 'driver']) await cluster.kubectl.applyFile(join(DEPLOY, `${file}.yaml`));
  asController = await cluster.composed.connect(await cluster.pki.kubeconfig('holdfast:controller-a', CONTROLLERS));
});
afterAll(() => cluster?.remove());

describeSchedulingCertificate('on kube-apiserver', async () => {
  const { kubectl, client } = cluster;
  const removeAll = async (): Promise<void> => {
    const inSystem = ['-n', 'holdfast-system', '--ignore-not-found'];
    await kubectl.run('delete', 'secret', AUTHORITY_SECRET, CERTIFICATE_SECRET, ...inSystem);
    await kubectl.run('delete', 'mutatingwebhookconfiguration', POD_WEBHOOK.configuration, '--ignore-not-found');
  };
  await removeAll();
  return { client, asController, hasWebhooks: true, stop: removeAll };
});
