/** Emptying and giving up nodes and disks, and converting volumes, from the command line, over a cluster in memory. */
import { describe, expect, test } from 'vitest';
import { GIB } from '../../src/domain/bytes.ts';
import type { VolumeSpec } from '../../src/schemas/volume.ts';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';
import { type CliRun, runAs } from './kismatic-cli.ts';

const FOUR = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
const SINCE = '2026-01-01T00:00:00Z';
const AWAY = { type: 'Ready', status: 'False' as const, reason: 'HeartbeatLost', lastTransitionTime: SINCE };
const pathOf = (copy: string) => `/mnt/glusterVolume0/${copy}`;

/** A volume gv0 whose copies are on the first three nodes, as far as its layout goes, all of them current. */
async function withVolume(spec: Partial<VolumeSpec> = { replicas: 3 }, copies = 3): Promise<FakeCluster> {
  const cluster = await createFakeCluster(FOUR);
  const { client } = cluster;
  const volume = await client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi', ...spec } });
  await cluster.makeReady('gv0');
  const made = await client.get('Volume', 'gv0');
  const isSpread = spec.layout === 'distributed';
  const placement = (made?.status?.placement ?? [])
    .slice(0, copies)
    .map((placed, set) => (isSpread ? { ...placed, set } : placed));
  const placed = placement.map(({ copy, node }) => ({ copy, node }));
  const bricks = (made?.status?.engine?.bricks ?? []).filter(({ copy }) => placed.some((each) => each.copy === copy));
  const engine = { engineId: 'id', bricks, members: placed.map(({ copy, node }) => `${node}:${pathOf(copy)}`) };
  await client.patch('Volume', 'gv0', { status: { placement, engine } }, { subresource: 'status' });
  for (const [index, { copy, node, pool, role }] of placement.entries()) {
    const rest = { pool, role, index, engine: 'gluster', brick: 'image', sizeBytes: GIB };
    const owner = { volume: 'gv0', volumeUid: volume.metadata.uid };
    await client.create('VolumeCopy', { metadata: { name: copy }, spec: { ...owner, node, ...rest } });
    const status = { state: 'Ready', path: pathOf(copy) };
    await client.patch('VolumeCopy', copy, { status }, { subresource: 'status' });
  }
  return cluster;
}

async function loseNode({ client }: FakeCluster, node: string): Promise<void> {
  const conditions = [{ ...AWAY, message: 'no heartbeat' }];
  await client.patch('StorageNode', node, { status: { conditions } }, { subresource: 'status' });
}

async function loseCopy({ client }: FakeCluster, copy: string): Promise<void> {
  await client.patch('VolumeCopy', copy, { status: { state: 'Suspect' } }, { subresource: 'status' });
}

/** As the controller does in the end: another copy is placed, and the old one released. */
async function move({ client, clock }: FakeCluster, copy: string, isAsked: () => Promise<boolean>): Promise<void> {
  while (!(await isAsked())) await clock.settle();
  await clock.settle();
  const placement = (await client.get('Volume', 'gv0'))?.status?.placement ?? [];
  const next = placement.map((each) => (each.copy === copy ? { ...each, copy: 'new', node: 'kube4' } : each));
  await client.patch('Volume', 'gv0', { status: { placement: next } }, { subresource: 'status' });
  await client.patch('VolumeCopy', copy, { spec: { isReleased: true } });
}

const isDraining =
  ({ client }: FakeCluster, node: string) =>
  async () =>
    (await client.get('StorageNode', node))?.spec.isDraining === true;
const isGivenUp =
  ({ client }: FakeCluster, copy: string) =>
  async () =>
    (await client.get('VolumeCopy', copy))?.spec.replacement !== undefined;

/** Of nodes, copies and volumes: what people may ask for. */
async function specs({ client }: FakeCluster): Promise<string> {
  const lists = [await client.list('StorageNode'), await client.list('VolumeCopy'), await client.list('Volume')];
  return JSON.stringify(lists.map(({ items }) => items.map(({ metadata, spec }) => [metadata.name, spec])));
}

