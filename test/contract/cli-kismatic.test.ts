/**
 * The program by the name `kismatic`, held against Kismatic's own sources (apprenda/kismatic, pkg/cli and pkg/install):
 * every default, message and exit code, word for word.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';
import { type CliRun, makeReadyWhenStored, runAs } from './kismatic-cli.ts';

const PLAN = `
cluster:
  networking: { pod_cidr_block: 172.16.0.0/16, service_cidr_block: 172.20.0.0/16 }
master:
  nodes: [{ host: m1, ip: 8.8.8.1, internalip: 10.0.0.1 }]
worker:
  nodes: [{ host: w1, ip: 8.8.8.2 }]
ingress:
  nodes: [{ host: w1, ip: 8.8.8.2 }]
storage:
  expected_count: 3
  nodes:
    - { host: kube1, ip: 10.91.0.1 }
    - { host: kube2, ip: 10.91.0.2 }
    - { host: kube3, ip: 10.91.0.3 }
`;
const ADDED = (name: string) =>
  '\nSuccessfully added the persistent volume to the kubernetes cluster.\n\n' +
  `Use "kubectl describe pv ${name}" to view volume details.\n`;
const ARBITER =
  '2 replicas alone can diverge (split brain): a third node takes an arbiter, which holds names but no data\n';

let folder: string;
let planFile: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-kismatic-'));
  planFile = join(folder, 'kismatic-cluster.yaml');
  writeFileSync(planFile, PLAN);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const threeNodes = async () => createFakeCluster(['kube1', 'kube2', 'kube3']);

interface Options {
  readonly cluster?: FakeCluster;
  readonly input?: string;
  /** The volume that becomes ready as soon as it is stored. */
  readonly ready?: string;
}

async function kismatic(args: readonly string[], options: Options = {}): Promise<CliRun> {
  const cluster = options.cluster ?? (await threeNodes());
  const input = options.input === undefined ? {} : { input: options.input };
  const run = runAs('kismatic', [...args, '-f', planFile], { cluster, ...input });
  if (options.ready !== undefined) await makeReadyWhenStored(cluster, options.ready);
  return run;
}

async function add(cluster: FakeCluster, name: string, ...args: readonly string[]): Promise<CliRun> {
  return kismatic(['volume', 'add', '1', name, ...args], { cluster, ready: name });
}

