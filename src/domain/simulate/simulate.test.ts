import { describe, expect, test } from 'vitest';
import { GIB, TIB } from '../bytes.ts';
import { simulateAddedNode } from './add-node.ts';
import { clusterOf } from './cluster.fake.ts';
import { parseGrowth, parseMonths, simulateGrowth } from './grow.ts';
import { simulateLoss } from './simulate-loss.ts';

const five = ['n1', 'n2', 'n3', 'n4', 'n5'].map((name) => ({ name, zone: name === 'n5' ? 'b' : 'a' }));
const three = five.slice(0, 3);
const THREE = ['n1', 'n2', 'n3'];

function after(report: ReturnType<typeof simulateLoss>): readonly string[] {
  return report.volumes.map((loss) => loss.after);
}

describe('simulateLoss', () => {
  test('tells redundant, served and stopped apart, and finds room for new copies', () => {
    const stored = clusterOf(five, [
      { name: 'both', nodes: ['n1', 'n2', 'n5'] },
      { name: 'one', nodes: ['n1', 'n3', 'n4'] },
      { name: 'none', nodes: ['n3', 'n4', 'n5'] },
      { name: 'alone', layout: 'single', nodes: ['n2'] },
    ]);
    const report = simulateLoss(stored, ['n1', 'n2']);
    expect(report.volumes.map(({ volume, after: then }) => [volume, then])).toEqual([
      ['alone', 'unavailable'],
      ['both', 'unavailable'],
      ['none', 'redundant'],
      ['one', 'served'],
    ]);
    expect(report.stopped).toEqual(['alone', 'both']);
    expect(report.restorable).toEqual({ volumes: 1, of: 1, bytes: GIB });
    const one = report.volumes.find((loss) => loss.volume === 'one');
    expect(one?.restore).toMatchObject({ hasRoom: true, places: [{ index: 0, node: 'n5' }] });
  });

  test('counts the engine servers as well: with half of them gone replicated volumes stop, single ones do not', () => {
    const four = five.slice(0, 4);
    const stored = clusterOf(four, [
      { name: 'alone', layout: 'single', nodes: ['n1'] },
      { name: 'spread', nodes: THREE },
    ]);
    const report = simulateLoss(stored, ['n3', 'n4']);
    expect(report.serverQuorum).toEqual({ active: 2, members: 4, isMet: false });
    expect(after(report)).toEqual(['served', 'unavailable']);
  });

  test('the members are those that the engine reported, be they nodes still or not', () => {
    const stored = clusterOf(three, [{ name: 'spread', nodes: THREE }]);
    const peers = { observedBy: 'n1', connected: ['n2', 'n3'], disconnected: ['gone1', 'gone2'], missing: [] };
    const cluster = {
      apiVersion: 'holdfast.dev/v1alpha1' as const,
      kind: 'StorageCluster' as const,
      metadata: { name: 'default' },
      spec: { nodes: THREE },
      status: { peers },
    };
    expect(after(simulateLoss({ ...stored, clusters: [cluster] }, ['n1']))).toEqual(['unavailable']);
    expect(after(simulateLoss(stored, ['n1']))).toEqual(['served']);
  });

  test('warns where a majority of copies is not the whole truth, and where users are lost with the node', () => {
    const stored = clusterOf(five, [{ name: 'v', nodes: THREE, pendingHeals: 2, mounts: [{ node: 'n1' }] }]);
    const [loss] = simulateLoss(stored, ['n1']).volumes;
    expect(loss).toMatchObject({ before: 'served', after: 'served', spareCopies: 0, lostMounts: ['n1'] });
    expect(loss?.warning).toContain('2 entries differ between copies now');
  });

  test('says why there is no other place', () => {
    const [loss] = simulateLoss(clusterOf(three, [{ name: 'v', nodes: THREE }]), ['n3']).volumes;
    expect(loss?.restore).toMatchObject({
      hasRoom: false,
      smallestChange: 'bring n3 back, or add a node with 1.2 GiB free in a pool default',
    });
  });

  test('what one volume takes the next cannot have', () => {
    const stored = clusterOf(
      [...three, { name: 'n4', capacityGib: 2 }, { name: 'n5', capacityGib: 0 }],
      [
        { name: 'first', nodes: THREE },
        { name: 'second', nodes: THREE },
      ],
    );
    const report = simulateLoss(stored, ['n3']);
    expect(report.restorable).toEqual({ volumes: 1, of: 2, bytes: GIB });
    expect(report.volumes.map((loss) => loss.restore?.hasRoom)).toEqual([true, false]);
  });

  test('a copy of an earlier volume of the same name is another one’s', () => {
    const stored = clusterOf(three, [{ name: 'v', nodes: THREE }]);
    const copies = stored.copies.map((copy) => ({ ...copy, spec: { ...copy.spec, volumeUid: 'earlier' } }));
    expect(after(simulateLoss({ ...stored, copies }, []))).toEqual(['notReady']);
  });

  test('a volume marked for deletion but mounted is still somebody’s data', () => {
    const stored = clusterOf(three, [
      { name: 'leaving', nodes: THREE, isDeleting: true },
      { name: 'used', nodes: THREE, isDeleting: true, mounts: [{ node: 'n1' }] },
    ]);
    expect(after(simulateLoss(stored, ['n3']))).toEqual(['notReady', 'served']);
    // Once its removal has begun, a mount that is asked for comes too late.
    const volumes = stored.volumes.map((volume) => {
      return { ...volume, status: { ...volume.status, phase: 'Deleting' as const } };
    });
    expect(after(simulateLoss({ ...stored, volumes }, ['n3']))).toEqual(['notReady', 'notReady']);
  });
});

