/** The controller on a real Kubernetes: it explains what waits, rests when nothing changes, and bears an API server that is away. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClaimExplanation } from '../../src/usecases/explain/claim-words.ts';
import { answers, type Cluster, startCluster } from './cluster.ts';
import { auditLog, startApiServer } from './control-plane.ts';
import { holdfast, runHoldfast } from './holdfast.ts';
import { claim, PAIR, pod, storageClass } from './manifests.ts';

const PATIENCE_MS = 120_000;
const QUIET_MS = 60_000;
const OUTAGE_MS = 20_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ name: 'k8scontrol', nodes: 2 });
  await runHoldfast(cluster);
});
afterAll(() => cluster?.remove());

interface SeenEvent {
  readonly message: string;
  readonly count: number;
}

/** Those with a reason of ours about an object; waits until there is one. */
async function eventsAbout(kind: string, name: string, reason: string): Promise<readonly SeenEvent[]> {
  const selector = `involvedObject.kind=${kind},involvedObject.name=${name},reason=${reason}`;
  const read = async (): Promise<readonly SeenEvent[]> =>
    JSON.parse(await cluster.kubectl.run('get', 'events', '--field-selector', selector, '-o', 'json')).items;
  await expect.poll(read, { timeout: PATIENCE_MS }).not.toEqual([]);
  return read();
}

test('a claim that fits nowhere has an event, so has its pod, and explain says the same', async () => {
  const { kubectl } = cluster;
  await kubectl.apply(
    claim({ name: 'huge', storageClass: 'holdfast-local', size: '1Ti' }),
    pod({ name: 'needs-huge', claim: 'huge', script: 'true' }),
  );
  const [told, ...others] = await eventsAbout('PersistentVolumeClaim', 'huge', 'NoPlaceForVolume');
  expect(others).toEqual([]);
  const [ofPod] = await eventsAbout('Pod', 'needs-huge', 'NoPlaceForVolume');
  expect(ofPod?.message).toBe(`claim huge: ${told?.message}`);
  const explained: ClaimExplanation = JSON.parse(await holdfast(cluster, 'explain', 'claim', 'huge', '-o', 'json'));
  expect(explained).toMatchObject({ reason: 'NoPlaceForVolume', pods: ['needs-huge'] });
  expect(explained.details.map((detail) => detail.split(':')[0])).toEqual(['node kube1', 'node kube2']);
  expect(told?.message).toContain(explained.message);
});

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly name?: string; readonly subresource?: string };
  readonly stageTimestamp: string;
}

/** What Holdfast wrote, but for its signs of life. */
async function writes(): Promise<readonly AuditEvent[]> {
  const lines = (await readFile(auditLog(cluster.folder), 'utf8')).split('\n').slice(0, -1);
  const all = lines.map((line): AuditEvent => JSON.parse(line));
  return all.filter(({ objectRef }) => objectRef?.resource !== 'leases');
}

test('nothing is written for a minute while nothing changes, with a claim that waits and a volume in use', async () => {
  const { kubectl } = cluster;
  const count = 'n=0; while :; do n=$((n+1)); echo $n >> /data/log; sleep 1; done';
  await kubectl.apply(
    storageClass({ name: 'pair', parameters: PAIR }),
    claim({ name: 'steady', storageClass: 'pair', size: '128Mi', accessMode: 'ReadWriteMany' }),
    pod({ name: 'counter', claim: 'steady', node: 'kube2', script: count }),
  );
  await kubectl.until('pod/counter', 'jsonpath={.status.phase}=Running', PATIENCE_MS);
  const quietFor = async () => {
    const last = (await writes()).at(-1);
    return last === undefined ? 0 : Date.now() - Date.parse(last.stageTimestamp);
  };
  const seen = (await writes()).length;
  expect(seen).toBeGreaterThan(0);
  await expect.poll(quietFor, { timeout: 3 * PATIENCE_MS, interval: 2_000 }).toBeGreaterThan(QUIET_MS);
  const [told] = await eventsAbout('PersistentVolumeClaim', 'huge', 'NoPlaceForVolume');
  expect(told?.count).toBe(1);
});

test('an API server that is away for twenty seconds stops no pod and loses nothing, and work goes on after it', async () => {
  const { lab, composed, client, kubectl } = cluster;
  const { clock, machine } = composed;
  const record = async () => {
    const { machineDaemons, hosts } = await lab.record();
    return { ...machineDaemons, ...Object.fromEntries(hosts.map((host) => [host.name, host.daemons['agent']])) };
  };
  const before = await record();
  const volumes = async () => (await client.list('Volume')).items.map(({ metadata }) => metadata.uid);
  const volumesBefore = await volumes();
  const podBefore = await kubectl.read('pod/counter', '{.metadata.uid}');
  const [mount] = (await client.list('VolumeAttachmentRecord')).items.filter(({ spec }) => spec.node === 'kube2');
  const lines = async () => {
    const text = await lab.host('kube2').files.readText(join(mount?.spec.mountPath ?? '', 'log'));
    return text.trim().split('\n').map(Number);
  };

  const server = before['kube-apiserver'];
  if (server === undefined) throw new Error('the API server is not recorded');
  await machine.processes.stop(server, { graceMs: 0 });
  const atOutage = (await lines()).length;
  await clock.sleep(OUTAGE_MS);
  expect((await lines()).length).toBeGreaterThan(atOutage);
  await startApiServer(cluster);
  await answers(kubectl, clock);

  await kubectl.apply(claim({ name: 'later', storageClass: 'pair', size: '128Mi', accessMode: 'ReadWriteMany' }));
  await kubectl.until('pvc/later', 'jsonpath={.status.phase}=Bound', PATIENCE_MS);
  expect(await volumes()).toEqual(expect.arrayContaining(volumesBefore));
  expect(await kubectl.read('pod/counter', '{.metadata.uid} {.status.containerStatuses[0].restartCount}')).toBe(
    `${podBefore} 0`,
  );
  const written = await lines();
  expect(written).toEqual(written.map((_, at) => at + 1));
  const { 'kube-apiserver': _old, ...others } = before;
  const { 'kube-apiserver': _new, ...now } = await record();
  expect(now).toEqual(others);
  for (const id of Object.values(now)) {
    expect(id !== undefined && (await machine.processes.isAlive(id))).toBe(true);
  }
});
