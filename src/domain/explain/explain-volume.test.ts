import { describe, expect, test } from 'vitest';
import type { VolumeStatus } from '../../schemas/volume.ts';
import { clusterOf, type NodeSketch, type VolumeSketch } from '../simulate/cluster.fake.ts';
import { explainVolume, type VolumeExplanation } from './explain-volume.ts';

const NODES: readonly NodeSketch[] = [{ name: 'n1' }, { name: 'n2' }, { name: 'n3' }];
const PLACED: VolumeSketch = { name: 'v', nodes: ['n1', 'n2', 'n3'] };
const SINCE = '2026-02-01T00:00:00Z';

interface Given {
  readonly sketch?: VolumeSketch;
  readonly nodes?: readonly NodeSketch[];
  readonly status?: Partial<VolumeStatus>;
  /** Status, reason and message of Ready, then of Redundant. */
  readonly ready?: readonly ['True' | 'False', string, string];
  readonly redundant?: readonly ['True' | 'False' | 'Unknown', string, string];
}

function explain({ sketch = PLACED, nodes = NODES, status = {}, ready, redundant }: Given): VolumeExplanation {
  const stored = clusterOf(nodes, [sketch]);
  const [volume] = stored.volumes;
  if (volume === undefined) throw new Error('there is a volume');
  const conditions = [
    { type: 'Ready', said: ready },
    { type: 'Redundant', said: redundant },
  ].flatMap(({ type, said }) => {
    if (said === undefined) return [];
    const [value, reason, message] = said;
    return [{ type, status: value, reason, message, lastTransitionTime: SINCE }];
  });
  const full = {
    ...volume,
    status: { ...volume.status, ...(conditions.length === 0 ? {} : { conditions }), ...status },
  };
  return explainVolume({ ...stored, volumes: [full] }, full);
}

