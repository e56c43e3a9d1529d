import { expect, test } from 'vitest';
import { hasStoppedWriting, writability } from './mount-state.ts';

/** As the kernel lists them of a bind: its own options, then those of the file system behind it. */
test.each([
  ['rw,nosuid,nodev,relatime,rw', 'rw', false],
  ['ro,nosuid,nodev,relatime,rw', 'ro', false],
  ['rw,nosuid,nodev,relatime,ro', 'rw', true],
  ['ro,nosuid,nodev,relatime,ro', 'ro', false],
] as const)('a mount with %s is %s, and has stopped writing: %s', (options, own, hasStopped) => {
  const seen = [...new Set(options.split(','))];
  expect([writability(seen), hasStoppedWriting(seen)]).toEqual([own, hasStopped]);
});
