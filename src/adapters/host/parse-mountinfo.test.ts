import { expect, test } from 'vitest';
import { parseMountInfo } from './parse-mountinfo.ts';

test('reads targets with spaces and a source with a backslash', () => {
  const line = String.raw`71 28 7:0 / /mnt/a\040b\134c rw,noatime shared:1 master:2 - xfs /dev/loop0 rw,attr2`;
  expect(parseMountInfo(`${line}\n`)).toEqual([
    {
      id: 71,
      device: '7:0',
      target: String.raw`/mnt/a b\c`,
      source: '/dev/loop0',
      fsType: 'xfs',
      root: '/',
      options: ['rw', 'noatime', 'attr2'],
    },
  ]);
});

test('reads a line without optional fields, and keeps the order', () => {
  const text = [
    '22 28 0:20 / /proc rw,relatime - proc proc rw',
    '99 28 0:51 / /data rw - fuse.glusterfs kube1:/gv0 rw,user_id=0',
  ].join('\n');
  expect(parseMountInfo(text).map((entry) => [entry.target, entry.source, entry.fsType])).toEqual([
    ['/proc', 'proc', 'proc'],
    ['/data', 'kube1:/gv0', 'fuse.glusterfs'],
  ]);
});

test('leaves out lines that are none', () => {
  expect(parseMountInfo('\nnonsense\n1 2 3:4 / /x rw -\n')).toEqual([]);
});
