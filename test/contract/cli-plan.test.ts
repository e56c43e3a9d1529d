/** Plans on the command line: written, compared, applied, exported, and the same again. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';
import { type CliRun, runAs } from './kismatic-cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-plan-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function plan(cluster: FakeCluster, args: readonly string[], input?: string): Promise<CliRun> {
  return runAs('holdfast', ['plan', ...args], { cluster, ...(input === undefined ? {} : { input }) });
}

const node = (number: number, more: object = {}) => ({
  host: `kube${number}`,
  ip: `10.91.0.${number}`,
  pools: [{ name: 'default', path: '/mnt/holdfast' }],
  ...more,
});
const planText = (nodes: readonly object[], volumes: readonly object[] = []) =>
  stringify({ storage: { expected_count: nodes.length, nodes }, volumes });

describe('plan new', () => {
  test('writes a plan that is valid and can be applied, and never over a file', async () => {
    const cluster = await createFakeCluster();
    const file = join(folder, 'new.yaml');
    expect(await plan(cluster, ['new', '-f', file])).toEqual({
      code: 0,
      stdout: `${file} is written: fill it in, then: holdfast plan validate -f ${file}\n`,
      stderr: '',
    });
    const text = readFileSync(file, 'utf8');
    expect(await plan(cluster, ['validate', '-f', file])).toMatchObject({ code: 0, stderr: '' });
    expect(await plan(cluster, ['apply', '-f', file])).toMatchObject({ code: 0 });
    writeFileSync(file, `${text}# mine\n`);
    expect(await plan(cluster, ['new', '-f', file])).toEqual({
      code: 5,
      stdout: '',
      stderr: `error: cannot write ${file}: it is there already\nhint: name another file with -f, or move that one away\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe(`${text}# mine\n`);
    expect(await plan(cluster, ['new', '-f', '-'])).toEqual({ code: 0, stdout: text, stderr: '' });
  });

  test('a folder that is not there is told', async () => {
    const run = await plan(await createFakeCluster(), ['new', '-f', join(folder, 'no/such/file')]);
    expect(run).toMatchObject({ code: 4, stdout: '' });
    expect(run.stderr).toContain('its folder is not there');
  });
});

describe('plan diff', () => {
  test('ends with 1 and tells what apply would do, and with 0 when there is nothing', async () => {
    const cluster = await createFakeCluster();
    const text = planText([node(1), node(2), node(3)], [{ name: 'gv0', size: '1Gi' }]);
    const before = cluster.client.version();
    const first = await plan(cluster, ['diff', '-f', '-'], text);
    expect(first.code).toBe(1);
    expect(first.stderr).toBe('');
    expect(first.stdout).toMatch(/^KIND +NAME +ACTION +CHANGE\nStorageNode +kube1 +create +-\n/);
    expect(cluster.client.version()).toBe(before);
    await plan(cluster, ['apply', '-f', '-'], text);
    expect(await plan(cluster, ['diff', '-f', '-'], text)).toEqual({ code: 0, stdout: '', stderr: 'no differences\n' });
  });

  test('names the fields of what is there and their values', async () => {
    const cluster = await createFakeCluster();
    const nodes = [node(1, { zone: 'a' }), node(2), node(3)];
    await plan(cluster, ['apply', '-f', '-'], planText(nodes, [{ name: 'gv0', size: '1Gi' }]));
    const changed = planText([node(1), node(2), node(3)], [{ name: 'gv0', size: '1Gi', allow: ['10.0.0.1'] }]);
    const run = await plan(cluster, ['diff', '-f', '-'], changed);
    expect(run).toEqual({
      code: 1,
      stdout:
        'KIND          NAME    ACTION   CHANGE\n' +
        'StorageNode   kube1   update   spec.zone: "a" -> nothing\n' +
        'Volume        gv0     update   spec.allowFrom: nothing -> ["10.0.0.1"]\n',
      stderr: '',
    });
    const json = JSON.parse((await plan(cluster, ['diff', '-f', '-', '-o', 'json'], changed)).stdout) as unknown;
    expect(json).toEqual({
      changes: [
        { kind: 'StorageNode', name: 'kube1', action: 'update', fields: [{ field: 'spec.zone', from: 'a' }] },
        { kind: 'Volume', name: 'gv0', action: 'update', fields: [{ field: 'spec.allowFrom', to: ['10.0.0.1'] }] },
      ],
      notices: [],
    });
  });

  test('what cannot be done is an error of its own code, as apply has it', async () => {
    const cluster = await createFakeCluster();
    const nodes = [node(1), node(2), node(3)];
    await plan(cluster, ['apply', '-f', '-'], planText(nodes, [{ name: 'gv0', size: '1Gi' }]));
    const run = await plan(cluster, ['diff', '-f', '-'], planText(nodes, [{ name: 'gv0', size: '512Mi' }]));
    expect(run).toMatchObject({ code: 5, stdout: '' });
    expect(run.stderr).toMatch(/^error: the plan contradicts what is there in 1 place\n {2}volume gv0 size: /);
    expect(await plan(cluster, ['diff', '-f', '-'], 'nonsense: 1\n')).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('plan export', () => {
  test('an empty cluster is a plan without anything', async () => {
    const run = await plan(await createFakeCluster(), ['export']);
    expect(run).toEqual({ code: 0, stdout: 'storage:\n  expected_count: 0\n  nodes: []\n', stderr: '' });
  });

  test('what a plan has no words for is noted, and what is going is left out', async () => {
    const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
    await cluster.client.patch('StorageNode', 'kube1', { spec: { isCordoned: true } });
    const metadata = { name: 'gv0' };
    await cluster.client.create('Volume', { metadata, spec: { size: '1Gi', zones: ['a', 'b'] } });
    await cluster.client.create('Volume', { metadata: { name: 'old', finalizers: ['x/y'] }, spec: { size: '1Gi' } });
    await cluster.client.delete('Volume', 'old');
    for (const [name, mountPath] of [
      ['kube1', '/data'],
      ['kube2', '/other'],
    ] as const) {
      const spec = { volume: 'gv0', node: name, mountPath };
      await cluster.client.create('VolumeAttachmentRecord', { metadata: { name: `gv0.${name}` }, spec });
    }
    const run = await plan(cluster, ['export']);
    expect(run.stderr).toBe(
      'note: Volume old is being deleted and left out\n' +
        'note: node kube1 is cordoned, which a plan does not say\n' +
        'note: volume gv0 is also mounted at /other on kube2; a plan has one path per volume\n' +
        'note: volume gv0 may use only the zones a, b, which a plan does not say\n',
    );
    expect(run.stdout).not.toContain('old');
    expect(await plan(cluster, ['validate', '-f', '-'], run.stdout)).toMatchObject({ code: 0 });
  });

  test('is written into a file, never over one, and JSON is a plan too', async () => {
    const cluster = await createFakeCluster(['kube1']);
    const file = join(folder, 'exported.yaml');
    const run = await plan(cluster, ['export', '-f', file]);
    expect(run).toEqual({ code: 0, stdout: '', stderr: `${file} is written\n` });
    expect(existsSync(file)).toBe(true);
    expect(await plan(cluster, ['export', '-f', file])).toMatchObject({ code: 5 });
    const json = (await plan(cluster, ['export', '-o', 'json'])).stdout;
    expect(JSON.parse(json)).toMatchObject({ storage: { expected_count: 1 } });
    expect(await plan(cluster, ['validate', '-f', '-'], json)).toMatchObject({ code: 0 });
  });

  const maybe = <T>(key: string, value: fc.Arbitrary<T>) =>
    fc.option(
      value.map((each) => ({ [key]: each })),
      { nil: {} },
    );
  const merged = (...parts: fc.Arbitrary<object>[]) =>
    fc.tuple(...parts).map((all) => Object.assign({}, ...all) as object);
  /** Words that YAML takes for something else unless they are quoted, besides plain ones. */
  const word = fc.constantFrom('a', 'true', 'no', '1', '1e3', '0x1', 'null', 'rack-7', '007');
  const aNode = (number: number) =>
    merged(
      fc.constantFrom(`kube${number}`, `KUBE${number}.example.com`, `kube${number}.a-b.c`).map((host) => ({ host })),
      fc.constant({ ip: `10.91.0.${number}` }),
      maybe('internalip', fc.constantFrom(`192.168.0.${number}`, `fd00::${number}`)),
      maybe('zone', word),
      maybe('labels', fc.dictionary(fc.constantFrom('disk', 'example.com/rack', 'x_y'), word, { maxKeys: 3 })),
      fc.constantFrom(
        { pools: [{ name: 'default', path: '/mnt/a' }] },
        {
          pools: [
            { name: 'default', path: '/mnt/a b: c', device: '/dev/vdb' },
            { name: 'fast', path: "/mnt/it's #2" },
          ],
        },
      ),
    );
  const aVolume = merged(
    fc.constantFrom('1Gi', '1.5Ti', '500Mi', '1073741824', '2G').map((size) => ({ size })),
    fc.constantFrom(
      {},
      { replicas: 1 },
      { replicas: 2 },
      { replicas: 2, allowSplitBrain: true },
      { layout: 'single' },
      { layout: 'arbiter' },
      { layout: 'replicated', replicas: 3 },
      { allowSplitBrain: false },
    ),
    maybe('brick', fc.constantFrom('image', 'directory')),
    maybe('allow', fc.subarray(['10.10.*.*', '10.0.0.0/8', 'fd00::/64', '*.*.*.*'])),
  );
  const aPlan = fc
    .record({
      nodes: fc.tuple(aNode(1), aNode(2), aNode(3), aNode(4)),
      volumes: fc.array(fc.tuple(aVolume, fc.subarray(['kube1', 'kube2', 'kube3', 'kube4'])), { maxLength: 4 }),
    })
    .map(({ nodes, volumes }) =>
      planText(
        nodes,
        volumes.map(([volume, mounted], at) => {
          const mount = { path: `/data/${at}`, nodes: mounted.length === 4 ? 'all' : mounted };
          return { name: `gv${at}`, ...volume, ...(mounted.length === 0 ? {} : { mount }) };
        }),
      ),
    );

  test('the export of any applied plan is valid, differs in nothing, and exports as itself', async () => {
    await fc.assert(
      fc.asyncProperty(aPlan, async (text) => {
        const cluster = await createFakeCluster();
        expect(await plan(cluster, ['apply', '-f', '-'], text)).toMatchObject({ code: 0 });
        const exported = await plan(cluster, ['export']);
        expect(exported).toMatchObject({ code: 0, stderr: '' });
        expect(await plan(cluster, ['validate', '-f', '-'], exported.stdout)).toMatchObject({ code: 0 });
        const diff = await plan(cluster, ['diff', '-f', '-'], exported.stdout);
        expect(diff).toMatchObject({ code: 0, stdout: '' });
        const elsewhere = await createFakeCluster();
        await plan(elsewhere, ['apply', '-f', '-'], exported.stdout);
        expect((await plan(elsewhere, ['export'])).stdout).toBe(exported.stdout);
      }),
      { numRuns: 60 },
    );
  });
});

