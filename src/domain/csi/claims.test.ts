import { expect, test } from 'vitest';
import { csiModesOf, kubeletPaths, parseClaim, volumeNameOf } from './claims.ts';

/** 64 hexadecimal digits that differ with the text. */
const hash = (text: string) => Buffer.from(text).toString('hex').padEnd(64, '0').slice(-64);

test('a claim in a word has a name, a size, and the parameters of a class', () => {
  const claim = parseClaim('data:1.5Gi:engine=local,csi.storage.k8s.io/fstype=ext4,description=a=b');
  expect(claim).toMatchObject({ namespace: 'default', name: 'data', requiredBytes: 1.5 * 2 ** 30, fsType: 'ext4' });
  expect(claim).toMatchObject({ accessModes: ['ReadWriteOnce'], parameters: { engine: 'local', description: 'a=b' } });
  expect(parseClaim('data:1Gi', 'RWX').accessModes).toEqual(['ReadWriteMany']);
  expect(parseClaim('data:1Gi', 'ReadOnlyMany').accessModes).toEqual(['ReadOnlyMany']);
});

test.each(['', 'data', 'data:', ':1Gi', 'Data:1Gi', 'data:much', 'data:1Gi:engine', 'data:1Gi:=x', '../x:1Gi'])(
  'what is none is refused: %j',
  (text) => {
    expect(() => parseClaim(text)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  },
);

test('what needs Secrets of an API server is refused', () => {
  const text = 'data:1Gi:csi.storage.k8s.io/provisioner-secret-name=keys';
  expect(() => parseClaim(text)).toThrow(expect.objectContaining({ kind: 'unsupported' }));
  expect(() => parseClaim('data:1Gi', 'RW')).toThrow('is no access mode');
});

test('the volume of a claim has one name, which no other claim has, and a label as all ids are', () => {
  const claim = parseClaim('data:1Gi');
  const name = volumeNameOf(claim, hash);
  expect(name).toMatch(/^pvc-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(volumeNameOf({ ...claim, requiredBytes: 1 }, hash)).toBe(name);
  expect(volumeNameOf({ ...claim, uid: 'ABCDEF01-0000-4000-8000-000000000000' }, hash)).toBe(
    'pvc-abcdef01-0000-4000-8000-000000000000',
  );
});

test('of several access modes the strongest is published', () => {
  const claim = parseClaim('data:1Gi');
  expect(csiModesOf({ ...claim, accessModes: ['ReadWriteOnce', 'ReadWriteMany'] })[0]).toBe('MultiNodeMultiWriter');
  expect(csiModesOf({ ...claim, accessModes: ['ReadWriteOnce', 'ReadWriteOncePod'] })[0]).toBe(
    'SingleNodeSingleWriter',
  );
});

test('paths are those of kubelet', () => {
  const about = { driver: 'd', volumeId: 'v', volumeName: 'pv', pod: 'p' };
  expect(kubeletPaths('/k', about, () => 'hash')).toEqual({
    staging: '/k/plugins/kubernetes.io/csi/d/hash/globalmount',
    target: '/k/pods/p/volumes/kubernetes.io~csi/pv/mount',
  });
});
