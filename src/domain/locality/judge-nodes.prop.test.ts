import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Standing } from './copies-on.ts';
import { filterNodes, type NodeState, type PodNeeds, scoreNode, type UsedVolume } from './judge-nodes.ts';
import { LOCALITIES, localityOfPod } from './locality.ts';

const NODES = ['a', 'b', 'c', 'd'];

const state = fc.constantFrom<NodeState>(
  { state: 'usable' },
  { state: 'usable' },
  { state: 'away', why: 'not heard from' },
  { state: 'barred', why: 'fenced' },
);
const volume: fc.Arbitrary<UsedVolume> = fc
  .record({
    name: fc.constantFrom('v1', 'v2'),
    engine: fc.constantFrom('gluster', 'local', 'nfs'),
    locality: fc.constantFrom(...LOCALITIES),
    home: fc.option(fc.constantFrom(...NODES), { nil: undefined, freq: 3 }),
    copies: fc.dictionary(fc.constantFrom(...NODES), fc.constantFrom<Standing>('best', 'copy')),
  })
  .map(({ copies, ...rest }) => ({ ...rest, copies: new Map(Object.entries(copies)) }));
const needs: fc.Arbitrary<PodNeeds> = fc
  .record({ volumes: fc.array(volume, { maxLength: 3 }), states: fc.tuple(state, state, state, state) })
  .map(({ volumes, states }) => ({
    volumes,
    stateOf: (node) => states[NODES.indexOf(node)] ?? { state: 'barred', why: 'unknown' },
  }));
const asked = fc.subarray(NODES);

test('each node is in one part of the answer, in the order of the question', () => {
  fc.assert(
    fc.property(needs, asked, (pod, nodes) => {
      const { passed, failed } = filterNodes(pod, nodes);
      expect(nodes.filter((node) => !(node in failed))).toEqual(passed);
      expect([...passed, ...Object.keys(failed)].toSorted()).toEqual(nodes.toSorted());
      for (const why of Object.values(failed)) expect(why).not.toBe('');
    }),
  );
});

test('no node passes that is fenced, not the home of a local volume, or without a copy of a strict one', () => {
  fc.assert(
    fc.property(needs, asked, (pod, nodes) => {
      for (const node of filterNodes(pod, nodes).passed) {
        for (const { engine, home, locality, copies } of pod.volumes) {
          expect(pod.stateOf(node, engine).state).not.toBe('barred');
          expect([undefined, node]).toContain(home);
          if (locality === 'strict' && engine !== 'nfs') expect(copies.has(node)).toBe(true);
        }
      }
    }),
  );
});

test('a pod is never kept waiting because nodes are away, nor by volumes that only prefer', () => {
  fc.assert(
    fc.property(needs, asked, ({ volumes, stateOf }, nodes) => {
      const mild: PodNeeds = {
        volumes: volumes.map((each) => ({ ...each, home: undefined, locality: 'preferred' })),
        stateOf: (node, engine) => {
          const seen = stateOf(node, engine);
          return seen.state === 'barred' ? { state: 'away', why: 'not heard from' } : seen;
        },
      };
      expect(filterNodes(mild, nodes).passed.length > 0).toBe(nodes.length > 0);
    }),
  );
});

test('15 is for a node with the best of everything, 1 for one where something cannot be mounted', () => {
  fc.assert(
    fc.property(needs, fc.constantFrom(...NODES), (pod, node) => {
      fc.pre(pod.volumes.length > 0);
      const score = scoreNode(pod, node);
      const isThere = pod.volumes.every(({ engine }) => pod.stateOf(node, engine).state === 'usable');
      expect(score === 15).toBe(isThere && pod.volumes.every(({ copies }) => copies.get(node) === 'best'));
      expect(score === 1).toBe(!isThere);
      if (isThere) expect(score).toBeGreaterThanOrEqual(5);
    }),
  );
});

test('a better copy never lowers the score', () => {
  fc.assert(
    fc.property(needs, fc.constantFrom(...NODES), (pod, node) => {
      const better = pod.volumes.map((each) => ({
        ...each,
        copies: new Map([...each.copies, [node, 'best'] as const]),
      }));
      expect(scoreNode({ ...pod, volumes: better }, node)).toBeGreaterThanOrEqual(scoreNode(pod, node));
    }),
  );
});

test.each([
  [{}, undefined],
  [{ annotations: { 'holdfast.dev/locality': 'strict' } }, 'strict'],
  [
    { annotations: { 'holdfast.dev/locality': 'preferred' }, labels: { 'storageos.com/locality': 'strict' } },
    'preferred',
  ],
  [{ labels: { 'storageos.com/locality': 'strict' } }, 'strict'],
  [{ annotations: { 'storageos.com/locality': 'strict' } }, 'strict'],
  [{ annotations: { 'holdfast.dev/locality': 'near' } }, undefined],
  [{ annotations: { 'storageos.com/scheduler': 'false', 'holdfast.dev/locality': 'strict' } }, 'off'],
  [{ annotations: null, labels: null }, undefined],
])('what a pod says itself: %j', (meta, said) => {
  expect(localityOfPod(meta)).toBe(said);
});
