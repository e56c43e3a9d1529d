import { expect, test } from 'vitest';
import { groupFolders } from './control-groups.ts';

const tree = (target: string, options: readonly string[], root = '/') => ({
  ...{ source: 'cgroup', target, root, options: ['rw', ...options] },
  fsType: options.length === 0 ? 'cgroup2' : 'cgroup',
});

test('version 2 has one group', () => {
  const mounts = [tree('/sys/fs/cgroup', [])];
  expect(groupFolders('0::/kubepods.slice/pod1/engine.scope\n', mounts)).toEqual([
    '/sys/fs/cgroup/kubepods.slice/pod1/engine.scope',
  ]);
});

test('version 1 has one for each hierarchy; those that are not mounted have none', () => {
  const mounts = [
    tree('/sys/fs/cgroup/cpu,cpuacct', ['cpu', 'cpuacct']),
    tree('/sys/fs/cgroup/systemd', ['xattr', 'name=systemd']),
  ];
  const groups = '9:cpu,cpuacct:/pod1/a\n3:freezer:/pod1/a\n1:name=systemd:/pod1/a\n0::/unified\n';
  expect(groupFolders(groups, mounts)).toEqual(['/sys/fs/cgroup/cpu,cpuacct/pod1/a', '/sys/fs/cgroup/systemd/pod1/a']);
});

test('of a machine that is itself a part of another, only that part is mounted', () => {
  const mounts = [tree('/sys/fs/cgroup/pids', ['pids'], '/machine'), tree('/sys/fs/cgroup/cpu', ['cpu'], '/machine')];
  expect(groupFolders('2:pids:/machine/pod1\n3:cpu:/machine\n', mounts)).toEqual([
    '/sys/fs/cgroup/pids/pod1',
    '/sys/fs/cgroup/cpu',
  ]);
  expect(groupFolders('2:pids:/machinery/pod1\n', mounts)).toEqual([]);
});
