/**
 * What needs nothing but kubectl and a cluster that has Holdfast on it. With HOLDFAST_GIVEN_CLUSTER, the path of a kubeconfig, that
 * one; else the kit's own. All of it is in a namespace that is removed in the end.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { DRIVER_NAME } from '../../src/shells/csi/identity.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { runHoldfast } from './holdfast.ts';
import { IMAGE } from './image.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import { claim, type PodWish, pod } from './manifests.ts';

const PATIENCE_MS = 180_000;
const WAIT = `--timeout=${PATIENCE_MS / 1000}s`;
const CLASS = 'holdfast-local';
const given = process.env['HOLDFAST_GIVEN_CLUSTER'];
/** Has sh; from a registry that the nodes reach, unless they have it already. */
const image = given === undefined ? IMAGE : (process.env['HOLDFAST_TEST_IMAGE'] ?? 'busybox');
const namespace = `holdfast-e2e-${randomUUID().slice(0, 8)}`;

let own: Cluster | undefined;
let folder: string;
let kubectl: Kubectl;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-given-'));
  if (given === undefined) {
    own = await startCluster({ name: 'k8sgiven', nodes: 2 });
    await runHoldfast(own);
  }
  const kubeconfig = own?.kubeconfig ?? given ?? '';
  kubectl = createKubectl(createLocalHost({ clock: createSystemClock() }), kubeconfig, join(folder, 'kubectl'));
  for (const what of [`csidriver/${DRIVER_NAME}`, `storageclass/${CLASS}`]) {
    await kubectl.run('get', what).catch((cause: unknown) => {
      throw new Error(`the cluster has no ${what}: put Holdfast on it first, see docs/how-to/use-csi.md`, { cause });
    });
  }
  await kubectl.run('create', 'namespace', namespace);
});
afterAll(async () => {
  await kubectl?.run('delete', 'namespace', namespace, '--ignore-not-found', '--wait');
  await own?.remove();
  await rm(folder, { recursive: true });
});

function podHere(wish: PodWish): object {
  const { metadata, spec, ...rest } = pod(wish) as {
    readonly metadata: object;
    readonly spec: { readonly containers: readonly object[] };
  };
  const containers = spec.containers.map((each) => ({ ...each, image, imagePullPolicy: 'IfNotPresent' }));
  return { ...rest, metadata: { ...metadata, namespace }, spec: { ...spec, containers } };
}

/** Runs a pod to its end, and says what it printed. */
async function ran(wish: PodWish): Promise<string> {
  await kubectl.apply(podHere(wish));
  await kubectl.run('wait', `pod/${wish.name}`, '-n', namespace, '--for=jsonpath={.status.phase}=Succeeded', WAIT);
  const output = await kubectl.run('logs', wish.name, '-n', namespace);
  await kubectl.run('delete', `pod/${wish.name}`, '-n', namespace, '--wait');
  return output;
}

test('a claim gets a volume, keeps what a pod wrote for the next one, and leaves nothing when it is deleted', async () => {
  await kubectl.apply(claim({ namespace, name: 'notes', storageClass: CLASS, size: '128Mi' }));
  await ran({ name: 'writer', claim: 'notes', script: 'echo kept > /data/note; sync' });
  expect(await ran({ name: 'reader', claim: 'notes', script: 'cat /data/note' })).toBe('kept\n');
  const volume = await kubectl.read('pvc/notes', '{.spec.volumeName}', namespace);
  await kubectl.run('delete', 'pvc/notes', '-n', namespace, '--wait');
  await kubectl.until(`pv/${volume}`, 'delete', PATIENCE_MS);
  expect(await kubectl.run('get', 'volumes.holdfast.dev', volume, '--ignore-not-found')).toBe('');
});

test('a claim that fits nowhere says so in an event', async () => {
  await kubectl.apply(
    claim({ namespace, name: 'huge', storageClass: CLASS, size: '4Pi' }),
    podHere({ name: 'needs-huge', claim: 'huge', script: 'true' }),
  );
  const selector = 'involvedObject.kind=PersistentVolumeClaim,involvedObject.name=huge';
  const told = () =>
    kubectl.run('get', 'events', '-n', namespace, '--field-selector', selector, '-o', 'jsonpath={.items[*].reason}');
  await expect.poll(told, { timeout: PATIENCE_MS }).toContain('NoPlaceForVolume');
});