describe('explainVolume', () => {
  test('Ready: nothing to wait for, and each node may be lost', () => {
    const explained = explain({
      status: { phase: 'Ready', reasons: ['copy 0 (data) on n1'] },
      ready: ['True', 'Served', '3 of 3 copies serve'],
      redundant: ['True', 'AllCopiesCurrent', 'all 3 copies are current'],
    });
    expect(explained).toMatchObject({
      phase: 'Ready',
      sets: [{ set: 0, needed: 2, serving: 3, copies: 3 }],
      anchor: { node: 'n1', epoch: 1, isReady: true },
      reasons: ['copy 0 (data) on n1'],
      next: { command: 'holdfast simulate lose-node n1' },
    });
    expect(explained.waitsFor).toBeUndefined();
    expect(explained.observedEpoch).toBeUndefined();
    expect(explained.ifLost.map(({ node, outcome }) => [node, outcome])).toEqual([
      ['n1', 'served'],
      ['n2', 'served'],
      ['n3', 'served'],
    ]);
  });

  test('Degraded: says which copy is missing and that the next loss stops it', () => {
    const explained = explain({
      nodes: [{ name: 'n1' }, { name: 'n2' }, { name: 'n3', isReady: false }, { name: 'n4' }, { name: 'n5' }],
      status: { phase: 'Degraded' },
      ready: ['True', 'Served', '2 of 3 copies serve'],
      redundant: ['False', 'CopiesDown', 'down: n3'],
    });
    expect(explained.waitsFor).toEqual({ what: 'down: n3', since: SINCE });
    expect(explained.copies.map(({ isServing, isNodeReady }) => [isServing, isNodeReady])).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ]);
    expect(explained.ifLost.map(({ outcome }) => outcome)).toEqual(['unavailable', 'unavailable', 'served']);
    expect(explained.next.command).toBe('holdfast node show n3');
  });

  test('Unavailable: too few copies serve, wherever one looks', () => {
    const explained = explain({
      sketch: { ...PLACED, down: [1, 2] },
      status: { phase: 'Unavailable' },
      ready: ['False', 'NoQuorum', 'only 1 of 3 copies serve; down: n2, n3'],
      redundant: ['False', 'CopiesDown', 'down: n2, n3'],
    });
    expect(explained.sets).toEqual([{ set: 0, needed: 2, serving: 1, copies: 3 }]);
    expect(explained.ifLost.every(({ outcome }) => outcome === 'unavailable')).toBe(true);
    expect(explained.next.command).toBe('holdfast node show n2');
  });

  test('Pending: the question about its place is the next command', () => {
    const explained = explain({
      sketch: { name: 'v', layout: 'arbiter', sizeGib: 20, brick: 'directory' },
      ready: ['False', 'NoPlaceForCopies', 'none fits'],
    });
    expect(explained).toMatchObject({ phase: 'Pending', copies: [], ifLost: [], waitsFor: { what: 'none fits' } });
    expect(explained.next.command).toBe(
      'holdfast explain placement --size 20Gi --layout arbiter --replicas 2 --brick directory',
    );
    expect(explain({ sketch: { name: 'v' } }).next.command).toBe('holdfast status');
  });

  test('Creating: waits for a node that is away, else for itself', () => {
    const given: Given = {
      status: { phase: 'Creating' },
      ready: ['False', 'PreparingCopies', '2 of 3 copies prepared'],
    };
    expect(explain(given).next.command).toBe('holdfast volume show v');
    const away = explain({ ...given, nodes: [{ name: 'n1' }, { name: 'n2', isReady: false }, { name: 'n3' }] });
    expect(away.next.command).toBe('holdfast node show n2');
    expect(away.waitsFor).toEqual({ what: '2 of 3 copies prepared', since: SINCE });
  });

  test('Deleting and in use: it waits for the mount since the deletion, and losses still matter', () => {
    const explained = explain({
      sketch: { ...PLACED, isDeleting: true, mounts: [{ node: 'n2' }] },
      status: { phase: 'Ready' },
      ready: ['False', 'InUse', 'to be deleted, but mounted on n2'],
    });
    expect(explained).toMatchObject({
      phase: 'Deleting',
      waitsFor: { what: 'to be deleted, but mounted on n2', since: '2026-01-01T00:00:00Z' },
      mounts: [{ node: 'n2', path: '/data', state: 'Mounted' }],
      next: { command: 'holdfast volume delete v --detach' },
    });
    expect(explained.ifLost).toHaveLength(3);
  });

  test('a split brain, a healing copy and a lagging mount each get their own next step', () => {
    const next = (reason: string, sketch: VolumeSketch = PLACED) =>
      explain({
        sketch,
        status: { phase: 'Degraded' },
        ready: ['True', 'Served', 'served'],
        redundant: ['False', reason, 'why'],
      }).next;
    expect(next('SplitBrain').why).toContain('none is chosen for you');
    expect(next('Healing')).toMatchObject({ why: 'it goes on by itself; look again' });
    expect(next('MountsReconnecting', { ...PLACED, mounts: [{ node: 'n3', missing: 1 }] }).command).toBe(
      'holdfast node show n3',
    );
  });

  test('what was seen of a copy before its node went away is not taken for the present', () => {
    const stored = clusterOf(NODES, [PLACED]);
    const [volume] = stored.volumes;
    if (volume === undefined) throw new Error('there is a volume');
    const nodes = stored.nodes.map((node) => {
      if (node.metadata.name !== 'n2') return node;
      const conditions = (node.status?.conditions ?? []).map((each) => ({ ...each, lastTransitionTime: SINCE }));
      return { ...node, status: { ...node.status, conditions } };
    });
    const [, second] = explainVolume({ ...stored, nodes }, volume).copies;
    expect(second).toMatchObject({ isNodeReady: true, isOnline: true, isSeenNow: false, isServing: false });
  });

  test('what the engine refuses is told in its words', () => {
    const [volume] = clusterOf(NODES, [PLACED]).volumes;
    const engine = volume?.status?.engine;
    if (engine === undefined) throw new Error('the volume is started');
    const explained = explain({ status: { phase: 'Degraded', engine: { ...engine, message: 'Quorum not met' } } });
    expect(explained.engineMessage).toBe('Quorum not met');
  });

  test('an anchor whose report is of an older epoch is told', () => {
    expect(explain({ status: { phase: 'Ready', epoch: 2 } }).observedEpoch).toBe(1);
  });

  test('a node that is cut off from it is told, and where that has not shown', () => {
    const [volume] = clusterOf(NODES, [PLACED]).volumes;
    const engine = volume?.status?.engine;
    if (engine === undefined) throw new Error('the volume is started');
    const [first = '', second = '', third = ''] = (volume?.status?.placement ?? []).map(({ copy }) => copy);
    const fenced = (isRefused: boolean, names: readonly string[], message?: string) => {
      const copies = Object.fromEntries(names.map((name) => [name, SINCE]));
      const fence = { fence: 'uid', node: 'n3', isRefused, copies, ...(message === undefined ? {} : { message }) };
      return explain({ status: { phase: 'Ready', engine: { ...engine, fences: [fence] } } }).fences;
    };
    expect(fenced(false, [], 'Locking failed')).toEqual([
      {
        ...{ node: 'n3', shownBy: [], missing: ['n1', 'n2', 'n3'] },
        message: 'node n3 is fenced, and the volume does not refuse it yet: Locking failed',
      },
    ]);
    expect(fenced(true, [first], 'it has a connection')).toMatchObject([
      {
        ...{ shownBy: ['n1'], missing: ['n2', 'n3'] },
        message:
          'node n3 is fenced and refused; not shown yet by the copy on n2, n3, where it may still write: it has a connection',
      },
    ]);
    expect(fenced(true, [first, second, third])).toMatchObject([
      { missing: [], message: 'node n3 is fenced, and every copy has shown that it is cut off' },
    ]);
    expect(explain({ status: { phase: 'Ready' } }).fences).toEqual([]);
  });
});
