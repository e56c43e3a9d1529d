/** The command line as its users meet it: arguments in, text and exit code out, over a cluster in memory. */
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { createPlanReader } from '../../src/adapters/plan-file/plan-reader.ts';
import { AppError } from '../../src/domain/errors.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { CliContext } from '../../src/shells/cli/context.ts';
import { CLI_COMMANDS, runCli } from '../../src/shells/cli/program.ts';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cluster?: FakeCluster;
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly env?: Record<string, string>;
  readonly connect?: CliContext['connect'];
}

const EXAMPLE = new URL('../../examples/plan.lab.yaml', import.meta.url).pathname;

async function threeNodes(): Promise<FakeCluster> {
  return createFakeCluster(['kube1', 'kube2', 'kube3']);
}

async function* inputOf(text: string) {
  yield text;
}

async function holdfast(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const cluster = options.cluster ?? (await threeNodes());
  const written = { stdout: '', stderr: '' };
  const stdin = inputOf(options.input ?? '');
  const code = await runCli(args, {
    stdin,
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
    clock: cluster.clock,
    random: createSeededRandom(7),
    version: '1.2.3',
    connect: options.connect ?? (async () => ({ client: cluster.client, close: () => undefined })),
    plans: createPlanReader({ stdin }),
  });
  return { code, ...written };
}

describe('bad names', () => {
  test.each<[what: string, args: readonly string[], code: number, message: string]>([
    ['a path', ['volume', 'add', '1', '../x'], 2, 'volume name "../x" may hold only a-z, 0-9 and "-"'],
    ['an absolute path', ['volume', 'add', '1', '/etc'], 2, 'volume name "/etc" may hold only'],
    ['an option', ['volume', 'add', '1', '-rf'], 2, 'Replication count "f" is not a whole number'],
    ['an option behind --', ['volume', 'add', '1', '--', '-rf'], 2, 'volume name "-rf" may hold only'],
    ['a space', ['volume', 'add', '1', 'a b'], 2, 'volume name "a b" may hold only'],
    ['nothing', ['volume', 'add', '1', ''], 2, 'volume name "" must not be empty'],
    ['300 characters', ['volume', 'add', '1', 'a'.repeat(300)], 2, 'is 300 characters long; at most 63 are allowed'],
    ['unicode', ['volume', 'add', '1', 'größe'], 2, 'volume name "größe" may hold only'],
    ['an invisible character', ['volume', 'add', '1', 'a\u200bb'], 2, 'may hold only'],
    ['a command', ['volume', 'add', '1', '$(id)'], 2, 'volume name "$(id)" may hold only'],
    ['a line break', ['volume', 'add', '1', 'a\nb'], 2, 'volume name "a\\nb" may hold only'],
    ['a NUL', ['volume', 'add', '1', 'a\0b'], 2, 'volume name "a\\u0000b" may hold only'],
    ["Kismatic's forbidden letters", ['volume', 'add', '1', 'a:b&c<d>e|f\\g'], 2, 'may hold only'],
    ['a bad pool', ['volume', 'add', '1', 'gv0', '--pool', '../p'], 2, 'pool name "../p" may hold only'],
    ['a path to show', ['volume', 'show', '../nodes/kube1'], 4, 'there is no volume "../nodes/kube1"'],
    ['a path to delete', ['volume', 'delete', '../x', '--yes'], 4, 'there is no volume "../x"'],
    ['300 characters to show', ['node', 'show', 'a'.repeat(300)], 4, `there is no node "${'a'.repeat(40)}..."`],
  ])('%s is refused and nothing is created', async (_, args, code, message) => {
    const cluster = await threeNodes();
    const before = cluster.client.version();
    const run = await holdfast(args, { cluster });
    expect(run.stderr).toContain(message);
    expect(run).toMatchObject({ code, stdout: '' });
    expect(cluster.client.version()).toBe(before);
  });
});

