/** Shares through CSI, by a kernel that has an NFS client. */
import { expect, it } from 'vitest';
import { runGuestTests } from './guest-tests.ts';

it('keeps what CSI promises of shares, where they are really mounted', async () => {
  const { passed, failures } = await runGuestTests('test/vm/guest/shares.test.ts');
  expect(failures).toEqual([]);
  expect(passed).toBe(6);
});
