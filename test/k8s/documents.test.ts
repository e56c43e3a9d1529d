/**
 * The manifests of the documents that Holdfast is made after, on a real Kubernetes: as they stand there or as `holdfast lint`
 * corrects them. The names of images alone are others, since no registry is reached: nginx is busybox, Redis is Debian's.
 */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GIB } from '../../src/domain/bytes.ts';
import type { CommandResult } from '../../src/ports/host.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { makeDebianImage } from './debian-image.ts';
import { runHoldfast } from './holdfast.ts';
import { IMAGE } from './image.ts';
import { growSystemDisk } from './install.ts';
import { giveImage } from './kubelet.ts';
import { pod } from './manifests.ts';
import { modeOf, ZOOKEEPER, ZOOKEEPER_MEMBERS, zookeeper, zookeeperObjects } from './zookeeper.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENTS = join(ROOT, 'test/fixtures/documents');
const REDIS = 'holdfast.test/redis:1';
const PATIENCE_MS = 180_000;
/** The claims of the documents ask for more than 115Gi of a node. */
const DISK_BYTES = 160 * GIB;

let cluster: Cluster;
beforeAll(async () => {
  const redis = await makeDebianImage({ name: REDIS, packages: ['redis-server'], workingFolder: '/data' });
  cluster = await startCluster({ name: 'k8sdocs', nodes: 3, dataDiskBytes: DISK_BYTES, images: [redis] });
  await runHoldfast(cluster);
  await giveZookeeper();
  await mkdir(plugins());
  await symlink(join(ROOT, 'bin/holdfast.mjs'), join(plugins(), 'kubectl-holdfast'));
  // The workshop's claims name no class.
  const isDefault = 'storageclass.kubernetes.io/is-default-class=true';
  await cluster.kubectl.run('annotate', '--overwrite', 'storageclass/holdfast-local', isDefault);
});
afterAll(() => cluster?.remove());

/** It is large. */
async function giveZookeeper(): Promise<void> {
  const archive = await makeDebianImage(ZOOKEEPER);
  for (const name of cluster.lab.hostNames) {
    await growSystemDisk(cluster, name);
    await giveImage(cluster.lab.host(name), archive);
  }
}

function plugins(): string {
  return join(cluster.folder, 'plugins');
}

/** `kubectl holdfast ...`, with the cluster found as kubectl finds it. */
function plugin(...args: readonly string[]): Promise<CommandResult> {
  const { machine } = cluster.composed;
  const path = `${plugins()}:${join(process.execPath, '..')}:/usr/bin:/bin`;
  const env = { PATH: path, KUBECONFIG: cluster.kubeconfig };
  return machine.run({ file: 'kubectl', args: ['holdfast', ...args], env, timeoutMs: PATIENCE_MS });
}

function document(name: string): string {
  return join(DOCUMENTS, `${name}.yaml`);
}

/** Applies a text, with images that are there. */
async function apply(text: string): Promise<void> {
  const path = join(cluster.folder, 'document.yaml');
  await writeFile(
    path,
    text
      .replaceAll(/image: (?:dockerfile\/)?nginx/g, `image: ${IMAGE}`)
      .replaceAll(/image: redis:\S+/g, `image: ${REDIS}`),
  );
  await cluster.kubectl.applyFile(path);
}

/** Applies documents as lint corrects them. */
async function applyCorrected(...names: readonly string[]): Promise<void> {
  await apply((await plugin('lint', '-o', 'yaml', ...names.map(document))).stdout);
}

function inPod(name: string, ...command: readonly string[]): Promise<string> {
  return cluster.kubectl.run('exec', name, '--', ...command);
}

const running = 'jsonpath={.status.phase}=Running';
const bound = 'jsonpath={.status.phase}=Bound';

