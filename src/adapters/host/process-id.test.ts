import { expect, test } from 'vitest';
import { isAlive, parseProcessStat, readProcessIdSync } from './process-id.ts';

test('a program name with brackets and spaces does not shift the fields', () => {
  const numbers = Array.from({ length: 40 }, (_, index) => String(index + 100));
  // Fields from the third on: state, ppid, pgrp, ... the 22nd is the start time.
  const line = `42 (a) b (c)) S 1 7 ${numbers.join(' ')}`;
  expect(parseProcessStat(line)).toEqual({ state: 'S', parent: 1, group: 7, startTicks: 116 });
});

test('something else than a stat line is no process', () => {
  expect(parseProcessStat('')).toBeUndefined();
  expect(parseProcessStat('42 (x) S 1')).toBeUndefined();
});

test('the same pid with another start time is another process', async () => {
  const self = readProcessIdSync(process.pid);
  if (self === undefined) throw new Error('no /proc');
  expect(await isAlive(self)).toBe(true);
  expect(await isAlive({ ...self, startTicks: self.startTicks - 1 })).toBe(false);
});
