/** `holdfast explain` and `holdfast simulate` as their users meet them, over a cluster in memory. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { GIB } from '../../src/domain/bytes.ts';
import { isAppError } from '../../src/domain/errors.ts';
import type { VolumeExplanation } from '../../src/domain/explain/explain-volume.ts';
import type { ExplainedWish } from '../../src/domain/explain/explain-wish.ts';
import type { LossReport } from '../../src/domain/simulate/simulate-loss.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { VolumeStatus } from '../../src/schemas/volume.ts';
import { runCli } from '../../src/shells/cli/program.ts';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';
import { explainPlacementOf } from '../../src/usecases/explain/explain.ts';
import { addVolume } from '../../src/usecases/volumes/add-volume.ts';

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function* nothing() {
  yield '';
}

async function holdfast(cluster: FakeCluster, ...args: readonly string[]): Promise<Run> {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(args, {
    stdin: nothing(),
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    env: {},
    signal: new AbortController().signal,
    clock: cluster.clock,
    random: createSeededRandom(7),
    version: '1.2.3',
    connect: async () => ({ client: cluster.client, close: () => undefined }),
    plans: { read: async () => Promise.reject(new Error('no plan is read here')) },
  });
  return { code, ...written };
}

const THREE = ['kube1', 'kube2', 'kube3'];

/** A volume gv0 with its copies recorded, all of them current unless `overrides` says otherwise. */
async function withVolume(nodes: readonly string[], overrides: Partial<VolumeStatus> = {}): Promise<FakeCluster> {
  const cluster = await createFakeCluster(nodes);
  await addVolume(cluster, { name: 'gv0', size: '1Gi' });
  await cluster.makeReady('gv0');
  const volume = await cluster.client.get('Volume', 'gv0');
  const { placement = [], engine } = volume?.status ?? {};
  for (const [index, { copy, node, pool, role }] of placement.entries()) {
    const rest = { pool, role, index, engine: 'gluster', brick: 'image', sizeBytes: GIB };
    const spec = { volume: 'gv0', volumeUid: volume?.metadata.uid, node, ...rest };
    await cluster.client.create('VolumeCopy', { metadata: { name: copy }, spec });
    await cluster.client.patch('VolumeCopy', copy, { status: { state: 'Ready' } }, { subresource: 'status' });
  }
  const bricks = (engine?.bricks ?? []).map((brick) => ({ ...brick, nodeReadySince: '2026-01-01T00:00:00Z' }));
  const status = { engine: { bricks }, ...overrides };
  await cluster.client.patch('Volume', 'gv0', { status }, { subresource: 'status' });
  return cluster;
}