describe('volume add', () => {
  test("the document's line makes the volume, waits for it, and registers it with the defaults", async () => {
    const cluster = await threeNodes();
    const line = 'volume add 2 storage01 -r 2 -d 1 -a 10.10.*.*'.split(' ');
    expect(await kismatic(line, { cluster, ready: 'storage01' })).toEqual({
      code: 0,
      stdout: ADDED('storage01'),
      stderr: `${ARBITER}2 data + 1 arbiter on kube1, kube2, kube3\n`,
    });
    const volume = await cluster.client.get('Volume', 'storage01');
    expect(volume?.spec).toMatchObject({
      size: '2Gi',
      layout: 'arbiter',
      replicas: 2,
      allowFrom: ['10.10.*.*', '172.16.0.0/16', '10.0.0.1', '8.8.8.2'],
    });
    const persistentVolume = await cluster.client.get('PersistentVolume', 'storage01');
    expect(persistentVolume?.metadata.annotations).toEqual({
      'volume.beta.kubernetes.io/storage-class': 'kismatic',
      'holdfast.dev/volume-uid': volume?.metadata.uid,
    });
    expect(persistentVolume?.spec).toEqual({
      capacity: { storage: '2Gi' },
      accessModes: ['ReadWriteMany'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: 'kismatic',
      volumeMode: 'Filesystem',
      csi: { driver: 'csi.holdfast.dev', volumeHandle: 'storage01' },
    });
  });

  test('every flag does what it says, also as Go writes them', async () => {
    const cluster = await threeNodes();
    const flags = ['-r=1', '-c=durable', '-a=10.1.*.*,10.2.0.1', '--allow-address', '10.3.*.*'];
    const offer = ['--access-modes', 'ReadWriteOnce,ReadOnlyMany', '--reclaim-policy=Delete'];
    const run = await add(cluster, 'gv0', ...flags, ...offer, '--verbose=true', '-o=raw');
    expect(run).toMatchObject({ code: 0, stdout: ADDED('gv0') });
    expect((await cluster.client.get('Volume', 'gv0'))?.spec).toMatchObject({
      layout: 'single',
      allowFrom: ['10.1.*.*', '10.2.0.1', '10.3.*.*', '172.16.0.0/16', '10.0.0.1', '8.8.8.2'],
    });
    const persistentVolume = await cluster.client.get('PersistentVolume', 'gv0');
    expect(persistentVolume?.metadata.annotations).toMatchObject({
      'volume.beta.kubernetes.io/storage-class': 'durable',
      'pv.kubernetes.io/provisioned-by': 'csi.holdfast.dev',
    });
    expect(persistentVolume?.spec).toMatchObject({
      accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'durable',
    });
    // raw tells each state on the way, --verbose why each node was taken.
    expect(run.stderr).toContain('Ready: all 3 copies are current\n');
    expect(run.stderr).toMatch(/9 GiB of 10 GiB free/);
    expect((await add(cluster, 'gv1', '-r', '1')).stderr).toBe('1 data on kube1\n');
  });

  test('without a name it gets kismatic- and five letters, and without -a everybody but nodes and pods is kept out', async () => {
    const cluster = await threeNodes();
    const adding = kismatic(['volume', 'add', '1'], { cluster });
    let names: readonly string[] = [];
    while (names.length === 0) {
      await cluster.clock.settle();
      names = (await cluster.client.list('Volume')).items.map(({ metadata }) => metadata.name);
    }
    const [name = ''] = names;
    expect(name).toMatch(/^kismatic-[abcdefghijkmnpqrstuvwxyz23456789]{5}$/);
    await cluster.makeReady(name);
    expect(await adding).toMatchObject({ code: 0, stdout: ADDED(name) });
    const volume = await cluster.client.get('Volume', name);
    expect(volume?.spec.allowFrom).toEqual(['172.16.0.0/16', '10.0.0.1', '8.8.8.2']);
  });

  test.each<[what: string, args: readonly string[], stderr: string]>([
    ['no size', [], 'the volume size (in gigabytes) must be provided as the first argument to add\n'],
    ['3 arguments', ['1', 'a', 'b'], '3 arguments were provided, but add does not support more than two arguments\n'],
    ['no number', ['ten', 'a'], 'the volume size provided is not valid\n'],
    ['a unit', ['10Gi', 'a'], 'the volume size provided is not valid\n'],
    ['a fraction', ['1.5', 'a'], 'the volume size provided is not valid\n'],
    ['another form', ['1', 'a', '-o', 'json'], 'Output format "json" is not supported\n'],
    ['no count', ['1', 'a', '-r', 'two'], 'invalid argument "two" for "-r, --replica-count" flag\n'],
    [
      'too few nodes',
      ['1', 'a', '-r', '2', '-d', '2'],
      'error adding new volume: the requested volume configuration requires 4 storage nodes, but the cluster only has 3.\n',
    ],
    [
      'too few nodes without replicas',
      ['1', 'a', '-r', '1', '-d', '4'],
      'error adding new volume: the requested volume configuration requires 4 storage nodes, but the cluster only has 3.\n',
    ],
    [
      'nodes that are full',
      ['50', 'a'],
      'error adding new volume: Not enough nodes with sufficient disk space for the requested volume. Required: 2 Available: 0.\n',
    ],
  ])('%s is told in its words, with code 1, and nothing is created', async (_, args, stderr) => {
    const cluster = await threeNodes();
    const before = cluster.client.version();
    const run = await kismatic(['volume', 'add', ...args], { cluster });
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr.startsWith(stderr)).toBe(true);
    expect(cluster.client.version()).toBe(before);
  });

  const notAllowed = 'Volume name may not contain spaces or any of the following characters: ": / \\\\ & < > |"';
  const policies = 'Valid reclaim policies are: [Retain Recycle Delete]';
  const modes = 'Valid access modes are: [ReadWriteOnce ReadOnlyMany ReadWriteMany]';
  test.each<[args: readonly string[], faults: readonly string[]]>([
    ...[':', '/', '\\', '&', '<', '>', '|', ' '].map((letter): [readonly string[], readonly string[]] => [
      ['1', `a${letter}b`],
      [notAllowed],
    ]),
    [['0', 'a'], ['Volume size must be 1GB or larger']],
    [['1', 'a', '-r', '0'], ['Replication count must be greater than zero']],
    [['1', 'a', '-r', '-1'], ['Replication count must be greater than zero']],
    [['1', 'a', '-d', '0'], ['Distribution count must be greater than zero']],
    ...['10.0.0', '10.0.0.256', '10.0.0.1*', '10.0.0.0/16', '10.0.0.0.0', 'kube1', '***.1.1.1'].map(
      (address): [readonly string[], readonly string[]] => [
        ['1', 'a', '-a', address],
        [`Invalid address "${address}" in the list of allowed addresses`],
      ],
    ),
    [['1', 'a', '--reclaim-policy', 'retain'], [`"retain" is not a valid reclaim policy. ${policies}`]],
    [['1', 'a', '--access-modes', 'readwritemany'], [`"readwritemany" is not a valid access mode. ${modes}`]],
    [['1', 'a', '--access-modes', ''], [`"" is not a valid access mode. ${modes}`]],
    [
      ['1', 'Storage01'],
      ['Volume name "Storage01" may hold only a-z, 0-9 and "-", and must begin and end with a letter or digit'],
    ],
    [
      [
        '0',
        'a b',
        '-r',
        '0',
        '-d',
        '0',
        '-a',
        'x,10.0.0.1,y',
        '--reclaim-policy',
        'Keep',
        '--access-modes',
        'ReadWriteOnce,RWX',
      ],
      [
        notAllowed,
        'Volume size must be 1GB or larger',
        'Distribution count must be greater than zero',
        'Replication count must be greater than zero',
        'Invalid address "x" in the list of allowed addresses',
        'Invalid address "y" in the list of allowed addresses',
        `"Keep" is not a valid reclaim policy. ${policies}`,
        `"RWX" is not a valid access mode. ${modes}`,
      ],
    ],
  ])('%j is not valid, and every reason is told', async (args, faults) => {
    const cluster = await threeNodes();
    const before = cluster.client.version();
    expect(await kismatic(['volume', 'add', ...args], { cluster })).toEqual({
      code: 1,
      stdout: `The storage volume configuration is not valid:\n${faults.map((fault) => `- ${fault}\n`).join('')}`,
      stderr: 'storage volume validation failed\n',
    });
    expect(cluster.client.version()).toBe(before);
  });

  test.each(['10.10.*.*', '*.*.*.*', '0.0.0.0', '255.255.255.255', '8.8.8.8'])('%s may be allowed', async (address) => {
    const cluster = await threeNodes();
    expect(await add(cluster, 'gv0', '-a', address)).toMatchObject({ code: 0 });
  });

  test('two replicas on two nodes are refused unless it is said in so many words', async () => {
    const cluster = await createFakeCluster(['kube1', 'kube2']);
    const refused = await kismatic(['volume', 'add', '1', 'gv0'], { cluster });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^error adding new volume: 2 plain replicas can diverge \(split brain\)/);
    expect(await add(cluster, 'gv0', '--allow-split-brain')).toMatchObject({ code: 0, stdout: ADDED('gv0') });
    expect((await cluster.client.get('Volume', 'gv0'))?.spec).toMatchObject({ layout: 'replicated', replicas: 2 });
  });

  test('a plan that is missing or wrong is told before anything is done', async () => {
    const cluster = await threeNodes();
    const missing = await runAs('kismatic', ['volume', 'add', '1', 'gv0', '-f', '/no/such.yaml'], { cluster });
    expect(missing).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `Plan file not found at "/no/such.yaml". If you don't have a plan file, you may generate one with 'kismatic install plan'\n` +
        'hint: here: holdfast plan new -f /no/such.yaml\n',
    });
    const unnamed = await runAs('kismatic', ['volume', 'list'], { cluster });
    expect(unnamed.stderr).toContain('Plan file not found at "kismatic-cluster.yaml".');
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, 'storage:\n  expected_count: 2\n  nodes: []\n');
    const run = await runAs('kismatic', ['volume', 'add', '1', 'gv0', '--plan-file', wrong], { cluster });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(
      /^error reading plan file: [^\n]+ has 1 fault; nothing was changed\n- line 2, column 19: /,
    );
  });

  test("a plan without Kismatic's machines, or without any, lets only the storage nodes in", async () => {
    const cluster = await threeNodes();
    const plain = join(folder, 'plain.yaml');
    writeFileSync(
      plain,
      'storage:\n  expected_count: 1\n  nodes: [{ host: kube1, ip: 8.8.8.1, internalip: 10.91.0.1 }]\n',
    );
    const adding = runAs('kismatic', ['volume', '-f', plain, 'add', '1', 'gv0'], { cluster });
    await makeReadyWhenStored(cluster, 'gv0');
    expect(await adding).toMatchObject({ code: 0 });
    expect((await cluster.client.get('Volume', 'gv0'))?.spec.allowFrom).toEqual([
      '10.91.0.1',
      '10.91.0.2',
      '10.91.0.3',
    ]);
  });

  test('a name that is part of another is no name that is taken, and one that is taken is', async () => {
    const cluster = await threeNodes();
    await add(cluster, 'storage01');
    expect(await add(cluster, 'storage0')).toMatchObject({ code: 0 });
    const again = await kismatic(['volume', 'add', '1', 'storage01'], { cluster });
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/^error adding new volume: volume storage01 exists already\n/);
  });

  test('Recycle is registered, and it is said that Kubernetes will not do it', async () => {
    const cluster = await threeNodes();
    const run = await add(cluster, 'gv0', '--reclaim-policy', 'Recycle');
    expect(run.stderr).toContain('Recycle: once its claim is gone the volume is made anew, empty');
    const persistentVolume = await cluster.client.get('PersistentVolume', 'gv0');
    expect(persistentVolume?.spec.persistentVolumeReclaimPolicy).toBe('Recycle');
  });

  test('an option that does nothing here says so', async () => {
    const run = await add(await threeNodes(), 'gv0', '--generated-assets-dir', '/tmp/x');
    expect(run).toMatchObject({ code: 0 });
    expect(run.stderr).toMatch(/^note: --generated-assets-dir is not used: Holdfast generates no files\n/);
  });
});

