/** GlusterFS on a kernel that has dm-crypt: what volumes that are encrypted with LUKS promise. */
import { expect, it } from 'vitest';
import { runGuestTests } from './guest-tests.ts';

it('keeps what volumes of GlusterFS promise, encrypted with LUKS by a real kernel', async () => {
  const { passed, failures } = await runGuestTests('test/vm/guest/gluster.test.ts');
  expect(failures).toEqual([]);
  expect(passed).toBe(5);
});