describe('volume add', () => {
  test("takes Kismatic's line and says what it made of it", async () => {
    const cluster = await threeNodes();
    const run = await holdfast(
      ['volume', 'add', '2', 'storage01', '-r', '2', '-d', '1', '-a', '10.10.*.*,10.1.0.0/16'],
      { cluster },
    );
    expect(run).toEqual({
      code: 0,
      stdout: 'volume storage01 (2Gi, arbiter 2+1) is added\n',
      stderr:
        '2 replicas alone can diverge (split brain): a third node takes an arbiter, which holds names but no data\n' +
        '2 data + 1 arbiter on kube1, kube2, kube3\n' +
        'PersistentVolume storage01 (class kismatic, ReadWriteMany, Retain) is registered when the volume is ready: repeat the command for storage01 with --wait\n',
    });
    expect((await cluster.client.get('Volume', 'storage01'))?.spec).toMatchObject({
      size: '2Gi',
      layout: 'arbiter',
      allowFrom: ['10.10.*.*', '10.1.0.0/16'],
    });
  });

  test.each([
    [['-r', '1', '-d', '2'], { layout: 'distributed', replicas: 1, distribution: 2 }, ''],
    [['-r', '3', '-d', '2'], { layout: 'distributed-replicated', replicas: 3, distribution: 2 }, '2 x 3 data on'],
    [['-r', '2', '-d', '2'], { layout: 'arbiter', distribution: 2 }, 'a third node takes an arbiter'],
    [['--layout', 'dispersed'], { layout: 'dispersed', disperseData: 2, redundancy: 1 }, '2 data + 1 redundancy on'],
    [['--layout', 'striped'], { layout: 'distributed', shard: '64Mi' }, 'GlusterFS 6 removed stripe'],
  ])('%j is spread over sets and says how', async (args, spec, message) => {
    const cluster = await threeNodes();
    const run = await holdfast(['volume', 'add', '1', 'gv0', ...args], { cluster });
    expect(run.code).toBe(0);
    expect(run.stderr).toContain(message);
    expect((await cluster.client.get('Volume', 'gv0'))?.spec).toMatchObject(spec);
  });

  test('makes a name up when none is given, as Kismatic does', async () => {
    const cluster = await threeNodes();
    const run = await holdfast(['volume', 'add', '1', '-o', 'name'], { cluster });
    expect(run.stdout).toMatch(/^volume\/kismatic-[a-km-np-z2-9]{5}\n$/);
    expect((await cluster.client.list('Volume')).items).toHaveLength(1);
  });

  test.each<[args: readonly string[], code: number, message: string]>([
    [[], 2, 'the volume size (in gigabytes) must be provided as the first argument to add'],
    [['1', 'a', 'b'], 2, '3 arguments were provided, but add does not support more than two arguments'],
    [['0', 'gv0'], 2, 'Volume size must be 1GB or larger'],
    [['ten', 'gv0'], 2, '"ten" is not a size'],
    [['1Mi', 'gv0'], 2, 'a volume of 1Mi is too small: the smallest is 128Mi'],
    [['99999999999', 'gv0'], 2, 'is too large: a size is from 0 to less than 8Pi'],
    [['1', 'gv0', '-r', '0'], 2, 'Replication count must be greater than zero'],
    [['1', 'gv0', '-r', 'two'], 2, 'Replication count "two" is not a whole number'],
    [['1', 'gv0', '-d', '0'], 2, 'Distribution count must be greater than zero'],
    [
      ['1', 'gv0', '-r', '4', '-d', '2'],
      6,
      'the requested volume configuration requires 4 storage nodes for each of 2 sets, but only 3 are usable; nothing was created',
    ],
    [
      ['1', 'gv0', '--layout', 'dispersed', '--disperse-data', '4', '--redundancy', '2'],
      6,
      'the requested volume configuration requires 4 data + 2 redundancy = 6 nodes, but only 3 are usable; nothing was created',
    ],
    [['1', 'gv0', '--layout', 'dispersed', '-r', '3'], 2, 'replicas does not go with layout dispersed'],
    [['1', 'gv0', '--shard', '1Mi'], 2, 'shard must be true, false, or a block size of 4Mi to 4Ti in whole MiB'],
    [['1', 'gv0', '-c', 'Du rable'], 2, '"Du rable" is not the name of a storage class'],
    [['1', 'gv0', '--access-modes', 'rwx'], 2, '"rwx" is not a valid access mode. Valid access modes are: ['],
    [
      ['1', 'gv0', '--reclaim-policy', 'keep'],
      2,
      '"keep" is not a valid reclaim policy. Valid reclaim policies are: [',
    ],
    [['1', 'gv0', '-a', '10.0.0.300'], 2, 'Invalid address "10.0.0.300" in the list of allowed addresses'],
    [['1', 'gv0', '--layout', 'mirrored'], 2, 'Allowed choices are single, replicated, arbiter'],
    [['1', 'gv0', '--layout', 'replicated', '-r', '2'], 2, '2 plain replicas can diverge (split brain)'],
    [['1', 'gv0', '-r', '4'], 6, 'the requested volume configuration requires 4 storage nodes, but only 3 are usable'],
    [['1', 'gv0', '--pool', 'fast'], 6, 'but only 0 are usable (3 of 3 known nodes cannot be used now)'],
    [['1', 'gv0', '--replica-cuont', '3'], 2, 'Did you mean --replica-count?'],
    [['-5', 'gv0'], 2, '"-5" is not a size'],
  ])('%j is refused and nothing is created', async (args, code, message) => {
    const cluster = await threeNodes();
    const before = cluster.client.version();
    const run = await holdfast(['volume', 'add', ...args], { cluster });
    expect(run.stderr).toContain(message);
    expect(run).toMatchObject({ code, stdout: '' });
    expect(cluster.client.version()).toBe(before);
  });

  test('pools that are full are told one by one with what would help', async () => {
    const run = await holdfast(['volume', 'add', '50', 'big']);
    expect(run.code).toBe(6);
    expect(run.stderr).toBe(
      'error: volume big needs 3 nodes; none fits (a data copy takes 50.8 GiB in pool default); nothing was created\n' +
        '  node kube1: 9 GiB free < 50.8 GiB\n' +
        '  node kube2: 9 GiB free < 50.8 GiB\n' +
        '  node kube3: 9 GiB free < 50.8 GiB\n' +
        'hint: add 41.8 GiB to pool default of kube1, add 41.8 GiB to pool default of kube2 and add 41.8 GiB to pool default of kube3, or add 3 nodes with 50.8 GiB free in a pool default\n',
    );
  });

  test('a dry run in JSON says where the copies would go', async () => {
    const cluster = await threeNodes();
    const run = await holdfast(['volume', 'add', '1', 'gv0', '--dry-run', '-o', 'json'], { cluster });
    const data = JSON.parse(run.stdout) as { placement: { node: string }[]; isDryRun: boolean };
    expect(data.isDryRun).toBe(true);
    expect(data.placement.map((placed) => placed.node)).toEqual(['kube1', 'kube2', 'kube3']);
    expect((await cluster.client.list('Volume')).items).toEqual([]);
  });

  test('a wide dry run explains every node', async () => {
    const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3', 'kube4']);
    await cluster.client.patch('StorageNode', 'kube2', { spec: { isCordoned: true } });
    const run = await holdfast(['volume', 'add', '1', 'gv0', '--dry-run', '-o', 'wide'], { cluster });
    expect(run.stdout).toBe(
      'volume gv0 (1Gi, replicated 3) would be added\n\n' +
        'NODE    ZONE   COPY       POINTS   WHY\n' +
        'kube1   -      0 (data)   90.9     node kube1 has no copy; 9 GiB of 10 GiB free; 0 copies on the node\n' +
        'kube2   -      -          -        the node is cordoned\n' +
        'kube3   -      1 (data)   90.9     node kube3 has no copy; 9 GiB of 10 GiB free; 0 copies on the node\n' +
        'kube4   -      2 (data)   90.9     node kube4 has no copy; 9 GiB of 10 GiB free; 0 copies on the node\n',
    );
  });

  test('waiting ends at the timeout with code 124, and at Ctrl-C with 130', async () => {
    const cluster = await threeNodes();
    const late = holdfast(['volume', 'add', '1', 'gv0', '--wait', '--timeout', '5s'], { cluster });
    await untilStored(cluster, 'gv0');
    await cluster.clock.advance(5_000);
    expect(await late).toMatchObject({ code: 124, stdout: '' });
    const stop = new AbortController();
    const stopped = holdfast(['volume', 'add', '1', 'gv1', '--wait'], { cluster, signal: stop.signal });
    await untilStored(cluster, 'gv1');
    stop.abort();
    expect(await stopped).toMatchObject({ code: 130, stdout: '' });
    expect((await stopped).stderr).toMatch(/interrupted\n$/);
  });

  test('waiting ends when the volume is ready', async () => {
    const cluster = await threeNodes();
    const run = holdfast(['volume', 'add', '1', 'gv0', '--wait'], { cluster });
    await untilStored(cluster, 'gv0');
    await cluster.makeReady('gv0');
    expect(await run).toMatchObject({ code: 0, stdout: 'volume gv0 (1Gi, replicated 3) is ready\n' });
    expect((await run).stderr).toMatch(
      /\nPersistentVolume gv0 \(class kismatic, ReadWriteMany, Retain\) is registered\n$/,
    );
  });
});

