/** Volumes that claims can have, on holdfast's own command line: Kismatic's flags with our words. */
import { expect, test } from 'vitest';
import { createFakeCluster } from '../../src/usecases/cluster.fake.ts';
import { makeReadyWhenStored, runAs } from './kismatic-cli.ts';

test('the flags work there too, also as Go writes them, and --wait registers', async () => {
  const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
  const flags = ['-c="durable"', '-r=3', '-d=1', '-a=10.0.0.1', '--access-modes', 'ReadOnlyMany', '--wait'];
  const adding = runAs('holdfast', ['volume', 'add', '1', 'gv0', ...flags.map((flag) => flag.replaceAll('"', ''))], {
    cluster,
  });
  await makeReadyWhenStored(cluster, 'gv0');
  expect(await adding).toEqual({
    code: 0,
    stdout: 'volume gv0 (1Gi, replicated 3) is ready\n',
    stderr:
      '3 data on kube1, kube2, kube3\n' + 'PersistentVolume gv0 (class durable, ReadOnlyMany, Retain) is registered\n',
  });
  expect((await cluster.client.get('Volume', 'gv0'))?.spec.allowFrom).toEqual(['10.0.0.1']);
});

test('-o raw tells each state on the way, --verbose why each copy goes where it goes; other commands have neither form', async () => {
  const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
  const adding = runAs('holdfast', ['volume', 'add', '1', 'gv0', '--wait', '-o', 'raw', '--verbose'], { cluster });
  await makeReadyWhenStored(cluster, 'gv0');
  const { code, stdout, stderr } = await adding;
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'volume gv0 (1Gi, replicated 3) is ready\n' });
  expect(stderr).toMatch(/^Pending: /m);
  expect(stderr).toMatch(/^copy 0 \(data\) on kube1, pool default: node kube1 has no copy/m);
  const quiet = await runAs('holdfast', ['volume', 'add', '1', 'gv1', '-o', 'simple'], { cluster });
  expect(quiet.stderr).not.toMatch(/^(?:Pending:|copy 0) /m);
  expect(await runAs('holdfast', ['volume', 'list', '-o', 'raw'], { cluster })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('-o raw is a form of: holdfast volume add, holdfast volume delete'),
  });
});

test('a volume that is there already, with its PersistentVolume, is an error, as for kubectl create', async () => {
  const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
  const args = ['volume', 'add', '1', 'gv0', '--wait'];
  const adding = runAs('holdfast', args, { cluster });
  await makeReadyWhenStored(cluster, 'gv0');
  expect((await adding).code).toBe(0);
  expect(await runAs('holdfast', args, { cluster })).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('error: volume gv0 exists already\n'),
  });
});

test('ensure-default makes one share, says where it is kept, and finds it again', async () => {
  const cluster = await createFakeCluster();
  const pools = [{ name: 'default', path: '/p', isReady: true, capacityBytes: 2 ** 36, freeBytes: 2 ** 36 }];
  for (const name of ['kube1', 'kube2', 'kube3']) await cluster.addNode(name, { pools });
  const first = await runAs('holdfast', ['volume', 'ensure-default'], { cluster });
  expect(first).toMatchObject({ code: 0, stdout: 'kismatic-default\n' });
  expect(first.stderr).toContain('is registered when the volume is ready: repeat the command with --wait\n');
  await cluster.makeReady('kismatic-default');
  expect(await runAs('holdfast', ['volume', 'ensure-default', '--wait'], { cluster })).toEqual({
    code: 0,
    stdout: 'kismatic-default\n',
    stderr: 'PersistentVolume kismatic-default is kept for the claim kube-system/kismatic-default\n',
  });
});
