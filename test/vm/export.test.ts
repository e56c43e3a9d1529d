/** Volumes exported by NFS-Ganesha, to machines whose kernel has an NFS client. */
import { expect, it } from 'vitest';
import { runGuestTests } from './guest-tests.ts';

it('serves a volume of GlusterFS to the clients of a real kernel', async () => {
  const { passed, failures } = await runGuestTests('test/vm/guest/export.test.ts');
  expect(failures).toEqual([]);
  expect(passed).toBe(9);
});
