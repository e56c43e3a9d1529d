/** Classes and quotas on a real Kubernetes: what they allow, what becomes of a volume, and many pods of several nodes on one. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { messageOf } from '../../src/domain/errors.ts';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { NODES, nodeUser } from '../../src/shells/kube-api/authorize.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { auditLog } from './control-plane.ts';
import { holdfast, runHoldfast } from './holdfast.ts';
import { claim, PAIR, pod, storageClass } from './manifests.ts';

const PATIENCE_MS = 180_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ name: 'k8sclasses', nodes: 2 });
  await runHoldfast(cluster);
});
afterAll(() => cluster?.remove());

const volumeOf = (name: string): Promise<string> => cluster.kubectl.read(`pvc/${name}`, '{.spec.volumeName}');

test('ten writers and ten readers of both nodes use one claim at once, and read what was written', async () => {
  const { kubectl } = cluster;
  await kubectl.apply(
    storageClass({ name: 'shared', parameters: PAIR }),
    claim({ name: 'team', storageClass: 'shared', size: '256Mi', accessMode: 'ReadWriteMany' }),
  );
  const numbers = Array.from({ length: 10 }, (_, at) => at);
  const nodeOf = (at: number) => ({ node: at % 2 === 0 ? 'kube1' : 'kube2' });
  const write = (at: number): string => `
    n=0; while [ $n -lt 50 ]; do n=$((n+1)); echo "writer ${at} line $n" >> /data/${at}.part; done
    dd if=/dev/urandom of=/data/${at}.bytes bs=64k count=8 2>/dev/null; sync
    cd /data; sha256sum ${at}.part ${at}.bytes > ${at}.sum; sync; echo > ${at}.done`;
  // Each reader goes by what it sees itself: the sums are of the writers, the bytes of its own node's mount.
  const read = `cd /data; for w in 0 1 2 3 4 5 6 7 8 9; do
      until test -e $w.done; do sleep 1; done; sha256sum -c $w.sum; done`;
  await kubectl.apply(
    ...numbers.flatMap((at) => [
      pod({ name: `writer-${at}`, claim: 'team', script: write(at), ...nodeOf(at) }),
      pod({ name: `reader-${at}`, claim: 'team', script: read, ...nodeOf(at + 1) }),
    ]),
  );
  for (const at of numbers) {
    await kubectl.until(`pod/reader-${at}`, 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
    const checked = await kubectl.run('logs', `reader-${at}`);
    expect(checked.match(/: OK$/gm)).toHaveLength(20);
  }
  const pods = numbers.flatMap((at) => [`pod/writer-${at}`, `pod/reader-${at}`]);
  await kubectl.run('delete', ...pods, '--wait');
  await kubectl.run('delete', 'pvc/team', '--wait');
});

test('a quota by class holds for new claims and for growth, and leaves other classes alone', async () => {
  const { kubectl } = cluster;
  const prefix = 'shared.storageclass.storage.k8s.io';
  const hard = { [`${prefix}/requests.storage`]: '300Mi', [`${prefix}/persistentvolumeclaims`]: '2' };
  await kubectl.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'storage', namespace: 'shop' }, spec: { hard } },
  );
  const inShop = { namespace: 'shop', accessMode: 'ReadWriteMany' } as const;
  await kubectl.run('wait', 'resourcequota/storage', '-n', 'shop', '--for=jsonpath={.status.hard}', '--timeout=60s');
  await kubectl.apply(claim({ ...inShop, name: 'cart', storageClass: 'shared', size: '200Mi' }));
  const bound = ['--for=jsonpath={.status.phase}=Bound', '--timeout=120s'];
  await kubectl.run('wait', 'pvc/cart', '-n', 'shop', ...bound);
  await expect(
    kubectl.apply(claim({ ...inShop, name: 'more', storageClass: 'shared', size: '200Mi' })),
  ).rejects.toThrow(/exceeded quota: storage/);
  const growth = '{"spec":{"resources":{"requests":{"storage":"400Mi"}}}}';
  await expect(kubectl.run('patch', 'pvc/cart', '-n', 'shop', '-p', growth)).rejects.toThrow(/exceeded quota/);
  await kubectl.apply(claim({ namespace: 'shop', name: 'own', storageClass: 'holdfast-local', size: '1Gi' }));
  await kubectl.run('delete', 'namespace/shop', '--wait');
});

test('a claim that names no class gets the default one, also when that comes later', async () => {
  const { kubectl } = cluster;
  const { spec, ...rest } = claim({ name: 'plain', storageClass: '', size: '128Mi', accessMode: 'ReadWriteMany' }) as {
    readonly spec: Record<string, unknown>;
  };
  const { storageClassName: _none, ...without } = spec;
  await kubectl.apply({ ...rest, spec: without });
  await kubectl.run('annotate', 'storageclass/shared', 'storageclass.kubernetes.io/is-default-class=true');
  await kubectl.until('pvc/plain', 'jsonpath={.status.phase}=Bound', PATIENCE_MS);
  expect(await kubectl.read('pvc/plain', '{.spec.storageClassName}')).toBe('shared');
  const volume = await volumeOf('plain');
  await kubectl.run('delete', 'pvc/plain', '--wait');
  // The class says nothing of it, and then it is Delete.
  await kubectl.until(`pv/${volume}`, 'delete', PATIENCE_MS);
  expect(await cluster.client.get('Volume', volume)).toBeUndefined();
});

test('a volume whose class says Retain outlives its claim, with what it holds, and another claim may have it', async () => {
  const { kubectl, client } = cluster;
  await kubectl.apply(
    { ...storageClass({ name: 'kept', parameters: PAIR }), reclaimPolicy: 'Retain' },
    claim({ name: 'ledger', storageClass: 'kept', size: '128Mi', accessMode: 'ReadWriteMany' }),
    pod({ name: 'scribe', claim: 'ledger', script: 'echo kept > /data/note; sync' }),
  );
  await kubectl.until('pod/scribe', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  const volume = await volumeOf('ledger');
  await kubectl.run('delete', 'pod/scribe', 'pvc/ledger', '--wait');
  await kubectl.until(`pv/${volume}`, 'jsonpath={.status.phase}=Released', PATIENCE_MS);
  expect(await client.get('Volume', volume)).toBeDefined();
  await kubectl.run('patch', `pv/${volume}`, '--type=json', '-p', '[{"op":"remove","path":"/spec/claimRef"}]');
  const again = claim({ name: 'heir', storageClass: 'kept', size: '128Mi', accessMode: 'ReadWriteMany' });
  await kubectl.apply(
    { ...again, spec: { ...(again as { spec: object }).spec, volumeName: volume } },
    pod({ name: 'auditor', claim: 'heir', script: 'cat /data/note' }),
  );
  await kubectl.until('pod/auditor', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  expect(await kubectl.run('logs', 'auditor')).toBe('kept\n');
  await kubectl.run('delete', 'pod/auditor', 'pvc/heir', '--wait');
});

test('a volume added by hand with policy Recycle comes back empty, for any claim of its class', async () => {
  const { kubectl, client } = cluster;
  const options = ['-r', '1', '-c', 'kismatic', '--reclaim-policy', 'Recycle', '--wait', '--yes'];
  await holdfast(cluster, 'volume', 'add', '128Mi', 'scratch', ...options);
  const old = (await client.get('Volume', 'scratch'))?.metadata.uid;
  const wish = { storageClass: 'kismatic', size: '100Mi', accessMode: 'ReadWriteMany' } as const;
  await kubectl.apply(
    claim({ ...wish, name: 'tenant' }),
    pod({ name: 'leaves', claim: 'tenant', script: 'echo private > /data/note; echo > /data/.hidden; sync' }),
  );
  await kubectl.until('pod/leaves', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  await kubectl.run('delete', 'pod/leaves', 'pvc/tenant', '--wait');
  await kubectl.until('pv/scratch', 'jsonpath={.status.phase}=Available', PATIENCE_MS);
  expect((await client.get('Volume', 'scratch'))?.metadata.uid).not.toBe(old);
  await kubectl.apply(
    claim({ ...wish, name: 'next' }),
    pod({ name: 'finds', claim: 'next', script: 'ls -A /data; echo it holds nothing else' }),
  );
  await kubectl.until('pod/finds', 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  expect(await kubectl.read('pvc/next', '{.spec.volumeName}')).toBe('scratch');
  expect(await kubectl.run('logs', 'finds')).toBe('it holds nothing else\n');
  await kubectl.run('delete', 'pod/finds', 'pvc/next', '--wait');
});

/** Whether the agent of a node may read the Secret of a volume's key. */
async function mayReadKey(node: string, volumeUid: string): Promise<boolean> {
  return mayRead(volumeUid, ['--as', nodeUser(node), '--as-group', NODES]);
}

