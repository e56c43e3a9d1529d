import { expect, test } from 'vitest';
import { VolumeSpec } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { describeEncryption, encryptionOf } from './encryption-state.ts';
import { keySecretName } from './volume-key.ts';

const uid = '0d8ad2c2-1f6b-4f5d-9c3a-5f0a6a1b2c3d';
const keySecret = keySecretName(uid);
const encrypted = { metadata: { uid }, spec: VolumeSpec.parse({ size: '1Gi', encryption: true }) };
const copyOn = (node: string, status?: VolumeCopy['status']): Pick<VolumeCopy, 'spec' | 'status'> => ({
  spec: {
    ...{ volume: 'gv0', volumeUid: uid, node, pool: 'default', role: 'data', index: 0 },
    ...{ engine: 'gluster', brick: 'image', sizeBytes: 1 },
  },
  ...(status === undefined ? {} : { status }),
});

test('a volume in the clear has no such state', () => {
  expect(
    encryptionOf({ metadata: { uid }, spec: VolumeSpec.parse({ size: '1Gi' }) }, [copyOn('kube1')]),
  ).toBeUndefined();
});

test('copies of one kind that are open are told in a word', () => {
  const copies = ['kube1', 'kube2'].map((node) => copyOn(node, { state: 'Ready', encryption: 'luks2' }));
  const state = encryptionOf(encrypted, copies);
  expect(state).toEqual({
    keySecret,
    copies: ['kube1', 'kube2'].map((node) => ({ node, kind: 'luks2', state: 'open' })),
  });
  expect(state && describeEncryption(state)).toBe(`luks2; key in Secret ${keySecret}`);
});

test('copies of several kinds are told by node, and why one is closed', () => {
  const message = 'there is no Secret volume-key-x';
  const state = encryptionOf(encrypted, [
    copyOn('kube1', { state: 'Ready', encryption: 'luks2' }),
    copyOn('kube2', { state: 'Preparing', encryption: 'fscrypt', message }),
    copyOn('kube3'),
  ]);
  expect(state?.copies).toEqual([
    { node: 'kube1', kind: 'luks2', state: 'open' },
    { node: 'kube2', kind: 'fscrypt', state: 'closed', message },
    { node: 'kube3', state: 'closed', message: 'its node has not said anything yet' },
  ]);
  expect(state && describeEncryption(state)).toBe(
    `luks2 on kube1; fscrypt on kube2; not made yet on kube3; closed on kube2: ${message}; closed on kube3: its node has not said anything yet; key in Secret ${keySecret}`,
  );
});
