import { describe, expect, test } from 'vitest';
import { GIB } from '../bytes.ts';
import { neededAbilities } from '../volume/abilities.ts';
import { choosePlacement } from './choose-placement.ts';
import { explainPlacement } from './explain-placement.ts';
import type { PlacementInput, PlacementNode, PlacementPool } from './model.ts';

function pool(freeGiB: number, overrides: Partial<PlacementPool> = {}): PlacementPool {
  return {
    name: 'default',
    isReady: true,
    capacityBytes: 100 * GIB,
    freeBytes: freeGiB * GIB,
    promisedBytes: 0,
    committedBytes: 0,
    ...overrides,
  };
}

function node(name: string, overrides: Partial<PlacementNode> = {}): PlacementNode {
  return {
    name,
    isReady: true,
    isCordoned: false,
    engineRunning: true,
    copyCount: 0,
    pools: [pool(50)],
    ...overrides,
  };
}

function input(nodes: readonly PlacementNode[], overrides: Partial<PlacementInput['request']> = {}): PlacementInput {
  return {
    request: {
      volume: 'gv0',
      pool: 'default',
      engine: 'gluster',
      sizeBytes: { data: 20 * GIB, arbiter: 2 * GIB },
      copies: [
        { index: 0, role: 'data' },
        { index: 1, role: 'data' },
        { index: 2, role: 'data' },
      ],
      ...overrides,
    },
    nodes,
    existing: [],
  };
}

function placedNodes(from: PlacementInput): readonly string[] {
  const result = choosePlacement(from);
  if (!result.ok) throw new Error(result.message);
  return result.placed.map((placed) => placed.node);
}

function refused(from: PlacementInput) {
  const result = choosePlacement(from);
  if (result.ok) throw new Error('expected a refusal');
  return result;
}

const three = [node('kube1'), node('kube2'), node('kube3')];