/** Commands are loaded when they are called, so they begin a moment later. */
async function untilStored(cluster: FakeCluster, name: string): Promise<void> {
  while ((await cluster.client.get('Volume', name)) === undefined) await cluster.clock.settle();
  await cluster.clock.settle();
}

describe('volume list and show', () => {
  test('every form of output holds the same volumes', async () => {
    const cluster = await threeNodes();
    for (const name of ['gv1', 'gv0']) await holdfast(['volume', 'add', '1', name], { cluster });
    await cluster.makeReady('gv0');
    const list = async (...args: string[]) => (await holdfast(['volume', 'list', ...args], { cluster })).stdout;
    expect(await list()).toBe(
      'NAME   PHASE     SIZE   LAYOUT         COPIES   AGE\n' +
        'gv0    Ready     1Gi    replicated 3   3/3      0s\n' +
        'gv1    Pending   1Gi    replicated 3   -        0s\n',
    );
    expect(await list('--no-headers', '-o', 'wide')).toBe(
      'gv0   Ready     1Gi   replicated 3   3/3   kube1,kube2,kube3   kube1   all 3 copies are current             0s\n' +
        'gv1   Pending   1Gi   replicated 3   -     -                   -       no controller has looked at it yet   0s\n',
    );
    expect(await list('-o', 'name')).toBe('volume/gv0\nvolume/gv1\n');
    const json = JSON.parse(await list('-o', 'json')) as unknown;
    expect(parseYaml(await list('-o', 'yaml'))).toEqual(json);
    expect((json as { items: { metadata: { name: string } }[] }).items.map((item) => item.metadata.name)).toEqual([
      'gv0',
      'gv1',
    ]);
  });

  test('no volumes is a remark, not data', async () => {
    const run = await holdfast(['volume', 'list']);
    expect(run).toEqual({
      code: 0,
      stdout: '',
      stderr: 'No volumes were found on the cluster. You may use `holdfast volume add` to create new volumes.\n',
    });
    expect(JSON.parse((await holdfast(['volume', 'list', '-o', 'json'])).stdout)).toEqual({ items: [] });
  });

  test('show tells the volume with its reasons', async () => {
    const cluster = await threeNodes();
    await holdfast(['volume', 'add', '1', 'gv0'], { cluster });
    await cluster.makeReady('gv0', { reasons: ['copy 0 (data) on kube1'] });
    const run = await holdfast(['volume', 'show', 'gv0'], { cluster });
    expect(run.stdout).toContain('Phase:   Ready\nState:   all 3 copies are current\n');
    expect(run.stdout).toContain('Placement:\n  copy 0 (data) on kube1\n');
  });
});

