import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../adapters/object-store/sqlite.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { fixedFieldFaults } from './fixed-fields.ts';
import type { KubeObject } from './kube-object.ts';
import { createResources } from './resources.ts';

const spec = { size: '1Gi', layout: 'replicated', replicas: 3 };

function volume(changes: object, isPlaced = true, sizes: object = {}): KubeObject {
  const placement = [{ copy: 'gv0-0', node: 'kube1', pool: 'default', role: 'data' }];
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Volume',
    metadata: { name: 'gv0', uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { ...spec, ...changes },
    ...(isPlaced ? { status: { placement, ...sizes } } : {}),
  };
}

describe('a placed volume', () => {
  test.each([
    ['spec.pool', { pool: 'fast' }],
    ['spec.brick', { brick: 'directory' }],
    ['spec.layout', { layout: 'dispersed', replicas: undefined }],
  ])('keeps %s', (field, change) => {
    const faults = fixedFieldFaults(volume({}), volume(change));
    expect(faults.map((fault) => fault.field)).toContain(field);
    expect(faults[0]?.message).toContain('cannot be changed once the volume has its copies');
  });

  test.each([
    ['another number of copies', { replicas: 4 }],
    ['another layout whose copies all hold everything', { layout: 'arbiter', replicas: 2 }],
    ['who may mount', { allowFrom: ['10.10.*.*'] }],
    ['the same size in other words', { size: '1024Mi' }],
    ['replicas left out that are those of the layout', { replicas: undefined }],
  ])('takes %s', (_, change) => {
    expect(fixedFieldFaults(volume({}), volume(change))).toEqual([]);
  });
});

test('the copies of a volume of several sets stay as many as they are', () => {
  const sets = { layout: 'distributed-replicated', distribution: 2 };
  const faults = fixedFieldFaults(volume(sets), volume({ ...sets, replicas: 2, allowSplitBrain: true }));
  expect(faults.map((fault) => fault.field)).toEqual(['spec.replicas']);
});

test('a placed volume takes the wish to hold a snapshot again, and lets go of it', () => {
  const wished = volume({ restoreFrom: { snapshot: 's1', snapshotUid: 'u1', safetySnapshot: 's2' } });
  expect(fixedFieldFaults(volume({}), wished)).toEqual([]);
  expect(fixedFieldFaults(wished, volume({}))).toEqual([]);
});

describe('the size of a placed volume', () => {
  const granted = { grantedSize: '1Gi', size: '1Gi' };

  test('may grow', () => {
    expect(fixedFieldFaults(volume({}, true, granted), volume({ size: '2Gi' }, true, granted))).toEqual([]);
  });

  test('never shrinks below what its copies were granted', () => {
    for (const sizes of [granted, {}]) {
      const [fault] = fixedFieldFaults(volume({}, true, sizes), volume({ size: '1023Mi' }, true, sizes));
      expect(fault).toMatchObject({ field: 'spec.size', message: expect.stringContaining('smaller than 1Gi') });
    }
  });

  test('may be taken back to what was granted while it finds no room', () => {
    const before = volume({ size: '9Gi' }, true, granted);
    expect(fixedFieldFaults(before, volume({ size: '2Gi' }, true, granted))).toEqual([]);
    expect(fixedFieldFaults(before, volume({ size: '512Mi' }, true, granted))).toHaveLength(1);
  });
});

describe('the profile of a placed volume', () => {
  test.each([
    [undefined, 'shared'],
    ['shared', 'database'],
    ['database', undefined],
  ])('may change from %s to %s', (had, profile) => {
    expect(fixedFieldFaults(volume({ profile: had }), volume({ profile }))).toEqual([]);
  });

  test.each([
    [undefined, 'large-files'],
    ['large-files', undefined],
    ['large-files', 'shared'],
  ])('keeps its pieces, or their absence (%s to %s)', (had, profile) => {
    const faults = fixedFieldFaults(volume({ profile: had }), volume({ profile }));
    expect(faults.map(({ field }) => field)).toContain('spec.profile');
  });

  test('may become large-files where files are in such pieces already', () => {
    const spec = { layout: 'distributed', replicas: undefined, shard: '64Mi' };
    expect(fixedFieldFaults(volume(spec), volume({ ...spec, profile: 'large-files' }))).toEqual([]);
  });
});

