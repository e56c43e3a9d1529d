/** csi-sanity on volumes of engine nfs, the node service with it, by a kernel that has an NFS client. Needs Go, or csi-sanity built. */
import { expect, it } from 'vitest';
import { buildSanity, whyNoSanity } from '../../tools/sanity/build-sanity.ts';
import { runGuestTests } from './guest-tests.ts';

it.skipIf((await whyNoSanity()) !== undefined)('passes csi-sanity where shares are really mounted', async () => {
  const files = { 'csi-sanity': await buildSanity() };
  const { passed, failures } = await runGuestTests('test/vm/guest/sanity.test.ts', { files });
  expect(failures).toEqual([]);
  expect(passed).toBe(2);
});
