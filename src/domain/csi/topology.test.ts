import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowsNode, homeOf, nodeIn, nodeSegments, nodesIn, orderNodes } from './topology.ts';

const on = nodeSegments;

test('a topology is a node of ours, or any, or none', () => {
  expect(nodesIn(on('kube1'))).toEqual({ nodes: ['kube1'] });
  expect(nodesIn(on('kube1.example.com'))).toEqual({ nodes: ['kube1.example.com'] });
  expect(nodesIn(undefined)).toEqual({});
  expect(nodesIn({})).toEqual({});
  for (const segments of [
    { 'topology.kubernetes.io/zone': 'a' },
    { ...on('kube1'), zone: 'a' },
    on('*'),
    on('../x'),
    on('a..b'),
  ]) {
    expect(nodesIn(segments)).toBeUndefined();
  }
});

describe('orderNodes', () => {
  test('nothing asked is no order', () => {
    expect(orderNodes({ requisite: [], preferred: [] })).toBeUndefined();
  });

  test('what is preferred comes first, where it is allowed', () => {
    const preferred = [on('kube2'), on('kube9')];
    expect(orderNodes({ requisite: [on('kube1'), on('kube2'), on('kube3')], preferred })).toEqual({
      first: ['kube2'],
      others: ['kube1', 'kube3'],
    });
    expect(orderNodes({ requisite: [], preferred })).toEqual({ first: ['kube2', 'kube9'], others: 'any' });
    expect(orderNodes({ requisite: [{ zone: 'a' }], preferred: [] })).toEqual({ first: [], others: [] });
  });

  test('only nodes that are allowed are tried, each once', () => {
    const topology = fc.constantFrom(on('kube1'), on('kube2'), on('kube3'), {}, { zone: 'a' });
    fc.assert(
      fc.property(fc.array(topology), fc.array(topology), (requisite, preferred) => {
        const wish = { requisite, preferred };
        const order = orderNodes(wish);
        if (order === undefined) return;
        const tried = [...order.first, ...(order.others === 'any' ? [] : order.others)];
        expect(new Set(tried).size).toBe(tried.length);
        for (const node of tried) expect(allowsNode(wish, node)).toBe(true);
        if (order.others !== 'any') {
          expect(tried.toSorted()).toEqual([...new Set(requisite.flatMap((each) => nodeIn(each) ?? []))].toSorted());
        }
      }),
    );
  });
});

test('the home of a volume is the node of its copy, of an engine that keeps one copy', () => {
  const status = { placement: [{ node: 'kube2' }] };
  expect(homeOf({ spec: { engine: 'local' }, status })).toBe('kube2');
  expect(homeOf({ spec: { engine: 'local', nodes: ['kube3'] } })).toBe('kube3');
  expect(homeOf({ spec: { engine: 'local', nodes: ['kube1', 'kube3'] } })).toBeUndefined();
  expect(homeOf({ spec: { engine: 'gluster', nodes: ['kube1'] }, status })).toBeUndefined();
});