describe('simulateAddedNode', () => {
  test('says what fits with it, and which waiting volumes would get a place', () => {
    const stored = clusterOf(
      [
        { name: 'n1', capacityGib: 10 },
        { name: 'n2', capacityGib: 10 },
        { name: 'n3', capacityGib: 4 },
      ],
      [
        { name: 'big', sizeGib: 8 },
        { name: 'huge', sizeGib: 50 },
        { name: 'small', sizeGib: 1 },
      ],
    );
    const report = simulateAddedNode(stored, { name: 'n4', pools: [{ name: 'default', bytes: TIB }] });
    expect(report.waiting.map(({ volume, fits }) => [volume, fits])).toEqual([
      ['big', 'after'],
      ['huge', 'no'],
      ['small', 'before'],
    ]);
    expect(report.waiting[1]?.smallestChange).toContain('add');
    const [biggest] = report.biggest;
    expect(biggest?.before).toBeGreaterThan(3 * GIB);
    expect(biggest?.before).toBeLessThan(4 * GIB);
    expect(biggest?.after).toBeGreaterThan(9 * GIB);
  });

  test('another pool helps nobody who does not use it', () => {
    const report = simulateAddedNode(clusterOf(three), { name: 'n4', pools: [{ name: 'fast', bytes: TIB }] });
    expect(report.biggest).toEqual([{ pool: 'fast', before: 0, after: 0 }]);
  });
});

describe('simulateGrowth', () => {
  const pools = three.map((node) => ({ ...node, capacityGib: 100 }));
  const stored = clusterOf(pools, [{ name: 'v', nodes: THREE, sizeGib: 30, brick: 'directory' }]);

  test('compounds what is promised, for each pool and together, and without the largest node', () => {
    const report = simulateGrowth(stored, { percent: 20, months: 12 });
    // 30 GiB x 1.2^6 = 89.6 and x 1.2^7 = 107.5; without a third of the room 90 x 1.2^5 = 224 > 200.
    expect(report.pools.map((pool) => pool.fullInMonth)).toEqual([7, 7, 7]);
    expect(report.pools[0]).toMatchObject({ thinBytes: 30 * GIB, limitBytes: 100 * GIB });
    expect(report.totals).toMatchObject([
      { pool: 'default', nodes: 3, fullInMonth: 7, afterLoss: { node: 'n1', fullInMonth: 5, withoutPlace: ['v'] } },
    ]);
  });

  test('nothing grows from nothing, and too far ahead is not told', () => {
    expect(simulateGrowth(clusterOf(pools), { percent: 1000, months: 120 }).totals[0]?.fullInMonth).toBeUndefined();
    expect(simulateGrowth(stored, { percent: 20, months: 6 }).totals[0]?.fullInMonth).toBeUndefined();
    expect(simulateGrowth(stored, { percent: 0, months: 120 }).totals[0]?.fullInMonth).toBeUndefined();
  });

  test('what others keep in a file system is no room', () => {
    const nodes = stored.nodes.map((node) => {
      const full = (node.status?.pools ?? []).map((pool) => ({ ...pool, freeBytes: 10 * GIB }));
      return { ...node, status: { ...node.status, pools: full } };
    });
    const [pool] = simulateGrowth({ ...stored, nodes }, { percent: 20, months: 12 }).pools;
    expect(pool).toMatchObject({ limitBytes: 40 * GIB, fullInMonth: 2 });
  });

  test('a pool that nobody reported is named, not counted', () => {
    const [first, ...rest] = stored.nodes;
    if (first === undefined) throw new Error('there are nodes');
    const { status: _, ...silent } = first;
    const report = simulateGrowth({ ...stored, nodes: [silent, ...rest] }, { percent: 20, months: 12 });
    expect(report.unknown).toEqual([{ node: 'n1', pool: 'default' }]);
    expect(report.pools).toHaveLength(2);
  });

  test.each(['', 'x', '-1%', '20%/year', '1e3', '%', '1001', '99999999999'])('%j is no growth', (text) => {
    expect(() => parseGrowth(text)).toThrow(/is not a growth|too much/);
  });

  test.each([
    ['20%/month', 20],
    ['20%', 20],
    ['2.5', 2.5],
    ['0', 0],
  ])('%j is %f percent', (text, percent) => {
    expect(parseGrowth(text)).toBe(percent);
  });

  test.each(['0', '121', '1.5', '-1', 'x'])('%j months cannot be looked ahead', (text) => {
    expect(() => parseMonths(text)).toThrow(/months/);
  });
});