describe('volume delete', () => {
  async function withVolume(): Promise<FakeCluster> {
    const cluster = await threeNodes();
    await cluster.client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi', replicas: 3 } });
    return cluster;
  }
  const isThere = async (cluster: FakeCluster) => (await cluster.client.get('Volume', 'gv0')) !== undefined;

  test.each(['', '\n', 'n\n', 'no\n', 'yes please\n', 'x'.repeat(5000)])(
    'the answer %j keeps the volume',
    async (input) => {
      const cluster = await withVolume();
      const run = await holdfast(['volume', 'delete', 'gv0'], { cluster, input });
      expect(run.stderr).toContain('Are you sure you want to delete this volume? All data will be lost [y/N]: ');
      expect(run.stderr).toContain('volume gv0 was not deleted');
      expect(run).toMatchObject({ code: 130, stdout: '' });
      expect(await isThere(cluster)).toBe(true);
    },
  );

  test.each([['y\n'], ['YES\n'], [' y ']])('the answer %j deletes it', async (input) => {
    const cluster = await withVolume();
    expect(await holdfast(['volume', 'delete', 'gv0'], { cluster, input })).toMatchObject({
      code: 0,
      stdout: 'volume gv0 deleted\n',
    });
    expect(await isThere(cluster)).toBe(false);
  });

  test.each([['--force'], ['--yes'], ['-y']])('%s does not ask', async (flag) => {
    const cluster = await withVolume();
    expect(await holdfast(['volume', 'delete', 'gv0', flag], { cluster })).toEqual({
      code: 0,
      stdout: 'volume gv0 deleted\n',
      stderr: '',
    });
  });

  test('a volume in use is kept even with --force; --detach unmounts it', async () => {
    const cluster = await withVolume();
    const spec = { volume: 'gv0', node: 'kube2', mountPath: '/data' };
    await cluster.client.create('VolumeAttachmentRecord', { metadata: { name: 'gv0.kube2' }, spec });
    const run = await holdfast(['volume', 'delete', 'gv0', '--force'], { cluster });
    expect(run.code).toBe(5);
    expect(run.stderr).toContain('volume gv0 is mounted on kube2 at /data; nothing was deleted');
    expect(await holdfast(['volume', 'delete', 'gv0', '--force', '--detach'], { cluster })).toMatchObject({
      code: 0,
      stderr: 'unmounted from kube2\n',
    });
  });

  test('a volume that is not there is an error with code 4', async () => {
    const cluster = await withVolume();
    const run = await holdfast(['volume', 'delete', 'gvO', '--yes'], { cluster });
    expect(run).toEqual({ code: 4, stdout: '', stderr: 'error: there is no volume "gvO"\nhint: did you mean gv0?\n' });
  });
});