test("Kismatic's volume, claim and pod, as they stand in its document", async () => {
  const { kubectl } = cluster;
  await plugin('volume', 'add', '10', 'storage01', '-r', '2', '-d', '1', '-a', '10.10.*.*', '--wait');
  await apply(await readFile(document('kismatic-claim'), 'utf8'));
  await kubectl.until('pvc/my-app-frontend-claim', bound, PATIENCE_MS);
  expect(await kubectl.read('pvc/my-app-frontend-claim', '{.spec.volumeName}')).toBe('storage01');
  await apply(await readFile(document('kismatic-pod'), 'utf8'));
  await kubectl.until('pod/my-app-frontend', running, PATIENCE_MS);
  await inPod('my-app-frontend', 'sh', '-c', 'echo hello > /var/www/html/index.html; sync');
  await kubectl.apply(pod({ name: 'other', claim: 'my-app-frontend-claim', script: 'cat /data/index.html' }));
  await kubectl.until('pod/other', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  expect(await kubectl.run('logs', 'other')).toBe('hello\n');
  await kubectl.run('delete', 'pod/other', 'pod/my-app-frontend', '--wait', '--grace-period=1');
});

test("StorageOS's class and claim, imported", async () => {
  const { kubectl, client } = cluster;
  await plugin('import', document('storageos-class'), document('storageos-claim'), '--apply');
  await kubectl.until('pvc/database-vol-1', bound, PATIENCE_MS);
  const name = await kubectl.read('pvc/database-vol-1', '{.spec.volumeName}');
  const { spec } = (await client.get('Volume', name)) ?? {};
  expect(spec).toMatchObject({ engine: 'gluster', size: '100Gi', replicas: 3, encryption: true });
  await kubectl.apply(
    pod({ name: 'database', claim: 'database-vol-1', script: 'echo row > /data/table; cat /data/table' }),
  );
  await kubectl.until('pod/database', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  expect(await kubectl.run('logs', 'database')).toBe('row\n');
  await kubectl.run('delete', 'pod/database', '--wait');
});

test("the workshop's PersistentVolume, claim and pod, as lint corrects them", async () => {
  const { kubectl } = cluster;
  await applyCorrected('workshop-volume', 'workshop-claim', 'workshop-pod');
  await kubectl.until('pod/mypod', running, PATIENCE_MS);
  // The claim names no class, so it is not for the volume of class slow: lint says so.
  expect(await kubectl.read('pv/pv00003', '{.status.phase}')).toBe('Available');
  const volume = await kubectl.read('pvc/myclaim', '{.spec.volumeName}');
  expect(await kubectl.read(`pv/${volume}`, '{.spec.csi.driver} {.spec.capacity.storage}')).toBe(
    'csi.holdfast.dev 5Gi',
  );
  expect(await inPod('mypod', 'sh', '-c', 'echo page > /var/www/html/index.html; cat /var/www/html/index.html')).toBe(
    'page\n',
  );
  await kubectl.run('delete', 'pod/mypod', 'pvc/myclaim', 'pv/pv00003', '--wait', '--grace-period=1');
});

const MEMBERS = [0, 1, 2].map((at) => `redis-persistence-${at}`);

/** For each member: its claim's PersistentVolume with the node that it is on, and who provisioned it. */
async function identities(): Promise<readonly string[]> {
  const { kubectl } = cluster;
  return Promise.all(
    MEMBERS.map(async (member) => {
      const volume = await kubectl.read(`pvc/data-${member}`, '{.spec.volumeName}');
      const node = '{.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]}';
      const owner = '{.metadata.annotations.pv\\.kubernetes\\.io/provisioned-by}';
      return `${volume} ${await kubectl.read(`pv/${volume}`, `{.metadata.uid} ${node} ${owner}`)}`;
    }),
  );
}

test("the workshop's Redis: three pods with a volume each, on its node; smaller and larger again with the same data", async () => {
  const { kubectl } = cluster;
  await applyCorrected('workshop-redis', 'workshop-redis-service');
  const isReady = () =>
    kubectl.run('rollout', 'status', 'statefulset/redis-persistence', `--timeout=${PATIENCE_MS / 1000}s`);
  await isReady();
  for (const member of MEMBERS) expect(await inPod(member, 'redis-cli', 'set', 'who', member)).toBe('OK\n');
  const before = await identities();
  expect(new Set(before).size).toBe(3);
  for (const [at, member] of MEMBERS.entries()) {
    const node = await kubectl.read(`pod/${member}`, '{.spec.nodeName}');
    expect(before[at]).toMatch(new RegExp(` ${node} csi.holdfast.dev$`));
  }
  // By the names of the document, from a pod on any node.
  for (const member of MEMBERS) {
    const address = await kubectl.read(`pod/${member}`, '{.status.podIP}');
    expect(await inPod('redis-persistence-0', 'getent', 'hosts', `${member}.redis`)).toContain(address);
  }

  await kubectl.run('scale', 'statefulset/redis-persistence', '--replicas=1');
  for (const member of MEMBERS.slice(1)) await kubectl.until(`pod/${member}`, 'delete', PATIENCE_MS);
  expect(await identities()).toEqual(before);
  await kubectl.run('scale', 'statefulset/redis-persistence', '--replicas=3');
  await isReady();
  for (const member of MEMBERS) expect(await inPod(member, 'redis-cli', 'get', 'who')).toBe(`${member}\n`);
  expect(await identities()).toEqual(before);
});

test('a PersistentVolume of the plugin glusterfs, which is no more, is adopted with its data', async () => {
  const { kubectl, client, lab } = cluster;
  const spec = { size: '256Mi', layout: 'arbiter', replicas: 2 };
  await client.create('Volume', { metadata: { name: 'gvold' }, spec });
  await kubectl.until('volume/gvold', 'condition=Ready', PATIENCE_MS);
  const host = lab.host('kube1');
  await host.files.makeDirectory('/mnt/old');
  await host.run({ file: 'mount', args: ['-t', 'glusterfs', 'kube1:/gvold', '/mnt/old'], timeoutMs: PATIENCE_MS });
  await host.files.writeText('/mnt/old/note', 'written before\n');
  await host.run({ file: 'umount', args: ['/mnt/old'], timeoutMs: PATIENCE_MS });

  const accessModes = ['ReadWriteMany'];
  await kubectl.apply(
    {
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports: [] },
      metadata: { name: 'old-pool', labels: { 'kubernetes.io/service-name': 'old-pool' } },
      endpoints: lab.hostNames.map((name) => ({ addresses: [lab.addressOf(name)] })),
    },
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'old-notes' } },
      spec: {
        ...{
          capacity: { storage: '256Mi' },
          accessModes,
          storageClassName: 'old',
          persistentVolumeReclaimPolicy: 'Delete',
        },
        glusterfs: { endpoints: 'old-pool', path: 'gvold' },
      },
    },
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'old-notes', labels: { app: 'notes' } } },
      spec: { accessModes, storageClassName: 'old', resources: { requests: { storage: '256Mi' } } },
    },
  );
  await kubectl.until('pvc/old-notes', bound, PATIENCE_MS);
  await plugin('adopt', 'pv', 'old-notes');
  expect(await kubectl.read('pvc/old-notes', '{.spec.volumeName} {.metadata.labels.app}')).toBe('gvold notes');
  await kubectl.apply(pod({ name: 'notes', claim: 'old-notes', script: 'cat /data/note' }));
  await kubectl.until('pod/notes', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  expect(await kubectl.run('logs', 'notes')).toBe('written before\n');
  await kubectl.until('pv/old-notes', 'jsonpath={.status.phase}=Released', PATIENCE_MS);
  await plugin('adopt', 'pv', 'old-notes', '--confirm');
  await kubectl.until('pv/old-notes', 'delete', PATIENCE_MS);
});