async function mayRead(volumeUid: string, who: readonly string[]): Promise<boolean> {
  const answer = await cluster.kubectl
    .run('auth', 'can-i', 'get', `secret/volume-key-${volumeUid}`, '-n', SYSTEM_NAMESPACE, ...who)
    // It ends with 1 where the answer is no.
    .catch((error: unknown) => messageOf(error));
  return answer.startsWith('yes');
}

/** The logs of all programs that hold a text. */
async function logsWith(text: string): Promise<readonly string[]> {
  const { lab, folder } = cluster;
  const logs = [
    ...Object.keys((await lab.record()).machineDaemons).map((name) => lab.logOfMachineDaemon(name)),
    ...lab.hostNames.flatMap((host) => [lab.logOf(host, 'agent'), lab.logOf(host, 'kubelet')]),
    auditLog(folder),
  ];
  const texts = await Promise.all(logs.map((path) => readFile(path, 'utf8')));
  return logs.filter((_, at) => texts[at]?.includes(text) === true);
}

test('encrypted claims: keys made or given, read by the agents of the copies alone, and in no log', async () => {
  const { kubectl, client, lab } = cluster;
  const key = 'a-key-that-is-nowhere-else-in-all-the-logs-0123';
  const secretOf = { name: 'holdfast-class', namespace: SYSTEM_NAMESPACE };
  const given = Object.fromEntries(
    Object.entries(secretOf).map(([field, value]) => [`csi.storage.k8s.io/provisioner-secret-${field}`, value]),
  );
  await kubectl.apply(
    { apiVersion: 'v1', kind: 'Secret', metadata: secretOf, stringData: { encryptionKey: key } },
    storageClass({ name: 'made-key', parameters: { ...PAIR, encryption: 'true' } }),
    storageClass({ name: 'given-key', parameters: { engine: 'local', encryption: 'true', ...given } }),
    claim({ name: 'letters', storageClass: 'made-key', size: '128Mi', accessMode: 'ReadWriteMany' }),
    claim({ name: 'diary', storageClass: 'given-key', size: '128Mi' }),
    ...['letters', 'diary'].map((name) =>
      pod({ name: `writes-${name}`, claim: name, script: 'echo dear > /data/a; sync' }),
    ),
  );
  for (const name of ['letters', 'diary']) {
    await kubectl.until(`pod/writes-${name}`, 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
    await kubectl.run('delete', `pod/writes-${name}`, '--wait');
    await kubectl.apply(pod({ name: `reads-${name}`, claim: name, script: 'cat /data/a' }));
    await kubectl.until(`pod/reads-${name}`, 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
    expect(await kubectl.run('logs', `reads-${name}`)).toBe('dear\n');
  }
  const diary = await client.get('Volume', await volumeOf('diary'));
  if (diary === undefined) throw new Error('the claim has no volume');
  const { uid } = diary.metadata;
  const at = await Promise.all(lab.hostNames.map((host) => mayReadKey(host, uid)));
  expect(await kubectl.read(`secret/volume-key-${uid}`, '{.data.key}', SYSTEM_NAMESPACE)).toBe(btoa(key));
  const homes = (diary.status?.placement ?? []).map(({ node }) => node);
  expect(lab.hostNames.filter((_, index) => at[index])).toEqual(homes);
  const agentsInPods = ['--as', `system:serviceaccount:${SYSTEM_NAMESPACE}:holdfast-node`];
  expect(await mayRead(uid, agentsInPods)).toBe(true);
  for (const secret of [key, btoa(key)]) expect(await logsWith(secret)).toEqual([]);
  await kubectl.run('delete', 'pod/reads-letters', 'pod/reads-diary', 'pvc/letters', 'pvc/diary', '--wait');
  for (const what of ['role', 'rolebinding', 'secret']) {
    await kubectl.run('wait', `${what}/volume-key-${uid}`, '-n', SYSTEM_NAMESPACE, '--for=delete', '--timeout=120s');
  }
});