/** Runs it, and holds it to have asked for nothing. */
async function refused(cluster: FakeCluster, args: readonly string[], input = ''): Promise<CliRun> {
  const before = await specs(cluster);
  const run = await runAs('holdfast', args, { cluster, input });
  expect(await specs(cluster)).toBe(before);
  return run;
}

describe('node drain', () => {
  test('tries it dry: where each copy would go, and nothing is changed', async () => {
    const cluster = await withVolume();
    expect(await refused(cluster, ['node', 'drain', 'kube1', '--dry-run'])).toEqual({
      code: 0,
      stdout: 'VOLUME   COPY    TO      BLOCKED BY\ngv0      gv0-0   kube4   -\n',
      stderr: '',
    });
    const json = await refused(cluster, ['node', 'drain', 'kube1', '--dry-run', '-o', 'json']);
    expect(JSON.parse(json.stdout)).toEqual({
      items: [{ volume: 'gv0', copy: 'gv0-0', isForGood: false, to: 'kube4' }],
    });
    expect(await refused(cluster, ['node', 'drain', 'kube4', '--dry-run'])).toMatchObject({
      stderr: 'No copy is on kube4.\n',
    });
  });

  test('tells the progress and the end, and is safe to repeat', async () => {
    const cluster = await withVolume();
    const draining = runAs('holdfast', ['node', 'drain', 'kube1'], { cluster });
    await move(cluster, 'gv0-0', isDraining(cluster, 'kube1'));
    expect(await draining).toEqual({
      code: 0,
      stdout: 'node kube1 has no copies any more\n',
      stderr: 'gv0: nothing has begun\ngv0: its copy has left kube1; copies left: 0\n',
    });
    const again = await runAs('holdfast', ['node', 'drain', 'kube1'], { cluster });
    expect(again).toEqual({ code: 0, stdout: 'node kube1 has no copies any more\n', stderr: '' });
  });

  test('says first what blocks, and what to do about it', async () => {
    const cluster = await withVolume({ layout: 'distributed', distribution: 3 });
    const dry = await refused(cluster, ['node', 'drain', 'kube1', '--dry-run']);
    expect(dry.stdout).toContain('kube1 holds the only copy of a part of the files');
    const result = await runAs('holdfast', ['node', 'drain', 'kube1'], { cluster });
    expect(result).toMatchObject({ code: 5, stdout: '' });
    expect(result.stderr).toMatch(/^gv0: kube1 holds the only copy of a part of the files, .*\n/);
    expect(result.stderr).toContain('error: kube1 cannot be emptied: it has copies that cannot move, of gv0\n');
    expect(result.stderr).toContain('holdfast node undrain kube1');
  });

  test('says that one of two copies in each of several sets cannot move, and what to do', async () => {
    const cluster = await withVolume({
      layout: 'distributed-replicated',
      distribution: 2,
      replicas: 2,
      allowSplitBrain: true,
    });
    const placement = ['kube1', 'kube2', 'kube3', 'kube4'].map((node, at) => ({
      ...{ copy: `gv0-${at}`, node, pool: 'default', role: 'data' as const, set: Math.floor(at / 2) },
    }));
    const { client } = cluster;
    await client.patch('Volume', 'gv0', { status: { placement } }, { subresource: 'status' });
    const bricks = placement.map(({ copy, node }) => {
      return { copy, node, isOnline: true, isReadable: true, nodeReadySince: SINCE, pendingHeals: 0 };
    });
    await client.patch('Volume', 'gv0', { status: { engine: { bricks } } }, { subresource: 'status' });
    const result = await runAs('holdfast', ['node', 'drain', 'kube1'], { cluster });
    expect(result).toMatchObject({ code: 5, stdout: '' });
    expect(result.stderr).toContain('which a volume of several sets cannot have');
    expect(result.stderr).toContain('copy their data into other volumes');
  });

  test('of a node that nobody knows is refused', async () => {
    const cluster = await withVolume();
    for (const verb of [['drain'], ['drain', '--dry-run'], ['undrain'], ['replace', '--yes']]) {
      const run = await refused(cluster, ['node', ...verb, 'kube9']);
      expect(run).toEqual({
        code: 4,
        stdout: '',
        stderr: 'error: there is no node "kube9"\nhint: see: holdfast node list\n',
      });
    }
  });
});

