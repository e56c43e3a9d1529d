/** LUKS on a kernel that has dm-crypt: what local volumes promise, and that nothing of what they hold is on the disk. */
import { expect, it } from 'vitest';
import { runGuestTests } from './guest-tests.ts';

it('keeps what local volumes promise, encrypted with LUKS by a real kernel', async () => {
  const { passed, failures } = await runGuestTests('test/vm/guest/luks.test.ts');
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(35);
});