describe('volume list', () => {
  test.each(['simple', 'json'])('no volumes, as %s', async (form) => {
    expect(await kismatic(['volume', 'list', '-o', form])).toEqual({
      code: 0,
      stdout: 'No volumes were found on the cluster. You may use `kismatic volume add` to create new volumes.\n',
      stderr: '',
    });
  });

  test('another form is refused', async () => {
    expect(await kismatic(['volume', 'list', '-o', 'yaml'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'output format "yaml" is not supported\n',
    });
  });

  async function listed(): Promise<FakeCluster> {
    const cluster = await threeNodes();
    await add(cluster, 'storage2', '-c', 'durable', '--reclaim-policy', 'Retain');
    await cluster.client.create('Volume', {
      metadata: { name: 'storage1' },
      spec: { size: '1500Gi', layout: 'single' },
    });
    const uid = (await cluster.client.get('Volume', 'storage2'))?.metadata.uid ?? '';
    for (const [index, path] of ['/p/a/brick', undefined, '/p/c/brick'].entries()) {
      const spec = {
        volume: 'storage2',
        volumeUid: uid,
        node: `kube${index + 1}`,
        pool: 'default',
        index,
        sizeBytes: 1,
      };
      const kind = { role: index === 2 ? 'arbiter' : 'data', engine: 'gluster', brick: 'image' };
      await cluster.client.create('VolumeCopy', { metadata: { name: `c${index}` }, spec: { ...spec, ...kind } });
      const status = { state: 'Ready', ...(path === undefined ? {} : { path }) };
      await cluster.client.patch('VolumeCopy', `c${index}`, { status }, { subresource: 'status' });
    }
    await cluster.client.patch('PersistentVolume', 'storage2', {
      spec: { claimRef: { namespace: 'default', name: 'my-app-frontend-claim' } },
    });
    await cluster.client.patch(
      'PersistentVolume',
      'storage2',
      { status: { phase: 'Bound' } },
      { subresource: 'status' },
    );
    return cluster;
  }

  const JSON_TEXT = `{
    "items": [
        {
            "name": "storage1",
            "capacity": "Unknown",
            "available": "Unknown",
            "replicaCount": 1,
            "distributionCount": 1,
            "bricks": [],
            "status": "Unknown"
        },
        {
            "name": "storage2",
            "storageClass": "durable",
            "labels": {
                "app.kubernetes.io/managed-by": "holdfast",
                "holdfast.dev/volume": "storage2"
            },
            "capacity": "1.00GB",
            "available": "Unknown",
            "replicaCount": 2,
            "distributionCount": 1,
            "bricks": [
                {
                    "host": "kube1",
                    "path": "/p/a/brick"
                },
                {
                    "host": "kube2",
                    "path": "Unknown"
                },
                {
                    "host": "kube3",
                    "path": "/p/c/brick"
                }
            ],
            "status": "Bound",
            "claim": {
                "name": "my-app-frontend-claim",
                "namespace": "default"
            }
        }
    ]
}
`;

  test('JSON has its shape, and holdfast prints the same', async () => {
    const cluster = await listed();
    expect(await kismatic(['volume', 'list', '-o', 'json'], { cluster })).toEqual({
      code: 0,
      stdout: JSON_TEXT,
      stderr: '',
    });
    expect(await runAs('holdfast', ['volume', 'list', '-o', 'kismatic-json'], { cluster })).toMatchObject({
      stdout: JSON_TEXT,
    });
    const before = await runAs('holdfast', ['-o', 'name', 'volume', 'list'], { cluster });
    expect(before.stdout).toBe('volume/storage1\nvolume/storage2\n');
  });

  test('simple has its columns', async () => {
    const { stdout } = await kismatic(['volume', 'list'], { cluster: await listed() });
    const lines = [
      ...['Name:           storage1   ', 'StorageClass:              ', 'Capacity:       Unknown    '],
      ...['Available:      Unknown    ', 'Replica:        1          ', 'Distribution:   1          '],
      ...['Bricks:                    ', 'Status:         Unknown    ', 'Claim:                     '],
      ...['Pods:                      ', '', ''],
    ];
    expect(stdout.split('\n').slice(0, 12)).toEqual(lines);
    const rest = stdout
      .split('\n')
      .slice(12)
      .map((line) => line.trimEnd());
    expect(rest).toEqual([
      'Name:                             storage2',
      'StorageClass:                     durable',
      'Labels:',
      '  app.kubernetes.io/managed-by:   holdfast',
      '  holdfast.dev/volume:            storage2',
      'Capacity:                         1.00GB',
      'Available:                        Unknown',
      'Replica:                          2',
      'Distribution:                     1',
      'Bricks:                           kube1:/p/a/brick,kube2:Unknown,kube3:/p/c/brick',
      'Status:                           Bound',
      'Claim:                            default/my-app-frontend-claim',
      'Pods:',
      '',
    ]);
  });
});

describe('volume delete', () => {
  const QUESTION = '=> Are you sure you want to delete this volume? All data will be lost [N/y]: ';
  const DELETED = '\nSuccessfully deleted the persistent volume in the kubernetes cluster.\n';

  async function withVolume(): Promise<FakeCluster> {
    const cluster = await threeNodes();
    await add(cluster, 'gv0');
    // As its controller does when nothing is left of a volume.
    await cluster.client.patch('Volume', 'gv0', { metadata: { finalizers: null } });
    return cluster;
  }
  const left = async ({ client }: FakeCluster) => [
    (await client.get('Volume', 'gv0'))?.metadata.name,
    (await client.get('PersistentVolume', 'gv0'))?.metadata.name,
  ];

  test.each(['', '\n', 'N\n'])('the answer %j keeps it, and is no failure', async (input) => {
    const cluster = await withVolume();
    const run = await kismatic(['volume', 'delete', 'gv0'], { cluster, input });
    expect(run).toEqual({ code: 0, stdout: `${QUESTION}\n`, stderr: '' });
    expect(await left(cluster)).toEqual(['gv0', 'gv0']);
  });

  test.each(['n', 'Y', 'yes'])('the answer %j is none of the choices', async (input) => {
    const cluster = await withVolume();
    expect(await kismatic(['volume', 'delete', 'gv0'], { cluster, input: `${input}\n` })).toEqual({
      code: 1,
      stdout: `${QUESTION}\n`,
      stderr: `error getting user response: error, ${input} is not a valid option [N y]\n`,
    });
    expect(await left(cluster)).toEqual(['gv0', 'gv0']);
  });

  test.each<[args: readonly string[], input: string, stdout: string]>([
    [[], 'y\n', `${QUESTION}\n${DELETED}`],
    [['--force'], '', DELETED],
    [['--force=true', '-o', 'raw', '--verbose'], '', DELETED],
  ])('%j with the answer %j deletes both, and the name is free again', async (args, input, stdout) => {
    const cluster = await withVolume();
    const run = await kismatic(['volume', 'delete', 'gv0', ...args], { cluster, input });
    expect(run).toEqual({ code: 0, stdout, stderr: '' });
    expect(await left(cluster)).toEqual([undefined, undefined]);
    expect(await add(cluster, 'gv0')).toMatchObject({ code: 0, stdout: ADDED('gv0') });
  });

  test.each<[args: readonly string[], stderr: string]>([
    [['gv1', '--force'], 'error deleting volume: there is no volume "gv1"\nhint: did you mean gv0?\n'],
    [['--force'], '0 arguments were provided, but delete takes one: the name of the volume\n'],
    [['gv0', 'gv1'], '2 arguments were provided, but delete takes one: the name of the volume\n'],
    [['gv0', '-o', 'json'], 'Output format "json" is not supported\n'],
  ])('%j is refused', async (args, stderr) => {
    const cluster = await withVolume();
    expect(await kismatic(['volume', 'delete', ...args], { cluster })).toEqual({ code: 1, stdout: '', stderr });
    expect(await left(cluster)).toEqual(['gv0', 'gv0']);
  });

  test('one that is claimed is kept, also with --force', async () => {
    const cluster = await withVolume();
    const spec = { claimRef: { namespace: 'shop', name: 'cart' } };
    await cluster.client.patch('PersistentVolume', 'gv0', { spec });
    await cluster.client.patch('PersistentVolume', 'gv0', { status: { phase: 'Bound' } }, { subresource: 'status' });
    const run = await kismatic(['volume', 'delete', 'gv0', '--force'], { cluster });
    expect(run).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error deleting volume: volume gv0 is claimed by shop/cart; nothing was deleted\n' +
        'hint: delete the claim first: kubectl -n shop delete persistentvolumeclaim cart\n',
    });
    expect(await left(cluster)).toEqual(['gv0', 'gv0']);
  });
});

