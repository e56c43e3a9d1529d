/** Thin volumes on a kernel that has dm-crypt: discards go through LUKS where that was asked for, and nowhere else. */
import { expect, it } from 'vitest';
import { runGuestTests } from './guest-tests.ts';

it('gives room back through LUKS for thin volumes alone, by a real kernel', async () => {
  const { passed, failures } = await runGuestTests('test/vm/guest/thin.test.ts');
  expect(failures).toEqual([]);
  expect(passed).toBe(9);
});
