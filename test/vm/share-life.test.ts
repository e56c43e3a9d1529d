/** Lives of volumes on shares, by a kernel that has an NFS client and an NFS server. */
import { expect, it } from 'vitest';
import { runGuestTests } from './guest-tests.ts';

it('answers and does as the model says on mounts of a real kernel', async () => {
  const { passed, failures } = await runGuestTests('test/vm/guest/share-life.test.ts');
  expect(failures).toEqual([]);
  expect(passed).toBe(1);
});