describe('plan', () => {
  test('the example is valid, can be tried, applied, and applied again', async () => {
    const cluster = await createFakeCluster();
    expect(await holdfast(['plan', 'validate', '-f', EXAMPLE], { cluster })).toMatchObject({
      code: 0,
      stdout: `${EXAMPLE} is valid: 3 nodes, 1 volume, 3 mounts\n`,
    });
    const actions = async (...args: string[]) => {
      const run = await holdfast(['plan', 'apply', '-f', EXAMPLE, '--no-headers', ...args], { cluster });
      return new Set(
        run.stdout
          .trimEnd()
          .split('\n')
          .map((line) => line.split(/ {2,}/)[2]),
      );
    };
    expect(await actions('--dry-run')).toEqual(new Set(['would create']));
    expect((await cluster.client.list('StorageNode')).items).toEqual([]);
    expect(await actions()).toEqual(new Set(['created']));
    expect(await actions()).toEqual(new Set(['unchanged']));
  });

  test('standard input, with every fault at its place', async () => {
    const input = 'storage:\n  expected_count: 2\n  nodes:\n    - { host: kube1, ip: x }\n';
    const run = await holdfast(['plan', 'apply', '-f', '-'], { input });
    expect(run).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: standard input has 2 faults; nothing was changed\n' +
        '  line 2, column 19: storage.expected_count: Expected node count (2) does not match the number of nodes provided (1); set expected_count: 1, or correct the list of nodes\n' +
        '  line 4, column 26: storage.nodes[0].ip: Invalid IP provided; write an IPv4 or IPv6 address such as 10.91.0.1\n',
    });
  });

  test.each([
    ['/no/such/plan', 4, 'cannot read the plan /no/such/plan: there is no such file'],
    ['/', 2, '/ is a directory, not a plan file'],
    ['/dev/zero', 2, '/dev/zero is larger than 1 MiB, the limit for a plan'],
    [process.execPath, 2, 'is larger than 1 MiB'],
  ])('-f %s is refused', async (file, code, message) => {
    const run = await holdfast(['plan', 'validate', '-f', file]);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(message);
  });

  test('validate counts the shares', async () => {
    const input = 'nfs:\n  nfs_volume:\n    - { nfs_host: files, mount_path: /export }\n';
    const run = await holdfast(['plan', 'validate', '-f', '-'], { input });
    expect(run).toEqual({ code: 0, stdout: '- is valid: 0 nodes, 0 volumes, 0 mounts, 1 share\n', stderr: '' });
  });
});

