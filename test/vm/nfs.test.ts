/** Shares by a kernel that has an NFS client: what volumes of engine nfs promise, over each version of the protocol. */
import { expect, it } from 'vitest';
import { runGuestTests } from './guest-tests.ts';

it('keeps what volumes on shares promise, mounted by a real kernel', async () => {
  const { passed, failures } = await runGuestTests('test/vm/guest/nfs.test.ts');
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(30);
});