test('what is encrypted stays so, and nothing becomes so', () => {
  const faults = [{ field: 'spec.encryption', message: expect.stringContaining('keeps it') }];
  expect(fixedFieldFaults(volume({ encryption: true }), volume({}))).toMatchObject(faults);
  expect(fixedFieldFaults(volume({}), volume({ encryption: true }))).toMatchObject(faults);
  expect(fixedFieldFaults(volume({}), volume({ encryption: false }))).toEqual([]);
});

test('what is thin stays so, and nothing becomes so', () => {
  const local = { engine: 'local', layout: 'single', replicas: undefined };
  const faults = [{ field: 'spec.thinProvision', message: expect.stringContaining('cannot be changed') }];
  const [thin, thick] = [volume({ ...local, thinProvision: true }), volume(local)];
  expect(fixedFieldFaults(thin, thick)).toMatchObject(faults);
  expect(fixedFieldFaults(thick, thin)).toMatchObject(faults);
  expect(fixedFieldFaults(thick, volume({ ...local, thinProvision: false }))).toEqual([]);
});

test('an immutable Secret keeps its data, and what it holds is not repeated', () => {
  const secret = (fields: object) => ({ apiVersion: 'v1', kind: 'Secret', metadata: volume({}).metadata, ...fields });
  const was = secret({ immutable: true, data: { key: 'c2VjcmV0' } });
  for (const now of [
    { immutable: true, data: { key: 'b3RoZXI=' } },
    { immutable: true },
    { data: { key: 'c2VjcmV0' } },
  ]) {
    const [fault, ...more] = fixedFieldFaults(was, secret(now));
    expect(fault).toMatchObject({ field: 'data', message: expect.stringContaining('immutable') });
    expect(more).toEqual([]);
    expect(JSON.stringify(fault)).not.toMatch(/c2VjcmV0|b3RoZXI/);
  }
  expect(fixedFieldFaults(was, secret({ immutable: true, data: { key: 'c2VjcmV0' }, type: 'x' }))).toEqual([]);
  expect(fixedFieldFaults(secret({ data: { key: 'YQ==' } }), secret({ data: { key: 'Yg==' } }))).toEqual([]);
});

test('a volume without a place may still be changed so that it fits', () => {
  expect(fixedFieldFaults(volume({}, false), volume({ size: '500Mi' }, false))).toEqual([]);
});

test.each([
  ['is stopped', { action: 'heal', volume: 'gv0' }, { action: 'heal', volume: 'gv0', isCancelled: true }, 0],
  ['is let go on', { action: 'heal', isCancelled: true }, { action: 'heal' }, 1],
  ['is turned into another', { action: 'heal', volume: 'gv0' }, { action: 'heal', volume: 'gv1' }, 1],
])('a task that %s', (_, was, wanted, faults) => {
  const task = (spec: object) => ({ apiVersion: 'v', kind: 'Task', metadata: volume({}).metadata, spec });
  expect(fixedFieldFaults(task(was), task(wanted))).toHaveLength(faults);
});

test('the API refuses such a change with the fields, and keeps what was there', async () => {
  const store = openSqliteStore({ path: ':memory:' });
  const resources = createResources({ store, clock: createFakeClock(), random: createSeededRandom(1) });
  const { status, ...created } = volume({ replicas: undefined });
  await resources.create('Volume', { ...created, metadata: { name: 'gv0' } });
  await resources.patch('Volume', 'gv0', { type: 'merge', body: { status } }, { subresource: 'status' });
  const change = { type: 'merge', body: { spec: { pool: 'fast', brick: 'directory' } } } as const;
  await expect(resources.patch('Volume', 'gv0', change)).rejects.toMatchObject({
    kind: 'invalid',
    faults: [{ field: 'spec.pool' }, { field: 'spec.brick' }],
  });
  expect(resources.get('Volume', 'gv0').read()['spec']).toMatchObject({ pool: 'default', brick: 'image' });
});