describe('status and nodes', () => {
  test('status is one sentence, and problems below it', async () => {
    const cluster = await threeNodes();
    await holdfast(['volume', 'add', '1', 'gv0'], { cluster });
    await cluster.makeReady('gv0');
    expect((await holdfast(['status'], { cluster })).stdout).toBe(
      '3 nodes ready; 1 volume, all copies current; safe to lose: any 1 node\n',
    );
    await cluster.addNode('kube4', { conditions: [] });
    expect((await holdfast(['status'], { cluster })).stdout).toContain(
      '\n\nKIND   NAME    WHAT\nnode   kube4   no controller has looked at it yet\n',
    );
  });

  test('a node that is not heard is shown with its old word marked as such, and what to do', async () => {
    const cluster = await threeNodes();
    const since = { lastTransitionTime: '2026-01-01T00:00:00Z' };
    const lost = { type: 'Ready', status: 'Unknown', reason: 'HeartbeatLost', message: 'no heartbeat', ...since };
    await cluster.client.patch('StorageNode', 'kube2', { status: { conditions: [lost] } }, { subresource: 'status' });
    const shown = (await holdfast(['node', 'show', 'kube2'], { cluster })).stdout;
    expect(shown).toMatch(/^Next: +start the machine; .*holdfast simulate lose-node kube2$/m);
    expect(shown).toMatch(/^default .* yes \(before\) /m);
    expect((await holdfast(['node', 'show', 'kube1'], { cluster })).stdout).not.toMatch(/Next:|before/);
  });

  test('nodes are listed and shown', async () => {
    const cluster = await threeNodes();
    expect((await holdfast(['node', 'list'], { cluster })).stdout).toContain(
      'kube2   yes     -      10.91.0.2   0        9 GiB of 10 GiB   0s\n',
    );
    expect((await holdfast(['node', 'show', 'kube2'], { cluster })).stdout).toContain(
      'default   /mnt/glusterVolume0   yes     9 GiB of 10 GiB\n',
    );
    expect(await holdfast(['node', 'show', 'kub2'], { cluster })).toMatchObject({
      code: 4,
      stderr: 'error: there is no node "kub2"\nhint: did you mean kube2?\n',
    });
  });
});