test('node undrain takes the wish back, again and again', async () => {
  const cluster = await withVolume();
  await runAs('holdfast', ['node', 'drain', 'kube1', '--no-wait'], { cluster });
  expect(await isDraining(cluster, 'kube1')()).toBe(true);
  for (const _ of [1, 2]) {
    const run = await runAs('holdfast', ['node', 'undrain', 'kube1'], { cluster });
    expect(run).toEqual({ code: 0, stdout: 'node kube1 takes copies again\n', stderr: '' });
    expect(await isDraining(cluster, 'kube1')()).toBe(false);
  }
  const json = await runAs('holdfast', ['node', 'undrain', 'kube1', '-o', 'json'], { cluster });
  expect(JSON.parse(json.stdout)).toEqual({ node: 'kube1' });
});

describe('node replace', () => {
  test('asks before anything is given up', async () => {
    const cluster = await withVolume();
    await loseNode(cluster, 'kube1');
    const run = await refused(cluster, ['node', 'replace', 'kube1'], 'n\n');
    expect(run.code).toBe(130);
    expect(run.stderr).toContain('Is kube1 gone for good?');
    expect(run.stderr).toContain('error: node kube1 was not replaced\n');
  });

  test('of a node that is there is refused, with what to do instead', async () => {
    const cluster = await withVolume();
    const run = await refused(cluster, ['node', 'replace', 'kube1', '--yes']);
    expect(run).toMatchObject({ code: 5, stdout: '' });
    expect(run.stderr).toContain('error: kube1 is there: its agent reports\n');
    expect(run.stderr).toContain('holdfast node drain kube1');
  });

  test('replaces what was there, on the node that was named, and removes the node', async () => {
    const cluster = await withVolume();
    await loseNode(cluster, 'kube1');
    const replacing = runAs('holdfast', ['node', 'replace', 'kube1', 'kube4', '--yes', '-o', 'json'], { cluster });
    await move(cluster, 'gv0-0', isGivenUp(cluster, 'gv0-0'));
    const { code, stdout, stderr } = await replacing;
    expect({ code, ...JSON.parse(stdout) }).toEqual({ code: 0, node: 'kube1', outcome: 'replaced' });
    expect(stderr).toContain('gv0: another copy took the place of that on kube1\n');
    const copy = await cluster.client.get('VolumeCopy', 'gv0-0');
    expect(copy?.spec.replacement).toEqual({ reason: 'NodeLost', node: 'kube4' });
    expect(await cluster.client.get('StorageNode', 'kube1')).toBeUndefined();
  });

  test('of a node with the only copy of a volume is refused, until that is deleted; then it is named, and goes with it', async () => {
    const cluster = await withVolume({ layout: 'single' }, 1);
    await loseNode(cluster, 'kube1');
    for (const flag of ['--yes', '--dry-run']) {
      const run = await refused(cluster, ['node', 'replace', 'kube1', flag]);
      expect(run).toMatchObject({ code: 5, stdout: '' });
      expect(run.stderr).toContain('error: no other copy can fill new ones of gv0; nothing was changed\n');
      expect(run.stderr).toContain('holdfast volume delete gv0');
    }
    const finalizers = ['holdfast.dev/volume'];
    await cluster.client.patch('Volume', 'gv0', { metadata: { finalizers } });
    await cluster.client.delete('Volume', 'gv0');
    const kept = await refused(cluster, ['node', 'replace', 'kube1'], 'n\n');
    expect(kept.stderr).toContain(
      'Is kube1 gone for good? What only it holds is given up, and with it what is left of gv0',
    );
    const run = await runAs('holdfast', ['node', 'replace', 'kube1', '--yes'], { cluster });
    expect(run).toMatchObject({ code: 0, stdout: 'node kube1 is replaced and no longer part of the cluster\n' });
    expect(await cluster.client.get('StorageNode', 'kube1')).toBeUndefined();
  });

  test('of a node with a part of a volume that was deleted is refused, with what lets it go', async () => {
    const cluster = await withVolume({ layout: 'distributed', distribution: 3 });
    await loseNode(cluster, 'kube1');
    await cluster.client.patch('Volume', 'gv0', { metadata: { finalizers: ['holdfast.dev/volume'] } });
    await cluster.client.delete('Volume', 'gv0');
    const run = await refused(cluster, ['node', 'replace', 'kube1', '--yes']);
    expect(run).toMatchObject({ code: 5, stdout: '' });
    expect(run.stderr).toContain('error: gv0 cannot end with kube1, having parts elsewhere; nothing was changed\n');
    expect(run.stderr).toContain('holdfast node rejoin kube1 --force');
  });

  test('goes on where a command before it was ended', async () => {
    const cluster = await withVolume();
    await loseNode(cluster, 'kube1');
    const stop = new AbortController();
    const args = ['node', 'replace', 'kube1', '--yes'];
    const first = runAs('holdfast', args, { cluster, signal: stop.signal });
    while (!(await isGivenUp(cluster, 'gv0-0')())) await cluster.clock.settle();
    stop.abort();
    expect((await first).code).toBe(130);
    const second = runAs('holdfast', args, { cluster });
    await move(cluster, 'gv0-0', isGivenUp(cluster, 'gv0-0'));
    expect(await second).toMatchObject({
      code: 0,
      stdout: 'node kube1 is replaced and no longer part of the cluster\n',
    });
  });
});