describe('shares', () => {
  const shares = (...paths: readonly string[]) =>
    stringify({ nfs: { nfs_volume: paths.map((path) => ({ nfs_host: 'files', mount_path: path })) } });
  const engine = { observedBy: 'kube1', epoch: 1, state: 'Started' as const, bricks: [], capacityBytes: 3 * 2 ** 30 };

  test('come with a plan, differ in nothing once they are registered, and are exported', async () => {
    const cluster = await createFakeCluster();
    await cluster.addNode('kube1', { engines: [{ name: 'nfs', isInstalled: true, isRunning: true }] });
    const text = shares('/b', '/a');
    expect(await plan(cluster, ['diff', '-f', '-'], text)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^Volume +pv0 +create +-\nVolume +pv1 +create +-$/m),
      stderr: expect.stringContaining(
        'note: share files:/b (volume pv0): its size is asked for; its PersistentVolume is',
      ),
    });
    await plan(cluster, ['apply', '-f', '-'], text);
    for (const name of ['pv0', 'pv1']) await cluster.makeReady(name, { placement: [], size: '3Gi', engine });
    const run = await plan(cluster, ['diff', '-f', '-'], text);
    expect(run.stdout).toMatch(/^PersistentVolume +pv0 +create +-\nPersistentVolume +pv1 +create +-$/m);
    expect(await plan(cluster, ['apply', '-f', '-'], text)).toMatchObject({ code: 0, stderr: '' });
    const same = { code: 0, stdout: '', stderr: 'no differences\n' };
    expect(await plan(cluster, ['diff', '-f', '-'], text)).toEqual(same);
    expect(await plan(cluster, ['diff', '-f', '-'], shares('/a', '/b'))).toEqual(same);
    expect(await plan(cluster, ['diff', '-f', '-'], shares('/a'))).toEqual(same);
    const exported = await plan(cluster, ['export']);
    expect(exported.stdout).toContain(
      'nfs:\n  nfs_volume:\n    - nfs_host: files\n      mount_path: /b\n    - nfs_host: files\n      mount_path: /a\n',
    );
    expect(exported.stderr).toBe('');
    expect((await plan(cluster, ['diff', '-f', '-'], exported.stdout)).stdout).not.toContain('Volume');
  });

  test('what a plan cannot say of a share is left out of the export and noted', async () => {
    const cluster = await createFakeCluster();
    const make = async (name: string, share: object) => {
      const spec = { size: '1Gi', engine: 'nfs', layout: 'single', share: { server: 'files', ...share } };
      await cluster.client.create('Volume', { metadata: { name }, spec });
    };
    await make('pvc-1', { path: '/export', subDir: 'team/db' });
    await make('media', { path: '/media', mountOptions: ['nfsvers=4.1'] });
    await make('twin', { path: '/media' });
    const spec = { volume: 'media', node: 'kube1', mountPath: '/m' };
    await cluster.addNode('kube1');
    await cluster.client.create('VolumeAttachmentRecord', { metadata: { name: 'media.kube1' }, spec });
    const run = await plan(cluster, ['export']);
    expect(run.stderr).toBe(
      'note: volume media is the share files:/media, whose name a plan does not say\n' +
        'note: volume media is mounted with nfsvers=4.1, which a plan does not say of a share\n' +
        'note: volume media is mounted on kube1, which a plan does not say of a share\n' +
        'note: volume pvc-1 is the folder files:/export/team/db of a share, which a plan does not say; it is left out\n' +
        'note: volume twin is the same share as media; a plan lists files:/media once\n',
    );
    expect(run.stdout).toMatch(/nfs:\n {2}nfs_volume:\n {4}- nfs_host: files\n {6}mount_path: \/media\n$/);
    expect(await plan(cluster, ['validate', '-f', '-'], run.stdout)).toMatchObject({ code: 0 });
    expect((await plan(cluster, ['diff', '-f', '-'], run.stdout)).stdout).not.toMatch(/^Volume/m);
  });

  test('no entry of volumes is a share', async () => {
    const text = planText([node(1)], [{ name: 'db', size: '1Gi', engine: 'nfs' }]);
    const run = await plan(await createFakeCluster(), ['validate', '-f', '-'], text);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(
      'volumes[0].engine: a share of a file server is no entry of volumes; list the whole of a share under nfs.nfs_volume; ' +
        'a folder of one is added with: holdfast volume add --server',
    );
  });
});