describe('the program', () => {
  test.each([[[]], [['--help']], [['help']]])('%j shows the commands', async (args) => {
    const run = await holdfast(args);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    for (const { name, summary } of CLI_COMMANDS) expect(run.stdout).toMatch(new RegExp(`^  ${name} +${summary}`, 'm'));
  });

  test.each<[readonly string[], string]>([
    [['volme'], "unknown command 'volme'\n(Did you mean volume?)"],
    [['volume', 'lst'], "unknown command 'lst'\n(Did you mean list?)"],
    [['volume', 'list', '--no-haeders'], "unknown option '--no-haeders'\n(Did you mean --no-headers?)"],
    [['volume'], 'Usage: holdfast volume'],
    [['volume', 'show'], "missing required argument 'name'"],
    [['volume', 'list', 'extra'], 'too many arguments'],
    [['volume', 'list', '-o', 'xml'], 'Allowed choices are table, wide, json, yaml, name'],
    [['node', 'list', '-o', 'kismatic-json'], '-o kismatic-json is a form of: holdfast volume list'],
    [['volume', 'list', '--timeout', 'soon'], '"soon" is not a length of time'],
  ])('%j is a mistake in the arguments', async (args, message) => {
    const run = await holdfast(args);
    expect(run.stderr).toContain(message);
    expect(run).toMatchObject({ code: 2, stdout: '' });
  });

  test.each([
    [['volume', 'show'], 'holdfast volume show --help'],
    [['volume', 'list', 'extra'], 'holdfast volume list --help'],
    [['volme'], 'holdfast --help'],
  ])('%j is told with where to read on', async (args, line) => {
    const run = await holdfast(args);
    expect(run.stderr.split('\n').at(-2)).toBe(`hint: see: ${line}`);
    const [, ...next] = line.split(' ');
    expect(await holdfast(next)).toMatchObject({ code: 0, stderr: '' });
  });

  test('help goes as deep as its words', async () => {
    const asked = await holdfast(['help', 'volume', 'add']);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(asked.stdout).toBe((await holdfast(['volume', 'add', '--help'])).stdout);
  });

  test('global options stand anywhere, and their values are not taken for commands', async () => {
    const paths: string[] = [];
    const cluster = await threeNodes();
    const connect = async (path: string) => {
      paths.push(path);
      return { client: cluster.client, close: () => paths.push('closed') };
    };
    const names = 'storagenode/kube1\nstoragenode/kube2\nstoragenode/kube3\n';
    expect((await holdfast(['--kubeconfig', 'volume', '-o', 'name', 'node', 'list'], { connect })).stdout).toBe(names);
    expect(
      (
        await holdfast(['node', 'list', '-o', 'name'], {
          connect,
          env: { HOLDFAST_KUBECONFIG: '/h', KUBECONFIG: '/k' },
        })
      ).stdout,
    ).toBe(names);
    await holdfast(['node', 'list'], { connect, env: { HOLDFAST_KUBECONFIG: '', KUBECONFIG: '/k:/other' } });
    await holdfast(['node', 'list'], { connect });
    expect(paths).toEqual([
      'volume',
      'closed',
      '/h',
      'closed',
      '/k',
      'closed',
      '/etc/holdfast/admin.kubeconfig',
      'closed',
    ]);
  });

  test.each([
    ['notFound', 4],
    ['denied', 3],
    ['unavailable', 7],
    ['internal', 1],
  ] as const)('a connection that fails with %s ends with code %i', async (kind, code) => {
    const connect = async () => {
      throw new AppError(kind, 'no kubeconfig', { hint: 'start the controller' });
    };
    expect(await holdfast(['status'], { connect })).toEqual({
      code,
      stdout: '',
      stderr: 'error: no kubeconfig\nhint: start the controller\n',
    });
  });

  test('the version is printed', async () => {
    expect((await holdfast(['version'])).stdout).toBe('holdfast 1.2.3\n');
    expect(await holdfast(['--version'])).toEqual({ code: 0, stdout: 'holdfast 1.2.3\n', stderr: '' });
    expect(JSON.parse((await holdfast(['version', '-o', 'json'])).stdout)).toMatchObject({ version: '1.2.3' });
  });
});
