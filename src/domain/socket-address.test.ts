import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSocketAddress, parseSocketAddress } from './socket-address.ts';

test.each([
  ['10.0.0.9:7410', { host: '10.0.0.9', port: 7410 }],
  ['ledger-1.example:0', { host: 'ledger-1.example', port: 0 }],
  ['[::1]:65535', { host: '::1', port: 65_535 }],
  ['[fd00::A]:443', { host: 'fd00::A', port: 443 }],
])('%s is read, and written the same', (text, address) => {
  expect(parseSocketAddress(text)).toEqual(address);
  expect(formatSocketAddress(address)).toBe(text);
});

test.each([
  '',
  'host',
  ':7410',
  'host:',
  'host:65536',
  'host:123456',
  'host:-1',
  'host:1e3',
  '::1:7410',
  '[::1]',
  '[host]:1',
  '[a]:1',
  'a b:1',
  'a/b:1',
  '$(id):1',
  'a\n:1',
  'host:1\n',
])('%j is refused', (text) => {
  expect(() => parseSocketAddress(text)).toThrow('expected HOST:PORT');
});

test('whatever is read is safe in a URL', () => {
  const text = fc.string({ unit: fc.constantFrom(...'aZ09.-_:[]/@?#%\\ \n\0é'.split('')) });
  fc.assert(
    fc.property(text, fc.nat(70_000), (host, port) => {
      const written = `${host}:${port}`;
      let read: ReturnType<typeof parseSocketAddress>;
      try {
        read = parseSocketAddress(written);
      } catch {
        return; // Refused, as most are.
      }
      expect(formatSocketAddress(read)).toBe(written);
      expect(written).toMatch(/^[\w.:[\]-]+:\d+$/);
    }),
  );
});
