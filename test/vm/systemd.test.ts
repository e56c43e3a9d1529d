/** Services of an installed machine under a real systemd, which no host of a lab has. */
import { expect, it } from 'vitest';
import { runGuestTests } from './guest-tests.ts';

it('keeps the services of a machine running by systemd', async () => {
  const { passed, failures } = await runGuestTests('test/vm/guest/systemd.test.ts', { isUnderSystemd: true });
  expect(failures).toEqual([]);
  expect(passed).toBe(4);
});
