import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

test.each([
  ['hots', ['host', 'ip'], 'host'],
  ['volume', ['volumes', 'storage'], 'volumes'],
  ['VOLUMES', ['volumes'], 'volumes'],
  ['kub2', ['kube1', 'kube2'], 'kube2'],
  ['satus', ['status', 'node'], 'status'],
  ['x', ['status', 'node'], undefined],
  ['', ['status'], undefined],
  ['same', [], undefined],
])('%j among %j means %j', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});
