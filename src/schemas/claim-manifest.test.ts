import { expect, test } from 'vitest';
import { readClaimManifest } from './claim-manifest.ts';

const CLASS = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: driver
parameters: {replicas: "2", csi.storage.k8s.io/fstype: xfs}
mountOptions: [noatime]
`;
const claim = (more = '', spec = '') => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
  namespace: team${more}
spec:
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 2Gi}, limits: {storage: 3Gi}}${spec}
`;
const read = (...documents: readonly string[]) => readClaimManifest(documents.join('---'), 'f.yaml', 'driver');
const NAMED = '\n  storageClassName: fast';

test('a claim gets what its class says; the pod in the same file is passed over', () => {
  const pod = '\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n';
  expect(read(pod, CLASS, claim('', NAMED))).toEqual({
    ...{ namespace: 'team', name: 'data', requiredBytes: 2 * 2 ** 30, limitBytes: 3 * 2 ** 30 },
    ...{ accessModes: ['ReadWriteMany'], parameters: { replicas: '2' }, fsType: 'xfs', mountOptions: ['noatime'] },
  });
});

test('a claim without a class has the default of the file, if there is one', () => {
  expect(read(CLASS, claim()).parameters).toEqual({});
  const usual = CLASS.replace(
    '{name: fast}',
    '{name: x, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}',
  );
  expect(read(usual, claim()).parameters).toEqual({ replicas: '2' });
  const old = '\n  annotations: {volume.beta.kubernetes.io/storage-class: fast}';
  expect(read(CLASS, claim(old)).parameters).toEqual({ replicas: '2' });
});

test.each([
  ['no claim', [CLASS], 'no PersistentVolumeClaim'],
  ['two claims', [claim(), claim()], '2 PersistentVolumeClaims'],
  ['a class that is not there', [claim('', NAMED)], 'no StorageClass "fast"'],
  ['a class of another driver', [CLASS.replace('driver', 'other'), claim('', NAMED)], 'of provisioner other'],
  ['no YAML', ['a: [', claim()], 'is no YAML'],
  ['aliases', [`x: &a [1]\ny: *a\n`, claim()], 'lias'],
])('%s is refused', (_, documents, message) => {
  expect(() => read(...documents)).toThrow(message);
});

test('what cannot be followed is refused at its place', () => {
  const refusal = (text: string) => {
    try {
      return read(text);
    } catch (error) {
      return (error as { faults: readonly { field: string }[] }).faults.map(({ field }) => field);
    }
  };
  expect(refusal(claim('', '\n  volumeMode: Block'))).toEqual(['spec.volumeMode']);
  expect(refusal(claim('', '\n  dataSource: {kind: VolumeSnapshot, name: s}'))).toEqual(['spec.dataSource']);
  expect(refusal(claim().replace('2Gi', 'much'))).toEqual(['spec.resources.requests.storage']);
  expect(refusal(claim().replace('name: data', 'name: ../x'))).toEqual(['metadata.name']);
});
