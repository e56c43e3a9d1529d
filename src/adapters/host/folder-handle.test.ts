import { expect, test } from 'vitest';
import { readHandle } from './folder-handle.ts';

const signal = new AbortController().signal;
const told = (handle: string) =>
  `pos:\t0\nino:\t12\ninotify wd:1 ino:9b8959 sdev:fe00000 mask:fc6 ignored_mask:0 fhandle-bytes:8 ${handle}\n`;

test.each([
  ['of ext4', told('fhandle-type:1 f_handle:59899b006a268705'), '1:59899b006a268705'],
  ['of a server, over NFS', told('fhandle-type:8 f_handle:000000000c00020000400000'), '8:000000000c00020000400000'],
  ['that the kernel made of the inode alone', told('fhandle-type:1 f_handle:0c00020000000000'), undefined],
  ['where nothing is told of one', 'pos:\t0\ninotify wd:1 ino:5 sdev:1b mask:fc6 ignored_mask:0\n', undefined],
])('reads a handle %s', async (_what, stdout, handle) => {
  expect(await readHandle({ run: async () => ({ stdout, stderr: '', code: 0 }) }, '/proc/1/fd/9', signal)).toBe(handle);
});
