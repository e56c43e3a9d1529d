import { expect, test } from 'vitest';
import type { AppError } from '../errors.ts';
import { keySecret, readKey } from './volume-key.ts';

const KEY = 'a-key-Of_64-characters-as-they-are-made-of-48-random-bytes-01234';
const owner = { kind: 'volume', name: 'safe', uid: 'c0ffee00-0000-4000-8000-000000000001' } as const;

test('a key comes out of its Secret as it went in', () => {
  const secret = keySecret(owner, KEY, ['kube2', 'kube1', 'kube2']);
  expect(readKey(secret)).toBe(KEY);
  expect(secret).toMatchObject({
    immutable: true,
    metadata: {
      name: `volume-key-${owner.uid}`,
      finalizers: ['holdfast.dev/volume-key'],
      annotations: { 'holdfast.dev/key-nodes': 'kube1,kube2' },
    },
  });
  expect(JSON.stringify(secret)).not.toContain(KEY);
});

test.each([
  ['nothing', undefined],
  ['no base64', '%%%'],
  ['too short a key', btoa('short')],
  ['too long a key', btoa('x'.repeat(65))],
  ['a line break, which xfs_io would take as part of it', btoa(`${'x'.repeat(63)}\n`)],
  ['bytes that are no letters', btoa('\u00ff'.repeat(64))],
])('%s is no key, and is not repeated', (_what, value) => {
  const metadata = { name: 'volume-key-1' };
  const read = () => readKey({ metadata, data: value === undefined ? {} : { key: value } });
  expect(read).toThrow(/^Secret volume-key-1 holds no key of a volume$/);
  try {
    read();
  } catch (error) {
    const { reason, hint = '' } = error as AppError;
    expect(reason).toBe('KeyUnreadable');
    expect(hint).not.toContain(value ?? 'xxx');
  }
});