describe('disk replace', () => {
  test('asks before anything is given up, naming the volumes', async () => {
    const cluster = await withVolume();
    await loseCopy(cluster, 'gv0-0');
    const run = await refused(cluster, ['disk', 'replace', 'kube1'], 'n\n');
    expect(run.code).toBe(130);
    expect(run.stderr).toContain('The copies of gv0 on kube1 are given up. Is their disk gone for good?');
    expect(run.stderr).toContain('error: no copy was replaced\n');
  });

  test('of copies that can be read is refused, with what to do instead', async () => {
    const cluster = await withVolume();
    const run = await refused(cluster, ['disk', 'replace', 'kube1', '--yes']);
    expect(run).toMatchObject({ code: 5, stdout: '' });
    expect(run.stderr).toContain('error: no copy in pool default of kube1 is known to be lost\n');
    expect(run.stderr).toContain('holdfast node drain kube1');
    await loseCopy(cluster, 'gv0-0');
    const other = await refused(cluster, ['disk', 'replace', 'kube1', 'fast', '--yes']);
    expect(other.stderr).toContain('error: no copy in pool fast of kube1 is known to be lost\n');
  });

  test.each<Partial<VolumeSpec>>([{ layout: 'single' }, { layout: 'single', engine: 'local' }])(
    'of the only copy of %j is refused at once, with what to do',
    async (spec) => {
      const cluster = await withVolume(spec, 1);
      await loseCopy(cluster, 'gv0-0');
      for (const flag of ['--yes', '--dry-run']) {
        const run = await refused(cluster, ['disk', 'replace', 'kube1', flag]);
        expect(run).toMatchObject({ code: 5, stdout: '' });
        expect(run.stderr).toContain('error: no other copy can fill new ones of gv0; nothing was changed\n');
        expect(run.stderr).toContain('holdfast volume delete gv0');
      }
    },
  );

  test('replaces the lost copies on the same node, and is safe to repeat', async () => {
    const cluster = await withVolume();
    await loseCopy(cluster, 'gv0-0');
    const asked = await runAs('holdfast', ['disk', 'replace', 'kube1', '--yes', '--no-wait', '-o', 'json'], {
      cluster,
    });
    expect(JSON.parse(asked.stdout)).toEqual({ node: 'kube1', pool: 'default', volumes: ['gv0'] });
    const copy = await cluster.client.get('VolumeCopy', 'gv0-0');
    expect(copy?.spec.replacement).toEqual({ reason: 'DiskLost', node: 'kube1' });
    const again = runAs('holdfast', ['disk', 'replace', 'kube1', '--yes'], { cluster });
    await move(cluster, 'gv0-0', isGivenUp(cluster, 'gv0-0'));
    expect(await again).toMatchObject({ code: 0, stdout: 'the copies of gv0 on kube1 are replaced\n' });
  });
});