describe('explain placement', () => {
  test('shows who turned a copy away, the points of the others, and the answer', async () => {
    const cluster = await createFakeCluster([...THREE, 'kube4']);
    await cluster.client.patch('StorageNode', 'kube2', { spec: { isCordoned: true, zone: 'a' } });
    const run = await holdfast(cluster, 'explain', 'placement', '--size', '2Gi', '--replicas', '3');
    expect(run).toEqual({
      code: 0,
      stderr: '',
      stdout:
        'NODE    ZONE   COPY       NOTCORDONED   WHY NOT\n' +
        'kube1   -      0 (data)   pass          -\n' +
        'kube2   a      -          no            the node is cordoned\n' +
        'kube3   -      1 (data)   pass          -\n' +
        'kube4   -      2 (data)   pass          -\n' +
        'Every node passes: nodeReady, keepsCopies, nodeRejoined, engineRunning, nodeAble, zoneAllowed, nodeAllowed, oneCopyPerNode, hasPool, poolReady, enoughRoom\n\n' +
        'NODE    TAKEN FOR   POINTS   ZONESPREAD                   FREESPACE                   FEWCOPIES\n' +
        'kube1   copy 0      90.90    0 (node kube1 has no copy)   90 (9 GiB of 10 GiB free)   0.9 (0 copies on the node)\n' +
        'kube3   copy 1      90.90    0 (node kube3 has no copy)   90 (9 GiB of 10 GiB free)   0.9 (0 copies on the node)\n' +
        'kube4   copy 2      90.90    0 (node kube4 has no copy)   90 (9 GiB of 10 GiB free)   0.9 (0 copies on the node)\n' +
        'Points: zoneSpread -1000 for each copy that the zone holds already; freeSpace 100 for a pool that is wholly free; fewCopies 0.9 for a node without copies, half of it with each copy. The highest sum is taken, of equal ones the first name.\n\n' +
        '2Gi, replicated 3, pool default: it fits: 3 data on kube1, kube3, kube4\n',
    });
    const wide = await holdfast(cluster, 'explain', 'placement', '--size', '2Gi', '-o', 'wide');
    expect(wide.stdout).toMatch(
      /^NODE +ZONE +COPY +NODEREADY +NOTCORDONED +KEEPSCOPIES +NODEREJOINED +ENGINERUNNING +NODEABLE +ZONEALLOWED/,
    );
  });

  test('a volume that does not fit ends with code 6, the numbers and the smallest change, also as data', async () => {
    const cluster = await createFakeCluster(THREE);
    const run = await holdfast(cluster, 'explain', 'placement', '--size', '20Gi');
    expect(run).toMatchObject({ code: 6, stderr: '' });
    expect(run.stdout).toContain('kube2   -      -      no           9 GiB free < 20.4 GiB\n');
    expect(run.stdout).toContain('it does not fit: volume new needs 3 nodes; none fits');
    expect(run.stdout).toContain('to make it fit: add 11.4 GiB to pool default of kube1');
    const json = await holdfast(cluster, 'explain', 'placement', '--size', '20Gi', '-o', 'json');
    expect(json.code).toBe(6);
    const data = JSON.parse(json.stdout) as ExplainedWish;
    expect(data).toMatchObject({ fits: false, layout: 'replicated', replicas: 3, placement: [] });
    expect(data.changes).toHaveLength(3);
    const yaml = await holdfast(cluster, 'explain', 'placement', '--size', '20Gi', '-o', 'yaml');
    expect(parseYaml(yaml.stdout)).toEqual(data);
  });

  test('without any node it says so', async () => {
    const run = await holdfast(await createFakeCluster(), 'explain', 'placement', '--size', '1Gi');
    expect(run.code).toBe(6);
    expect(run.stdout).toContain('There are no nodes yet.\n');
    expect(run.stdout).toContain('to make it fit: add 3 nodes with 1.2 GiB free in a pool default\n');
  });

  test('it only asks', async () => {
    const cluster = await withVolume(THREE);
    const before = cluster.client.version();
    await holdfast(cluster, 'explain', 'placement', '--size', '1Gi');
    await holdfast(cluster, 'explain', 'volume', 'gv0');
    await holdfast(cluster, 'simulate', 'lose-node', 'kube1');
    await holdfast(cluster, 'simulate', 'add-node', 'kube9', '--pool', 'default=1Gi');
    await holdfast(cluster, 'simulate', 'grow', '5%');
    expect(cluster.client.version()).toBe(before);
  });

  test('volume add gets the same answer', async () => {
    const request = fc.record({
      size: fc.constantFrom('128Mi', '1Gi', '4Gi', '8Gi', '12Gi'),
      replicas: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      layout: fc.option(fc.constantFrom('single', 'replicated', 'arbiter' as const), { nil: undefined }),
      pool: fc.constantFrom('default', 'default', 'default', 'fast'),
      brick: fc.constantFrom('image', 'directory' as const),
      allowSplitBrain: fc.boolean(),
    });
    const nodes = fc.array(fc.record({ freeGib: fc.integer({ min: 0, max: 10 }), isCordoned: fc.boolean() }), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(request, nodes, async ({ replicas, layout, ...rest }, drawn) => {
        const cluster = await createFakeCluster();
        for (const [at, { freeGib, isCordoned }] of drawn.entries()) {
          const pool = { name: 'default', path: '/p', isReady: true, capacityBytes: 10 * GIB };
          await cluster.addNode(`kube${at}`, { pools: [{ ...pool, freeBytes: freeGib * GIB }] });
          if (isCordoned) await cluster.client.patch('StorageNode', `kube${at}`, { spec: { isCordoned } });
        }
        const wish = {
          ...rest,
          ...(replicas === undefined ? {} : { replicas }),
          ...(layout === undefined ? {} : { layout: layout as 'single' }),
        };
        const added = await settled(addVolume(cluster, { ...wish, name: 'new' }, { isDryRun: true }));
        const explained = await settled(explainPlacementOf(cluster, wish));
        if (added.value !== undefined) {
          expect(explained.value).toMatchObject({ fits: true, placement: added.value.placement });
          expect(explained.value?.explanation).toEqual(added.value.explanation);
          return;
        }
        // A wish that nothing could fulfil is refused by both; one that lacks room or nodes is explained.
        if (explained.value === undefined) expect(explained.error?.kind).toBe(added.error?.kind);
        else {
          expect(explained.value.fits).toBe(false);
          const sentence = explained.value.sentence.replace('it does not fit: ', '');
          expect(added.error?.message.startsWith(sentence)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

async function settled<T>(promise: Promise<T>) {
  try {
    return { value: await promise };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { error };
  }
}

describe('explain volume', () => {
  test('a ready volume: where it is, why, what a loss would do, what to do', async () => {
    const cluster = await withVolume(THREE, { reasons: ['copy 0 (data) on kube1', 'copy 1 (data) on kube2'] });
    expect(await holdfast(cluster, 'explain', 'volume', 'gv0')).toEqual({
      code: 0,
      stderr: '',
      stdout:
        'Volume:       gv0\n' +
        'Phase:        Ready: all 3 copies are current\n' +
        'Asked for:    1Gi, replicated, 3 data\n' +
        'Waits for:    nothing\n' +
        'Anchor:       kube1, epoch 1\n' +
        'Served:       needs 2 of 3 copies; 3 serve\n' +
        'Pool quorum:  3 of 3 nodes are there; more than half are needed\n\n' +
        'Placed at first:  copy 0 (data) on kube1\n' +
        '                  copy 1 (data) on kube2\n\n' +
        'CONDITION   STATUS   REASON             FOR   MESSAGE\n' +
        'Ready       True     Served             0s    3 of 3 copies serve\n' +
        'Redundant   True     AllCopiesCurrent   0s    all 3 copies are current\n\n' +
        'COPY    NODE    POOL      ROLE   STATE   ONLINE   READABLE   TO HEAL   IF ITS NODE IS LOST NOW\n' +
        'gv0-0   kube1   default   data   Ready   yes      yes        0         served, not redundant\n' +
        'gv0-1   kube2   default   data   Ready   yes      yes        0         served, not redundant\n' +
        'gv0-2   kube3   default   data   Ready   yes      yes        0         served, not redundant\n\n' +
        'Next:  holdfast simulate lose-node kube1\n' +
        '       nothing is to be done; try what a loss would do\n',
    });
  });

  test('one that waits says for what and for how long', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'gv0', size: '1Gi' });
    await cluster.clock.advance(90_000);
    const run = await holdfast(cluster, 'explain', 'volume', 'gv0');
    expect(run.stdout).toContain('Waits for:    the controller to look at it (for 90s)\n');
  });

  test('every next command is one that the program understands', async () => {
    const node = { conditions: [] };
    const ready = { type: 'Ready', status: 'False', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;
    const cases: readonly Partial<VolumeStatus>[] = [
      {},
      { phase: 'Pending', placement: [], conditions: [{ ...ready, reason: 'NoPlaceForCopies' }] },
      { phase: 'Pending', placement: [], conditions: [] },
      { phase: 'Creating', conditions: [{ ...ready, reason: 'PreparingCopies' }] },
      { phase: 'Degraded' },
      { phase: 'Unavailable' },
    ];
    for (const status of cases) {
      const cluster = await withVolume(THREE, status);
      if (status.phase === 'Unavailable') {
        await cluster.client.patch('StorageNode', 'kube3', { status: node }, { subresource: 'status' });
      }
      const { stdout } = await holdfast(cluster, 'explain', 'volume', 'gv0', '-o', 'json');
      const [program, ...args] = (JSON.parse(stdout) as VolumeExplanation).next.command.split(' ');
      expect(program).toBe('holdfast');
      expect((await holdfast(cluster, ...args)).code).toBe(0);
    }
  });
});

describe('simulate', () => {
  test('lose-node tells what stops, what goes on, and what would have to be copied', async () => {
    const cluster = await withVolume([...THREE, 'kube4', 'kube5']);
    const spec = { volume: 'gv0', node: 'kube1', mountPath: '/data' };
    await cluster.client.create('VolumeAttachmentRecord', { metadata: { name: 'gv0.kube1' }, spec });
    expect((await holdfast(cluster, 'simulate', 'lose-node', 'kube1')).stdout).toBe(
      'Without kube1: 0 of 1 volume would be redundant, 1 served without redundancy, 0 no longer served.\n\n' +
        'VOLUME   NOW         AFTER                   MAY LOSE THEN   LOSES ITS COPY ON   TO COPY\n' +
        'gv0      redundant   served, not redundant   0               kube1               1 GiB to kube4\n\n' +
        'Room for new copies on other nodes: for 1 of the 1 that would want one, at most 1 GiB to copy.\n' +
        'gv0 is mounted on kube1: what uses it there stops.\n' +
        'Nothing was changed.\n',
    );
    const two = await holdfast(cluster, 'simulate', 'lose-node', 'kube2', 'kube3', '-o', 'json');
    expect(JSON.parse(two.stdout)).toMatchObject({ stopped: ['gv0'], serverQuorum: { isMet: true } });
    const names = await holdfast(cluster, 'simulate', 'lose-node', 'kube2', 'kube3', '-o', 'name');
    expect(names.stdout).toBe('volume/gv0\n');
  });

  test('lose-zone loses all its nodes, also those without a copy, which GlusterFS counts too', async () => {
    const cluster = await withVolume([...THREE, 'kube4']);
    for (const name of ['kube3', 'kube4']) await cluster.client.patch('StorageNode', name, { spec: { zone: 'east' } });
    const run = await holdfast(cluster, 'simulate', 'lose-zone', 'east');
    expect(run.stdout).toContain(
      'Without kube3, kube4: 0 of 1 volume would be redundant, 0 served without redundancy, 1 no longer served.\n' +
        'Only 2 of 4 nodes would be left: GlusterFS stops every volume but single ones unless more than half of its nodes are there.\n',
    );
    const data = JSON.parse(
      (await holdfast(cluster, 'simulate', 'lose-zone', 'east', '-o', 'json')).stdout,
    ) as LossReport;
    expect(data.nodes).toEqual(['kube3', 'kube4']);
  });

  test('add-node tells what fits with it', async () => {
    const cluster = await createFakeCluster(['kube1', 'kube2']);
    await cluster.client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '2Gi', replicas: 3 } });
    const line = ['simulate', 'add-node', 'kube3', '--zone', 'z', '--pool', 'default=100Gi'];
    expect((await holdfast(cluster, ...line)).stdout).toBe(
      'POOL      BIGGEST VOLUME OF 3 COPIES NOW   WITH THE NEW NODE\n' +
        'default   none                             8.7 GiB\n\n' +
        '1 of 1 waiting volume would be placed because of it.\n\n' +
        'WAITING VOLUME   SIZE   WOULD BE PLACED\n' +
        'gv0              2Gi    yes: kube3, kube1, kube2\n\n' +
        'Nothing was changed.\n',
    );
    expect((await holdfast(cluster, ...line, '-o', 'name')).stdout).toBe('volume/gv0\n');
  });

  test('grow tells the month for each pool, together, and without the largest node', async () => {
    const cluster = await withVolume(THREE);
    expect((await holdfast(cluster, 'simulate', 'grow', '20%/month', '--months', '24')).stdout).toBe(
      'POOL      NODE    PROMISED   THIN   LIMIT    FULL\n' +
        'default   kube1   1.2 GiB    none   10 GiB   full in month 12\n' +
        'default   kube2   1.2 GiB    none   10 GiB   full in month 12\n' +
        'default   kube3   1.2 GiB    none   10 GiB   full in month 12\n\n' +
        'Pool default on 3 nodes together: full in month 12.\n' +
        'Without kube1, its largest node: full in month 10.\n' +
        'Even now no other place for the copies on kube1 of: gv0.\n' +
        'Counted is what is promised: image bricks take their whole size at once, thin ones (directory bricks) only as they are written.\n' +
        'Nothing was changed.\n',
    );
  });

  test('an empty cluster has an answer to everything', async () => {
    const cluster = await createFakeCluster(['kube1']);
    expect((await holdfast(cluster, 'simulate', 'lose-node', 'kube1')).stdout).toContain('there are no volumes');
    const none = await createFakeCluster();
    expect((await holdfast(none, 'simulate', 'grow', '1%')).stdout).toContain('No pool has been reported yet.\n');
    expect((await holdfast(none, 'simulate', 'add-node', 'a', '--pool', 'p=1Gi')).stdout).toContain('none');
  });
});

describe('mistakes', () => {
  test.each<[args: readonly string[], code: number, message: string]>([
    [['explain', 'volume', 'gvO'], 4, 'there is no volume "gvO"\nhint: did you mean gv0?'],
    [['explain', 'volume', '../x'], 4, 'there is no volume "../x"'],
    [['explain', 'volume', 'a'.repeat(300)], 4, `there is no volume "${'a'.repeat(40)}..."`],
    [['explain', 'placement'], 2, "required option '--size <size>' not specified"],
    [['explain', 'placement', '--size', '20'], 2, 'a volume of 20 is too small'],
    [['explain', 'placement', '--size', 'ten'], 2, '"ten" is not a size'],
    [['explain', 'placement', '--size', '1Gi', '--replicas', 'two'], 2, '"two" is not a whole number'],
    [['explain', 'placement', '--size', '1Gi', '--replicas', '10'], 2, 'choose a whole number from 1 to 9'],
    [['explain', 'placement', '--size', '1Gi', '--layout', 'replicated', '--replicas', '2'], 2, 'can diverge'],
    [['explain', 'placement', '--size', '1Gi', '--layout', 'mirrored'], 2, 'Allowed choices are single, replicated'],
    [['explain', 'placement', '--size', '1Gi', '--pool', '../p'], 2, 'pool name "../p" may hold only'],
    [
      ['explain', 'placement', '--size', '1Gi', '--zones', 'eest'],
      4,
      'there is no zone "eest"\nhint: did you mean east?',
    ],
    [['simulate', 'lose-node', 'kube1', 'kub2'], 4, 'there is no node "kub2"\nhint: did you mean kube2?'],
    [['simulate', 'lose-node'], 2, "missing required argument 'node'"],
    [['simulate', 'lose-zone', 'north'], 4, 'there is no zone "north"\nhint: see: holdfast node list'],
    [['simulate', 'add-node', 'kube1', '--pool', 'default=1Gi'], 5, 'node kube1 exists already'],
    [['simulate', 'add-node', 'Kube9', '--pool', 'default=1Gi'], 2, 'node name "Kube9" may hold only'],
    [['simulate', 'add-node', 'kube9'], 2, 'node kube9 needs a pool'],
    [['simulate', 'add-node', 'kube9', '--pool', 'default'], 2, 'write the name of the pool and its size'],
    [['simulate', 'add-node', 'kube9', '--pool', 'default=much'], 2, '"much" is not a size'],
    [['simulate', 'add-node', 'kube9', '--pool', 'default=0'], 2, 'must hold more than nothing'],
    [['simulate', 'add-node', 'kube9', '--pool', 'a=1Gi', '--pool', 'a=1Gi'], 2, 'pool a is named twice'],
    [['simulate', 'add-node', 'kube9', '--zone', 'A b', '--pool', 'a=1Gi'], 2, 'zone name "A b" may hold only'],
    [['simulate', 'grow', 'much'], 2, '"much" is not a growth\nhint: write a percentage a month'],
    [['simulate', 'grow', '5000%'], 2, 'at most 1000%/month'],
    [['simulate', 'grow', '20%', '--months', '0'], 2, 'choose from 1 to 120'],
    [['simulate', 'grow', '20%', '--months', 'x'], 2, '"x" is not a whole number of months'],
    [['simulate', 'loose-node', 'kube1'], 2, 'Did you mean lose-node?'],
  ])('%j', async (args, code, message) => {
    const cluster = await withVolume(THREE);
    await cluster.client.patch('StorageNode', 'kube1', { spec: { zone: 'east' } });
    const run = await holdfast(cluster, ...args);
    expect(run.stderr).toContain(message);
    expect(run).toMatchObject({ code, stdout: '' });
  });
});

describe('explain volume of a share', () => {
  const engine = { observedBy: 'kube1', epoch: 1, state: 'Started' as const, bricks: [], capacityBytes: 3 * GIB };

  test.each([
    [{}, 'the whole of /export', 'nothing is touched'],
    [{ subDir: 'team/db', onDelete: 'archive' }, 'folder team/db of /export', 'its folder is renamed'],
  ])(
    '%o: says who keeps it, what becomes of it and who can mount it, and nothing of copies',
    async (more, what, end) => {
      const cluster = await createFakeCluster(['kube2']);
      await cluster.addNode('kube1', { engines: [{ name: 'nfs', isInstalled: true, isRunning: true }] });
      const share = { server: 'files', path: '/export', ...more };
      const spec = { size: '1Gi', engine: 'nfs', layout: 'single', share };
      await cluster.client.create('Volume', { metadata: { name: 'db' }, spec });
      const lastTransitionTime = '2026-01-01T00:00:00Z';
      const conditions = [
        { type: 'Ready', status: 'True' as const, reason: 'ShareAnswers', message: 'it answers', lastTransitionTime },
        { type: 'Redundant', status: 'Unknown' as const, reason: 'KeptByServer', message: 'kept', lastTransitionTime },
      ];
      await cluster.makeReady('db', { placement: [], size: '3Gi', anchor: 'kube1', engine, conditions });
      const { code, stdout } = await holdfast(cluster, 'explain', 'volume', 'db');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Waits for: +nothing$/m);
      expect(stdout).toMatch(new RegExp(`^Kept by: +files, ${what}; Holdfast keeps no copy$`, 'm'));
      expect(stdout).toMatch(new RegExp(`^When deleted: +${end}$`, 'm'));
      expect(stdout).toMatch(/^Usable on: +kube1$/m);
      expect(stdout).not.toMatch(/Served|Pool quorum|copies serve|lose-node/);
      const json = JSON.parse(
        (await holdfast(cluster, 'explain', 'volume', 'db', '-o', 'json')).stdout,
      ) as VolumeExplanation;
      expect(json).toMatchObject({
        size: '3Gi',
        sets: [],
        copies: [],
        share: { server: 'files', usableOn: ['kube1'] },
      });
    },
  );
});
