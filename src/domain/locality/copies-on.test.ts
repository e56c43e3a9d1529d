import { expect, test } from 'vitest';
import type { BrickStatus, PlacedCopy } from '../../schemas/volume.ts';
import { copiesOn, type VolumeView } from './copies-on.ts';

const SINCE = '2026-01-01T00:00:00Z';
const usable = new Map(['kube1', 'kube2', 'kube3', 'kube4'].map((node) => [node, SINCE]));

function placed(node: string, rest: Partial<PlacedCopy> = {}): PlacedCopy {
  return { copy: `v-${node}-${rest.set ?? 0}`, node, pool: 'default', role: 'data', ...rest };
}

function brick({ copy, node }: PlacedCopy, rest: Partial<BrickStatus> = {}): BrickStatus {
  const health = { isOnline: true, isReadable: true, nodeReadySince: SINCE, pendingHeals: 0, splitBrainEntries: 0 };
  return { copy, node, ...health, ...rest };
}

function volume(copies: readonly PlacedCopy[], bricks: readonly BrickStatus[], rest: object = {}): VolumeView {
  const spec = { engine: 'gluster', layout: 'replicated', replicas: copies.length, ...rest } as const;
  return { spec, status: { placement: copies, engine: { bricks } } };
}

const three = ['kube1', 'kube2', 'kube3'].map((node) => placed(node));
const on = (view: VolumeView, nodes = usable) => Object.fromEntries(copiesOn(view, nodes));

test('every current copy of a replicated volume is as good as any other: GlusterFS reads from the one on its node', () => {
  const bricks = three.map((copy) => brick(copy));
  expect(on(volume(three, bricks))).toEqual({ kube1: 'best', kube2: 'best', kube3: 'best' });
});

test('a copy that does not serve is none: brick down, disk dead, node away, or not asked since it was', () => {
  const faults: readonly Partial<BrickStatus>[] = [
    { isOnline: false },
    { isReadable: false },
    { nodeReadySince: 'earlier' },
  ];
  for (const fault of faults) {
    const bricks = three.map((copy) => brick(copy, copy.node === 'kube2' ? fault : {}));
    expect(on(volume(three, bricks))).toEqual({ kube1: 'best', kube3: 'best' });
  }
  const without = new Map([...usable].filter(([node]) => node !== 'kube3'));
  expect(
    on(
      volume(
        three,
        three.map((copy) => brick(copy)),
      ),
      without,
    ),
  ).toEqual({ kube1: 'best', kube2: 'best' });
  expect(on(volume(three, []))).toEqual({});
});

test('the copy that lists nothing to heal while others do is behind', () => {
  const bricks = three.map((copy) => brick(copy, { pendingHeals: copy.node === 'kube2' ? 0 : 3 }));
  expect(on(volume(three, bricks))).toEqual({ kube1: 'best', kube2: 'copy', kube3: 'best' });
});

test('an arbiter holds no data, and a copy that comes or goes is not counted on', () => {
  const copies = [
    placed('kube1'),
    placed('kube2', { isLeaving: true }),
    placed('kube3', { role: 'arbiter' }),
    placed('kube4', { isJoining: true }),
  ];
  const bricks = copies.map((copy) => brick(copy));
  expect(on(volume(copies, bricks, { layout: 'arbiter', replicas: 2 }))).toEqual({ kube1: 'best' });
});

test('where files are spread over sets, the node with copies of more sets is the better one', () => {
  const copies = [
    placed('kube1', { set: 0 }),
    placed('kube2', { set: 0 }),
    placed('kube1', { set: 1 }),
    placed('kube3', { set: 1 }),
  ];
  const bricks = copies.map((copy) => brick(copy));
  const view = volume(copies, bricks, { layout: 'distributed-replicated', replicas: 2, distribution: 2 });
  expect(on(view)).toEqual({ kube1: 'best', kube2: 'copy', kube3: 'copy' });
});
