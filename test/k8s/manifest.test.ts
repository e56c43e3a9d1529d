/** Holdfast installed by its manifest alone, with nothing said about the cluster, taken away by it, and installed again. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KINDS, SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { GROUP } from '../../src/schemas/own-kind.ts';
import { DRIVER_NAME } from '../../src/shells/csi/identity.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { prepareNodes, storeOnNodes } from './install.ts';
import { refusalOf } from './kubectl.ts';
import { claim, pod } from './manifests.ts';

const MANIFEST = join(import.meta.dirname, '../../deploy/holdfast.yaml');
const PATIENCE_MS = 180_000;
const NODE = 'kube1';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ name: 'k8smanifest', nodes: 1, hasEngine: false });
  await prepareNodes(cluster);
});
afterAll(() => cluster?.remove());

const inSystem = (...args: readonly string[]) => cluster.kubectl.run('-n', SYSTEM_NAMESPACE, ...args);
const timeout = `--timeout=${PATIENCE_MS / 1000}s`;

async function applyManifest(): Promise<void> {
  const { kubectl } = cluster;
  await kubectl.applyFile(MANIFEST);
  for (const each of ['deployment/holdfast-controller', 'daemonset/holdfast-node']) {
    await inSystem('rollout', 'status', each, timeout);
  }
  await kubectl.until(`csinode/${NODE}`, `jsonpath={.spec.drivers[0].name}=${DRIVER_NAME}`, PATIENCE_MS);
}

async function printed(name: string, script: string): Promise<string> {
  const { kubectl } = cluster;
  await kubectl.apply(pod({ name, claim: 'notes', script }));
  await kubectl.until(`pod/${name}`, 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  const text = await kubectl.run('logs', name);
  await kubectl.run('delete', `pod/${name}`, '--wait');
  return text;
}

test('applied to a bare cluster it comes up, and a claim is bound and written', async () => {
  await applyManifest();
  await storeOnNodes(cluster);
  await cluster.kubectl.until(`storagenode/${NODE}`, 'condition=Ready', PATIENCE_MS);
  await cluster.kubectl.apply(claim({ name: 'notes', storageClass: 'holdfast-local', size: '128Mi' }));
  expect(await printed('writer', 'echo kept > /data/note; sync; cat /data/note')).toBe('kept\n');
  expect(await cluster.kubectl.read('pvc/notes', '{.status.phase}')).toBe('Bound');
});

test('deleted, it leaves the records of volumes and all data, and says so; applied again it goes on with them', async () => {
  const { kubectl, client } = cluster;
  const volumes = async () => (await client.list('Volume')).items.map(({ metadata }) => metadata);
  const before = await volumes();
  const definitions = Object.values(KINDS).filter(({ group }) => group === GROUP);
  const refused = await refusalOf(kubectl.run('delete', '-f', MANIFEST));
  for (const { plural } of definitions) expect(refused).toContain(`"${plural}.${GROUP}" is forbidden`);
  expect(refused).toContain(`"${SYSTEM_NAMESPACE}" is forbidden`);
  expect(refused).toContain(`${GROUP}/may-be-deleted=true`);
  expect(refused.match(/is forbidden/g)).toHaveLength(definitions.length + 1);
  await inSystem('wait', 'pod', '--all', '--for=delete', timeout);
  expect(await inSystem('get', 'deployments,daemonsets,serviceaccounts,roles', '-o', 'name')).not.toContain('holdfast');
  expect(await kubectl.run('get', 'csidrivers,storageclasses', '-o', 'name')).toBe('');
  // With a time of deletion they would be erased as soon as agents are back.
  expect((await volumes()).map(({ uid, deletionTimestamp }) => [uid, deletionTimestamp])).toEqual(
    before.map(({ uid }) => [uid, undefined]),
  );
  await applyManifest();
  expect(await printed('reader', 'cat /data/note')).toBe('kept\n');
});

test('who says so in so many words may delete what is left', async () => {
  const { kubectl, client } = cluster;
  await kubectl.run('delete', 'pvc/notes', '--wait');
  await expect.poll(async () => (await client.list('Volume')).items, { timeout: PATIENCE_MS }).toEqual([]);
  const definition = `customresourcedefinition/tasks.${GROUP}`;
  expect(await refusalOf(kubectl.run('delete', definition))).toContain('is forbidden');
  await kubectl.run('annotate', definition, `${GROUP}/may-be-deleted=true`);
  await kubectl.run('delete', definition, '--wait');
});
