import { expect, test } from 'vitest';
import { engineNameOf, nodeCalled, volumeNamed } from './engine-name.ts';

const engineId = '53cd60b0-7199-4cc7-8d76-f96b48172a7b';
const bricks = [{ node: 'kube2', path: '/b', host: '10.91.0.2' }];
const own = { metadata: { name: 'gv0' }, spec: {} };
const adopted = { metadata: { name: 'vol-1' }, spec: { adopted: { engineId, engineName: 'vol_1', bricks } } };
const asFound = { metadata: { name: 'gv1' }, spec: { adopted: { engineId, bricks } } };

test('the engine calls a volume as Holdfast does, unless it was adopted under another name', () => {
  expect([own, adopted, asFound].map(engineNameOf)).toEqual(['gv0', 'vol_1', 'gv1']);
});

test.each(['', '-x', 'a b', 'a/b', '..'])('%j is no name in the engine', (name) => {
  expect(() => engineNameOf({ metadata: { name }, spec: {} })).toThrow('no name of a volume');
});

test('people are told their own names of volumes and nodes', () => {
  const volumes = [own, adopted];
  expect(['vol_1', 'gv0', 'foreign'].map((name) => volumeNamed(volumes, name))).toEqual(['vol-1', 'gv0', 'foreign']);
  expect(['10.91.0.2', 'kube1'].map((host) => nodeCalled(adopted, host))).toEqual(['kube2', 'kube1']);
});