describe('choosePlacement', () => {
  test('three equal nodes take one copy each, in the order of their names', () => {
    expect(placedNodes(input(three))).toEqual(['kube1', 'kube2', 'kube3']);
  });

  test('a node for pods only takes no copy, says so, and is the last to be asked for one', () => {
    const computeOnly = node('kube3', { isComputeOnly: true });
    expect(placedNodes(input([node('kube1'), node('kube2'), computeOnly, node('kube4')]))).not.toContain('kube3');
    const { rejections, smallestChange } = refused(input([node('kube1'), node('kube2'), computeOnly]));
    const message = 'kube3: the node is labelled to run pods only, without copies';
    expect(rejections).toEqual([{ node: 'kube3', pool: 'default', filter: 'keepsCopies', message }]);
    expect(smallestChange).toContain('take the label that keeps copies away off kube3');
  });

  test('zones come before free space', () => {
    const nodes = [
      node('a1', { zone: 'a', pools: [pool(90)] }),
      node('a2', { zone: 'a', pools: [pool(90)] }),
      node('b1', { zone: 'b', pools: [pool(30)] }),
      node('c1', { zone: 'c', pools: [pool(30)] }),
    ];
    expect(placedNodes(input(nodes)).toSorted()).toEqual(['a1', 'b1', 'c1']);
  });

  test('free space comes before few copies, few copies before the name', () => {
    const nodes = [
      node('n1', { pools: [pool(40)] }),
      node('n2', { copyCount: 5 }),
      node('n3', { copyCount: 1 }),
      node('n4', { copyCount: 1 }),
    ];
    expect(placedNodes(input(nodes))).toEqual(['n3', 'n4', 'n2']);
  });

  test('copies that exist keep their nodes and count for their zones', () => {
    const nodes = [node('a1', { zone: 'a' }), node('a2', { zone: 'a' }), node('b1', { zone: 'b' })];
    const existing = [{ node: 'a1' }];
    const copies = [{ index: 1, role: 'data' }] as const;
    expect(placedNodes({ ...input(nodes, { copies }), existing })).toEqual(['b1']);
  });

  test('the zone of a copy whose node is gone still counts', () => {
    const nodes = [node('a2', { zone: 'a', pools: [pool(90)] }), node('b1', { zone: 'b' })];
    const existing = [{ node: 'a1', zone: 'a' }];
    const copies = [{ index: 1, role: 'data' }] as const;
    expect(placedNodes({ ...input(nodes, { copies }), existing })).toEqual(['b1']);
  });

  test('a small arbiter does not take the place that a data copy needs', () => {
    const nodes = [node('kube1', { pools: [pool(60)] }), node('kube2', { pools: [pool(3)] }), node('kube3')];
    const copies = [
      { index: 0, role: 'arbiter' },
      { index: 1, role: 'data' },
      { index: 2, role: 'data' },
    ] as const;
    expect(placedNodes(input(nodes, { copies }))).toEqual(['kube2', 'kube1', 'kube3']);
  });

  test('a refusal names every node, its numbers, and what would help', () => {
    const full = node('kube3', { pools: [pool(20, { promisedBytes: 8 * GIB })] });
    const result = refused(input([node('kube1'), node('kube2'), full]));
    expect(result.message).toBe('volume gv0 needs 3 nodes; only 2 fit (a data copy takes 20 GiB in pool default)');
    expect(result.rejections).toEqual([
      {
        node: 'kube3',
        pool: 'default',
        filter: 'enoughRoom',
        message: 'kube3: 12 GiB free < 20 GiB (8 GiB more is promised)',
      },
    ]);
    expect(result.smallestChange).toBe(
      'add 8 GiB to pool default of kube3, or add a node with 20 GiB free in a pool default',
    );
  });

  test('too few machines asks for machines', () => {
    const result = refused(input([node('kube1')]));
    expect(result.smallestChange).toBe('add 2 nodes with 20 GiB free in a pool default');
  });

  test('figures that round to the same text are written out', () => {
    const almost = node('kube3', { pools: [pool(0, { freeBytes: 20 * GIB - 1 })] });
    const result = refused(input([node('kube1'), node('kube2'), almost]));
    expect(result.rejections[0]?.message).not.toContain('20 GiB free < 20 GiB');
    expect(result.smallestChange).toMatch(/^add 1 MiB to pool default of kube3/);
  });

  test.each([
    ['nodeReady', { isReady: false }, 'kube3: the node is not ready', 'bring kube3 back'],
    ['notCordoned', { isCordoned: true }, 'kube3: the node is cordoned', 'uncordon kube3'],
    ['engineRunning', { engineRunning: false }, 'kube3: gluster is not running', 'start gluster on kube3'],
    ['hasPool', { pools: [] }, 'kube3: no pool default (it has no pools)', 'add a pool default with 20 GiB to kube3'],
    [
      'poolReady',
      { pools: [pool(50, { isReady: false, message: 'not mounted' })] },
      'kube3: pool default is not ready: not mounted',
      'make pool default of kube3 ready',
    ],
    [
      'enoughRoom',
      { pools: [pool(90, { committedBytes: 85 * GIB })] },
      'kube3: 15 GiB free < 20 GiB',
      'add 5 GiB to pool default of kube3',
    ],
  ] as const)('%s rejects and says how to pass', (filter, overrides, message, change) => {
    const result = refused(input([node('kube1'), node('kube2'), node('kube3', overrides)]));
    expect(result.rejections).toEqual([{ node: 'kube3', pool: 'default', filter, message }]);
    expect(result.smallestChange).toMatch(new RegExp(`^${change}, or add a node`));
  });

  test('a node that cannot do what the volume needs is left out, one that is away is not judged by it', () => {
    const able = { abilities: ['btrfs'] };
    const away = node('kube4', { isReady: false });
    const nodes = [node('kube1', able), node('kube2', able), node('kube3'), away];
    const result = refused(input(nodes, { needs: neededAbilities({ fsType: 'btrfs' }) }));
    expect(result.rejections.map(({ filter, message }) => [filter, message])).toEqual([
      ['nodeAble', 'kube3: the node has no btrfs: its kernel must know it, and btrfs-progs be installed'],
      ['nodeReady', 'kube4: the node is not ready'],
    ]);
    expect(result.smallestChange).toMatch(/^make kube3 able \(btrfs\), or add a node/);
    expect(placedNodes(input(nodes.slice(0, 3)))).toHaveLength(3);
  });

  test('zones limit the nodes; the zone to allow is named', () => {
    const nodes = [node('a', { zone: 'a' }), node('b', { zone: 'b' }), node('c', { zone: 'c' }), node('n')];
    const result = refused(input(nodes, { zones: ['b', 'a'] }));
    expect(result.rejections.map((rejection) => rejection.message)).toEqual([
      'c: zone c is not among a, b',
      'n: the node has no zone; allowed: a, b',
    ]);
    expect(result.smallestChange).toMatch(/^allow zone c/);
  });

  test('what a node that does not report said before, or never said, is not held against it', () => {
    const silent = node('kube3', {
      isReady: false,
      engineRunning: false,
      pools: [pool(0, { isReady: false, capacityBytes: 0 })],
    });
    const result = refused(input([node('kube1'), node('kube2'), silent]));
    expect(result.rejections.map((rejection) => rejection.message)).toEqual(['kube3: the node is not ready']);
    expect(result.smallestChange).toBe('bring kube3 back, or add a node with 20 GiB free in a pool default');
  });

  test('all reasons against one node are told, not only the first', () => {
    const bad = node('kube3', { isCordoned: true, engineRunning: false });
    const filters = refused(input([node('kube1'), node('kube2'), bad])).rejections.map((rejection) => rejection.filter);
    expect(filters).toEqual(['notCordoned', 'engineRunning']);
  });

  test('no copies wanted is placed', () => {
    expect(choosePlacement(input(three, { copies: [] }))).toEqual({ ok: true, placed: [], reasons: [] });
  });
});

describe('explainPlacement', () => {
  test('each node has every filter, and the chosen ones their scores', () => {
    const nodes = [...three, node('kube4', { isCordoned: true })];
    const table = explainPlacement(input(nodes));
    expect(table.nodes.map((row) => [row.node, row.chosenFor?.index])).toEqual([
      ['kube1', 0],
      ['kube2', 1],
      ['kube3', 2],
      ['kube4', undefined],
    ]);
    expect(table.nodes.every((row) => row.checks.length === table.filters.length)).toBe(true);
    expect(table.nodes[0]?.points).toBeCloseTo(50.9);
    expect(table.nodes[3]?.checks.find((check) => !check.isPassed)).toEqual({
      filter: 'notCordoned',
      isPassed: false,
      message: 'the node is cordoned',
    });
  });
});
