import { expect, test } from 'vitest';
import { chooseNetwork } from './choose-network.ts';

test('the first free one, with this machine at its end', () => {
  expect(chooseNetwork(['192.168.1.0/24', '127.0.0.1'], [])).toEqual({
    index: 1,
    link: 'hflab1',
    gateway: '10.91.1.254',
  });
});

test.each([
  ['an address in it', ['10.91.1.7']],
  ['the same network', ['10.91.1.0/24']],
  ['a part of it', ['10.91.1.128/25']],
  ['a network around it', ['10.91.0.0/23']],
])('%s takes it', (_, inUse) => {
  expect(chooseNetwork(inUse, []).index).toBe(2);
});

test('that of another lab is taken, even while its interface is not there', () => {
  const first = chooseNetwork([], []);
  expect(chooseNetwork([], [first]).index).toBe(2);
});

test('a network around all of them leaves none, and the error says where to look', () => {
  expect(() => chooseNetwork(['10.0.0.0/8'], [])).toThrow(expect.objectContaining({ kind: 'capacity' }));
});