async function ensemble(members: readonly string[] = ZOOKEEPER_MEMBERS): Promise<readonly string[]> {
  return (await Promise.all(members.map((member) => modeOf(cluster.kubectl, member)))).toSorted();
}

const formed = () => cluster.kubectl.run('rollout', 'status', 'statefulset/zk', `--timeout=${PATIENCE_MS / 1000}s`);

test("the workshop's ZooKeeper: three members find each other by name; a znode outlives a move, all of them, and a node", async () => {
  const { kubectl, lab } = cluster;
  const nodeOf = (member: string) => kubectl.read(`pod/${member}`, '{.spec.nodeName}');
  await kubectl.apply(...zookeeperObjects('holdfast'));
  await formed();
  expect(await ensemble()).toEqual(['follower', 'follower', 'leader']);
  await zookeeper(kubectl, 'zk-0', 'create', '/first', 'written-first');
  expect(await zookeeper(kubectl, 'zk-2', 'get', '/first')).toContain('written-first');

  // A member goes to another node, and its data with it.
  await inPod('zk-1', 'touch', '/data/mark');
  const volume = await kubectl.read('pvc/data-zk-1', '{.spec.volumeName}');
  const home = await nodeOf('zk-1');
  await kubectl.run('cordon', home);
  await kubectl.run('delete', 'pod/zk-1', '--wait');
  await formed();
  expect(await nodeOf('zk-1')).not.toBe(home);
  expect(await kubectl.read('pvc/data-zk-1', '{.spec.volumeName}')).toBe(volume);
  await inPod('zk-1', 'test', '-e', '/data/mark');
  expect(await zookeeper(kubectl, 'zk-1', 'get', '/first')).toContain('written-first');
  await kubectl.run('uncordon', home);

  // None is left that another could learn it from.
  await kubectl.run('scale', 'statefulset/zk', '--replicas=0');
  for (const member of ZOOKEEPER_MEMBERS) await kubectl.until(`pod/${member}`, 'delete', PATIENCE_MS);
  await kubectl.run('scale', 'statefulset/zk', '--replicas=3');
  await formed();
  expect(await zookeeper(kubectl, 'zk-0', 'get', '/first')).toContain('written-first');

  // The leader's node goes, and with it one of three copies of each volume.
  const modes = await Promise.all(ZOOKEEPER_MEMBERS.map((member) => modeOf(kubectl, member)));
  const leader = ZOOKEEPER_MEMBERS[modes.indexOf('leader')] ?? '';
  const others = ZOOKEEPER_MEMBERS.filter((member) => member !== leader);
  await lab.powerOff(await nodeOf(leader));
  const now = () => ensemble(others).catch(() => []); // while they elect
  await expect.poll(now, { timeout: PATIENCE_MS }).toEqual(['follower', 'leader']);
  const [one = '', other = ''] = others;
  await zookeeper(kubectl, one, 'create', '/second', 'written-after');
  expect(await zookeeper(kubectl, other, 'get', '/second')).toContain('written-after');
  expect(await zookeeper(kubectl, other, 'get', '/first')).toContain('written-first');
});
