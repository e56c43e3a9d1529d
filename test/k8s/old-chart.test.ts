/** An older Holdfast, installed by its chart and with volumes in use, becomes the one of today. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERSION } from '../../src/main/version.ts';
import { buildImage } from '../../tools/images/build.ts';
import { IMAGE_ROLES, imageName } from '../../tools/images/images.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { installSnapshotKinds, startSnapshotController } from './holdfast.ts';
import { helmUpgradeAsBefore, helmUpgradeTo, planOfNodes, prepareNodes } from './install.ts';
import {
  ended,
  expectNoWriteLost,
  imagesOf,
  nodesReady,
  PATIENCE_MS,
  podsOf,
  rolledOut,
  startBusy,
} from './installed.ts';
import { giveImage } from './kubelet.ts';
import { claim, PAIR, pod, snapshot, storageClass } from './manifests.ts';
import { buildOldRelease, type OldRelease, whyNoOldRelease } from './old-release.ts';

const OLD = 'old';
const why = await whyNoOldRelease();
if (why !== undefined) console.warn(`SKIPPED: no upgrade from an older chart was tried: ${why}`);

let cluster: Cluster;
beforeAll(async () => {
  if (why !== undefined) return;
  cluster = await startCluster({ name: 'k8soldchart', nodes: 2, hasEngine: false });
  const old = await buildOldRelease(cluster.folder);
  await prepareNodes(cluster);
  await giveOldImages(old);
  await installSnapshotKinds(cluster);
  await startSnapshotController(cluster);
  await helmUpgradeTo(cluster, old.chart, `image.tag=${OLD}`);
  await rolledOut(cluster, 'deployment/holdfast-controller', 'daemonset/holdfast-node');
  await applyPlanOf(old);
  await nodesReady(cluster);
});
afterAll(() => cluster?.remove());

/** Its program on the Debian of today. */
async function giveOldImages({ folder }: OldRelease): Promise<void> {
  for (const role of IMAGE_ROLES) {
    const archive = await buildImage(role, (line) => console.log(line), OLD, folder);
    for (const host of cluster.lab.hostNames) await giveImage(cluster.lab.host(host), archive);
  }
}

/** As its own program writes it: fields that are younger are none of its kinds. */
async function applyPlanOf({ folder }: OldRelease): Promise<void> {
  const { composed, kubeconfig } = cluster;
  const file = join(cluster.folder, 'plan.json');
  const { storage, ...rest } = await planOfNodes(cluster);
  const plan = { ...rest, storage: { ...storage, expected_count: storage.nodes.length } };
  await writeFile(file, JSON.stringify(plan));
  const args = [join(folder, 'dist/main.mjs'), 'plan', 'apply', '--kubeconfig', kubeconfig, '--yes', '-f', file];
  await composed.machine.run({ file: composed.installation.node, args, timeoutMs: PATIENCE_MS });
}

test.skipIf(why !== undefined)('no write of a pod is lost on the way, and engines stay', async () => {
  const { kubectl, lab } = cluster;
  await kubectl.apply(
    storageClass({ name: 'both', parameters: PAIR }),
    claim({ name: 'team', storageClass: 'both', size: '128Mi', accessMode: 'ReadWriteMany' }),
    claim({ name: 'notes', storageClass: 'holdfast-local', size: '128Mi' }),
  );
  await startBusy(cluster, 'team', 'notes');
  const engines = await podsOf(cluster, 'engine');
  expect(await imagesOf(cluster, 'node')).toEqual(lab.hostNames.map(() => imageName('node', OLD)));
  const tag = `image.tag=${VERSION}`;
  // Old defaults know nothing of what the new chart has.
  await expect(helmUpgradeAsBefore(cluster, '--reuse-values', tag)).rejects.toThrow(/kubeApiQps/);
  await helmUpgradeAsBefore(cluster, '--reset-then-reuse-values', tag);
  await rolledOut(cluster, 'deployment/holdfast-controller', 'daemonset/holdfast-node');
  expect(await imagesOf(cluster, 'node')).toEqual(lab.hostNames.map(() => imageName('node')));
  expect(await podsOf(cluster, 'engine')).toBe(engines);
  await nodesReady(cluster);
  await expectNoWriteLost(cluster, 'team');
});

test.skipIf(why !== undefined)('volumes of before are snapshotted, used on the other node and removed', async () => {
  const { kubectl } = cluster;
  const volume = await kubectl.read('pvc/team', '{.spec.volumeName}');
  await kubectl.until(`volume/${volume}`, 'condition=Redundant', PATIENCE_MS);
  await kubectl.apply(snapshot({ name: 'moment', claim: 'team' }));
  await kubectl.until('volumesnapshot/moment', 'jsonpath={.status.readyToUse}=true', PATIENCE_MS);
  await kubectl.apply(pod({ name: 'reader', claim: 'team', node: 'kube2', script: 'stat -c %s /data/log' }));
  expect(Number(await ended(cluster, 'reader'))).toBeGreaterThan(0);
  await kubectl.run('delete', 'volumesnapshot/moment', '--wait');
  await kubectl.run('delete', 'pod/busy', 'pod/stopper', 'pod/reader', '--wait');
  await kubectl.run('delete', 'pvc/team', 'pvc/notes', '--wait');
  await expect.poll(() => kubectl.run('get', 'pv', '-o', 'name'), { timeout: PATIENCE_MS }).toBe('');
});
