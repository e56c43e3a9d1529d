import { expect, test } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { applyImported, importManifests } from './import-manifests.ts';

const HEKETI = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast, uid: c0ffee }
provisioner: kubernetes.io/glusterfs
parameters:
  resturl: http://heketi
  restuserkey: secret
  volumetype: replicate:3
`;
const CLAIM = `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
  namespace: team
  annotations:
    volume.beta.kubernetes.io/storage-class: fast
    pv.kubernetes.io/bind-completed: "yes"
spec:
  accessModes: [ ReadWriteOnce ]
  volumeName: pvc-1
  resources: { requests: { storage: 1Gi } }
status: { phase: Bound }
`;
const given = [{ name: 'a.yaml', text: `${HEKETI}---\n${CLAIM}` }];

function imported(): readonly string[] {
  return importManifests(given).map(({ corrected }) => corrected);
}
const client = () => createFakeResourceClient({ clock: createFakeClock(), random: createSeededRandom(1) });
const { signal } = new AbortController();

test('classes keep what has a meaning, claims begin anew, and both say what was left out', () => {
  const [text = ''] = imported();
  expect(text).not.toMatch(/secret|heketi|bind-completed|volumeName|status|uid/);
  expect(text).toMatch(/provisioner: csi.holdfast.dev/);
  expect(text).toMatch(/volumetype: replicate:3/);
  expect(text).toMatch(/storageClassName: fast/);
  const told = importManifests(given).flatMap(({ findings }) => findings.map(({ message }) => message));
  expect(told).toContain('was bound to pvc-1, whose data is not copied: as a new claim it begins empty');
});

test('a label that changed the class, and a parameter that cannot be followed, stand against it', () => {
  const label = CLAIM.replace('  namespace', '  labels: { storageos.com/replicas: "1" }\n  namespace');
  const soft = HEKETI.replace('volumetype: replicate:3', 'storageos.com/failure-mode: soft');
  const rules = importManifests([{ name: 'a', text: `${label}---\n${soft}` }]).flatMap(({ findings }) =>
    findings.filter(({ severity, isFixed }) => severity === 'error' && !isFixed).map(({ rule }) => rule),
  );
  expect(rules).toEqual(['claim-label', 'class-parameter']);
});

test('applied twice it creates once, and a dry run creates nothing', async () => {
  const store = client();
  const actions = async (isDryRun: boolean) =>
    (await applyImported(store, imported(), { isDryRun, signal })).map(({ kind, action }) => `${kind} ${action}`);
  expect(await actions(true)).toEqual(['StorageClass create', 'PersistentVolumeClaim create']);
  expect(store.version()).toBe(0);
  await actions(false);
  expect(await store.get('PersistentVolumeClaim', 'data', { namespace: 'team' })).toMatchObject({
    spec: { storageClassName: 'fast' },
  });
  expect(await actions(false)).toEqual(['StorageClass unchanged', 'PersistentVolumeClaim unchanged']);
});

test('a class of another provisioner in the way: nothing is created', async () => {
  const store = client();
  await store.create('StorageClass', { metadata: { name: 'fast' }, provisioner: 'kubernetes.io/glusterfs' });
  const before = store.version();
  await expect(applyImported(store, imported(), { isDryRun: false, signal })).rejects.toMatchObject({
    reason: 'ClassExists',
  });
  expect(store.version()).toBe(before);
});
