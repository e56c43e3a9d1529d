import { expect, test } from 'vitest';
import { judgeSpecs, type Spec } from './skips.ts';

const spec = (State: string, Message = ''): Spec => ({
  ContainerHierarchyTexts: ['Node'],
  LeafNodeType: 'It',
  LeafNodeText: State,
  State,
  Failure: { Message },
});

test('a skip that nobody has justified is a failure, and so is whatever did not come to an end', () => {
  const specs = [
    ...[spec('passed'), spec('pending'), spec('failed', 'no'), spec('skipped', 'GetSnapshot not supported')],
    ...[spec('skipped', 'CREATE_DELETE_VOLUME not supported'), spec('interrupted'), spec('timedout')],
  ];
  const { passed, failed, skipped } = judgeSpecs([...specs, { ...spec('passed'), LeafNodeType: 'BeforeSuite' }]);
  expect(passed).toBe(1);
  expect(failed).toEqual([
    'Node failed: failed: no',
    'Node skipped: skipped: CREATE_DELETE_VOLUME not supported',
    'Node interrupted: interrupted: ',
    'Node timedout: timedout: ',
  ]);
  expect([...skipped]).toEqual([['GetSnapshot not supported: snapshots are listed', 1]]);
});

test('what csi-sanity was told to leave out is a skip with its reason, and nothing else without a message is', () => {
  const { failed, skipped } = judgeSpecs([spec('skipped'), { ...spec('skipped'), LeafNodeText: 'stages' }], {
    'Node stages': 'no mounts here',
  });
  expect([...skipped]).toEqual([['Node stages: no mounts here', 1]]);
  expect(failed).toEqual(['Node skipped: skipped: ']);
});