describe('volume convert', () => {
  test('tries it dry', async () => {
    const cluster = await withVolume();
    const args = ['volume', 'convert', 'gv0', '--layout', 'arbiter', '--dry-run'];
    expect(await refused(cluster, args)).toEqual({
      code: 0,
      stdout: 'volume gv0 would be converted from 3 copies to 2 copies and an arbiter\n',
      stderr: '',
    });
    const json = await refused(cluster, [...args, '-o', 'json']);
    const said = {
      name: 'gv0',
      from: '3 copies',
      to: '2 copies and an arbiter',
      isDryRun: true,
      isDone: false,
      isUnchanged: false,
    };
    expect(JSON.parse(json.stdout)).toEqual(said);
  });

  test('is done when every copy is there and no change is under way, and is safe to repeat', async () => {
    const cluster = await withVolume({ layout: 'single' }, 1);
    const args = ['volume', 'convert', 'gv0', '--replicas', '3'];
    const converting = runAs('holdfast', args, { cluster });
    const isAsked = async () => (await cluster.client.get('Volume', 'gv0'))?.spec.layout === 'replicated';
    while (!(await isAsked())) await cluster.clock.settle();
    const [one] = (await cluster.client.get('Volume', 'gv0'))?.status?.placement ?? [];
    const three = ['kube1', 'kube2', 'kube3'].map((node, at) => ({ ...one, copy: `gv0-${at}`, node }));
    const filling = three.map((placed, at) => (at === 2 ? { ...placed, isJoining: true } : placed));
    const store = (placement: readonly object[]) =>
      cluster.client.patch('Volume', 'gv0', { status: { placement } }, { subresource: 'status' });
    await store(filling);
    await cluster.clock.settle();
    await store(three);
    expect(await converting).toMatchObject({ code: 0, stdout: 'volume gv0 is converted from 1 copy to 3 copies\n' });
    const again = await runAs('holdfast', args, { cluster });
    expect(again).toMatchObject({ code: 0, stdout: 'volume gv0 has 3 copies already; there is nothing to do\n' });
    const dry = await refused(cluster, [...args, '--dry-run', '-o', 'json']);
    expect(JSON.parse(dry.stdout)).toMatchObject({ isDryRun: true, isDone: false, isUnchanged: true });
  });

  test.each<[readonly string[], Partial<VolumeSpec>, number, string]>([
    [['gv0'], {}, 2, 'for example: holdfast volume convert gv0 --replicas 3'],
    [['gone', '--replicas', '3'], {}, 4, 'gone'],
    [['gv0', '--replicas', '0'], {}, 2, 'from 1 to 9'],
    [['gv0', '--layout', 'dispersed'], {}, 2, 'single, replicated, arbiter'],
    [['gv0', '--replicas', '2'], { replicas: 3 }, 2, 'arbiter'],
    [['gv0', '--replicas', '3'], { layout: 'dispersed' }, 5, 'make another volume and copy the data'],
    [
      ['gv0', '--replicas', '3'],
      { layout: 'distributed', distribution: 3 },
      5,
      'make another volume and copy the data',
    ],
  ])('%j of %j is refused, with what to do', async (args, spec, code, words) => {
    const cluster = await withVolume(spec);
    const run = await refused(cluster, ['volume', 'convert', ...args]);
    expect(run).toMatchObject({ code, stdout: '' });
    expect(run.stderr).toContain(words);
  });
});