describe('the program', () => {
  const LINK_TARGET = fileURLToPath(new URL('../../src/main/cli.ts', import.meta.url));

  test('a link named kismatic is Kismatic, any other name is Holdfast', () => {
    const link = join(folder, 'kismatic');
    symlinkSync(LINK_TARGET, link);
    const run = spawnSync(process.execPath, [link, 'volume', 'add'], { encoding: 'utf8', timeout: 60_000 });
    expect(run).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'the volume size (in gigabytes) must be provided as the first argument to add\n',
    });
    const other = join(folder, 'hf');
    symlinkSync(LINK_TARGET, other);
    expect(execFileSync(process.execPath, [other, '--help'], { encoding: 'utf8' })).toMatch(/^Usage: holdfast /);
  });

  test('by itself and with --help it shows what there is', async () => {
    const cluster = await threeNodes();
    for (const args of [[], ['--help'], ['volume'], ['volume', '--help']]) {
      const run = await runAs('kismatic', args, { cluster });
      expect(run.code).toBe(0);
      expect(run.stdout + run.stderr).toMatch(/^Usage: kismatic/);
    }
    const help = (await runAs('kismatic', ['volume', 'add', '--help'], { cluster })).stdout;
    for (const text of ['-r, --replica-count', '(default: 2)', '(default: "kismatic")', '--generated-assets-dir']) {
      expect(help).toContain(text);
    }
  });

  test.each([[['nonsense']], [['volume', 'list', '--nonsense']]])('%j is a failure', async (args) => {
    expect(await runAs('kismatic', args, { cluster: await threeNodes() })).toMatchObject({ code: 1, stdout: '' });
  });

  test('Ctrl-C while it waits ends it with code 130, and the same line goes on later', async () => {
    const cluster = await threeNodes();
    const stop = new AbortController();
    const line = ['volume', 'add', '1', 'gv0', '-f', planFile];
    const stopped = runAs('kismatic', line, { cluster, signal: stop.signal });
    while ((await cluster.client.get('Volume', 'gv0')) === undefined) await cluster.clock.settle();
    stop.abort();
    expect(await stopped).toMatchObject({ code: 130, stdout: '' });
    expect(await cluster.client.get('PersistentVolume', 'gv0')).toBeUndefined();
    await cluster.makeReady('gv0');
    const again = await runAs('kismatic', line, { cluster });
    expect(again).toEqual({
      code: 0,
      stdout: ADDED('gv0'),
      stderr: 'volume gv0 is there already and was asked for in the same words: going on with it\n',
    });
    expect(await cluster.client.get('PersistentVolume', 'gv0')).toBeDefined();
  });

  test("the guide's lines are lines of the program", async () => {
    const page = readFileSync(new URL('../../docs/how-to/kismatic.md', import.meta.url), 'utf8');
    // Those of `install` need machines: test/engine/install.test.ts.
    const lines = [...page.matchAll(/^kismatic (volume .+)$/gm)].map(([, line = '']) => line);
    expect(lines.length).toBeGreaterThan(3);
    const cluster = await threeNodes();
    for (const line of lines) {
      const args = line.split(/\s+/).map((word) => word.replaceAll(/['"]/g, ''));
      const [, verb, , name = ''] = args;
      const run = kismatic(args, { cluster, ...(verb === 'add' ? { ready: name } : {}) });
      if (verb === 'delete') await cluster.client.patch('Volume', 'storage01', { metadata: { finalizers: null } });
      expect({ line, ...(await run) }).toMatchObject({ line, code: 0 });
    }
  });
});
