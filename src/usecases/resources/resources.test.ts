import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../adapters/object-store/sqlite.ts';
import { AppError } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import type { KubeObject } from './kube-object.ts';
import { createResources } from './resources.ts';

function setUp(changeWindow?: number) {
  const store = openSqliteStore({ path: ':memory:', ...(changeWindow === undefined ? {} : { changeWindow }) });
  const clock = createFakeClock();
  return { store, clock, resources: createResources({ store, clock, random: createSeededRandom(1) }) };
}

const volume = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'holdfast.dev/v1alpha1',
  kind: 'Volume',
  metadata: { name, ...metadata },
  spec: { size: '1Gi', ...spec },
});

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error(`expected an AppError, got ${String(error)}`);
}

describe('create', () => {
  test('fills in identity and defaults, and leaves the status to the status subresource', async () => {
    const { resources } = setUp();
    const created = await resources.create('Volume', { ...volume('gv0'), status: { phase: 'Ready' } });
    expect(created.metadata).toMatchObject({
      name: 'gv0',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    });
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(created['spec']).toEqual({
      size: '1Gi',
      engine: 'gluster',
      layout: 'replicated',
      pool: 'default',
      brick: 'image',
    });
    expect(created['status']).toBeUndefined();
    expect(resources.get('Volume', 'gv0').read()).toEqual(created);
  });

  test('refuses a second object of the name and leaves the first', async () => {
    const { resources } = setUp();
    const first = await resources.create('Volume', volume('gv0'));
    expect(await failure(resources.create('Volume', volume('gv0', { size: '2Gi' })))).toMatchObject({
      kind: 'exists',
      reason: 'AlreadyExists',
    });
    expect(resources.get('Volume', 'gv0').read()).toEqual(first);
  });

  test('names every faulty field at once', async () => {
    const { resources } = setUp();
    const error = await failure(
      resources.create('Volume', volume('gv0', { size: 'big', replicas: 2.5, sise: 1, layout: 'striped' })),
    );
    expect(error.kind).toBe('invalid');
    expect(error.faults.map((fault) => fault.field).toSorted()).toEqual([
      'spec.layout',
      'spec.replicas',
      'spec.sise',
      'spec.size',
    ]);
    expect(error.message).toContain('spec.sise: unknown field');
    expect(resources.list('Volume').items).toEqual([]);
  });

  test.each(['../x', '-rf', 'a b', 'x'.repeat(300), 'wörld', '$(id)', 'a.b', 'A'])(
    'refuses the name %j',
    async (name) => {
      const { resources } = setUp();
      const error = await failure(resources.create('Volume', volume(name)));
      expect(error).toMatchObject({ kind: 'invalid', faults: [{ field: 'metadata.name' }] });
    },
  );

  test('refuses an empty name, a resourceVersion, a wrong kind, a body that is no object', async () => {
    const { resources } = setUp();
    expect((await failure(resources.create('Volume', volume('')))).message).toContain('generateName');
    expect((await failure(resources.create('Volume', volume('a', {}, { resourceVersion: '1' })))).kind).toBe('invalid');
    expect((await failure(resources.create('Volume', { ...volume('a'), kind: 'Lease' }))).message).toContain('kind');
    expect((await failure(resources.create('Volume', [volume('a')]))).kind).toBe('invalid');
    expect(resources.resourceVersion()).toBe('0');
  });

  test('makes a name from generateName', async () => {
    const { resources } = setUp();
    const event = { metadata: { generateName: 'gv0.' }, involvedObject: { kind: 'Volume', name: 'gv0' } };
    const names = [await resources.create('Event', event), await resources.create('Event', event)];
    for (const created of names) expect(created.metadata.name).toMatch(/^gv0\.[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(names[0]?.metadata.namespace).toBe('holdfast-system');
  });

  test('knows two namespaces by itself and wants others made first', async () => {
    const { resources } = setUp();
    const lease = { metadata: { name: 'kube1' }, spec: {} };
    await resources.create('Lease', lease, { namespace: 'default' });
    expect((await failure(resources.create('Lease', lease, { namespace: 'other' }))).kind).toBe('notFound');
    await resources.create('Namespace', { metadata: { name: 'other' } });
    await resources.create('Lease', lease, { namespace: 'other' });
    expect((await failure(resources.delete('Namespace', 'other'))).message).toContain('leases');
    await resources.delete('Lease', 'kube1', { namespace: 'other' });
    expect((await resources.delete('Namespace', 'other')).isGone).toBe(true);
    expect((await failure(resources.delete('Namespace', 'default'))).kind).toBe('denied');
  });

  test('a cluster-wide object has no namespace, whatever it says', async () => {
    const { resources } = setUp();
    const created = await resources.create('Volume', volume('gv0', {}, { namespace: 'default' }));
    expect(created.metadata.namespace).toBeUndefined();
  });

  test('a dry run judges everything and writes nothing', async () => {
    const { resources } = setUp();
    const created = await resources.create('Volume', volume('gv0'), { isDryRun: true });
    expect(created.metadata.name).toBe('gv0');
    expect(resources.list('Volume').items).toEqual([]);
  });
});

describe('unknown fields', () => {
  const withUnknown = { ...volume('gv0', { sise: '2Gi' }), extra: 1 };

  test('Strict names those of loose parts too', async () => {
    const { resources } = setUp();
    const error = await failure(
      resources.create('Volume', { ...volume('gv0'), extra: 1 }, { fieldValidation: 'Strict' }),
    );
    expect(error.faults).toEqual([{ field: 'extra', message: 'unknown field' }]);
  });

  test('Warn drops them with a warning each, Ignore without', async () => {
    for (const fieldValidation of ['Warn', 'Ignore'] as const) {
      const { resources } = setUp();
      const warnings: string[] = [];
      const created = await resources.create('Volume', withUnknown, {
        fieldValidation,
        onWarning: (message) => warnings.push(message),
      });
      expect(created['spec']).not.toHaveProperty('sise');
      expect(created).not.toHaveProperty('extra');
      const expected = ['unknown field "spec.sise"', 'unknown field "extra"'];
      expect(warnings).toEqual(fieldValidation === 'Warn' ? expected : []);
    }
  });
});

describe('update', () => {
  test('raises the generation for a changed spec only', async () => {
    const { resources } = setUp();
    await resources.create('Volume', volume('gv0'));
    const label = { type: 'merge', body: { metadata: { labels: { a: 'b' } } } } as const;
    expect((await resources.patch('Volume', 'gv0', label)).metadata.generation).toBe(1);
    const grow = { type: 'merge', body: { spec: { size: '2Gi' } } } as const;
    expect((await resources.patch('Volume', 'gv0', grow)).metadata.generation).toBe(2);
    const status = { type: 'merge', body: { status: { phase: 'Ready' } } } as const;
    const reported = await resources.patch('Volume', 'gv0', status, { subresource: 'status' });
    expect(reported).toMatchObject({ metadata: { generation: 2 }, status: { phase: 'Ready' }, spec: { size: '2Gi' } });
  });

  test('a write that changes nothing is no write', async () => {
    const { resources } = setUp();
    const created = await resources.create('Volume', volume('gv0'));
    const same = await resources.patch('Volume', 'gv0', { type: 'merge', body: { spec: { size: '1Gi' } } });
    expect(same).toEqual(created);
    expect(resources.resourceVersion()).toBe('1');
  });

  test('spec and status writes leave each other alone', async () => {
    const { resources } = setUp();
    await resources.create('Volume', volume('gv0'));
    const body = { spec: { size: '9Gi' }, metadata: { labels: { a: 'b' } }, status: { phase: 'Ready' } };
    const status = await resources.patch('Volume', 'gv0', { type: 'merge', body }, { subresource: 'status' });
    expect(status).toMatchObject({ spec: { size: '1Gi' }, status: { phase: 'Ready' } });
    expect(status.metadata.labels).toBeUndefined();
    const spec = await resources.patch('Volume', 'gv0', { type: 'merge', body: { ...body, status: null } });
    expect(spec).toMatchObject({ spec: { size: '9Gi' }, status: { phase: 'Ready' } });
  });

  test('a status report is judged for its status alone', async () => {
    const { resources, store } = setUp();
    await resources.create('Volume', volume('gv0'));
    // As an older version might have stored it.
    await store.transact((transaction) => {
      const key = { resource: 'volumes.holdfast.dev', namespace: '', name: 'gv0' };
      const stored = JSON.parse(transaction.get(key)?.text ?? '') as KubeObject;
      const old = { ...stored, spec: { size: 'huge', formerly: true } };
      transaction.put(key, 1, (revision) =>
        JSON.stringify({ ...old, metadata: { ...old.metadata, resourceVersion: String(revision) } }),
      );
    });
    const body = { status: { phase: 'Ready', futureField: 1 } };
    const warnings: string[] = [];
    const reported = await resources.patch(
      'Volume',
      'gv0',
      { type: 'merge', body },
      { subresource: 'status', onWarning: (message) => warnings.push(message) },
    );
    expect(reported['spec']).toEqual({ size: 'huge', formerly: true });
    expect(
      await failure(
        resources.patch(
          'Volume',
          'gv0',
          { type: 'merge', body: { status: { phase: 'Odd' } } },
          { subresource: 'status' },
        ),
      ),
    ).toMatchObject({ faults: [{ field: 'status.phase' }] });
  });

  test('replace compares versions; patch does when it carries one', async () => {
    const { resources } = setUp();
    const first = await resources.create('Volume', volume('gv0'));
    const changed = { ...first, spec: { size: '2Gi' } };
    await resources.replace('Volume', 'gv0', changed);
    expect((await failure(resources.replace('Volume', 'gv0', changed))).kind).toBe('conflict');
    expect((await failure(resources.replace('Volume', 'gv0', volume('gv0')))).message).toContain('resourceVersion');
    const stale = { metadata: { resourceVersion: '1' }, spec: { size: '3Gi' } };
    expect((await failure(resources.patch('Volume', 'gv0', { type: 'merge', body: stale }))).kind).toBe('conflict');
    expect(resources.get('Volume', 'gv0').read()).toMatchObject({ spec: { size: '2Gi' } });
  });

  test('identity cannot be written', async () => {
    const { resources } = setUp();
    const first = await resources.create('Volume', volume('gv0'));
    const body = { metadata: { creationTimestamp: '1999-01-01T00:00:00Z', generation: 7, deletionTimestamp: 'now' } };
    expect(await resources.patch('Volume', 'gv0', { type: 'merge', body })).toEqual(first);
    const rename = { type: 'merge', body: { metadata: { name: 'gv1' } } } as const;
    expect((await failure(resources.patch('Volume', 'gv0', rename))).kind).toBe('invalid');
    const otherUid = { type: 'merge', body: { metadata: { uid: 'x' } } } as const;
    expect((await failure(resources.patch('Volume', 'gv0', otherUid))).kind).toBe('conflict');
  });

  test('what the guard refuses does not happen', async () => {
    const { resources } = setUp();
    const guard = () => {
      throw new AppError('denied', 'no');
    };
    expect((await failure(resources.create('Volume', volume('gv0'), { guard }))).kind).toBe('denied');
    await resources.create('Volume', volume('gv0'));
    expect((await failure(resources.delete('Volume', 'gv0', { guard }))).kind).toBe('denied');
    expect(resources.resourceVersion()).toBe('1');
  });

  test('takes no strategic merge patch for kinds of our own', async () => {
    const { resources } = setUp();
    await resources.create('Volume', volume('gv0'));
    expect(await failure(resources.patch('Volume', 'gv0', { type: 'strategic', body: {} }))).toMatchObject({
      kind: 'unsupported',
      reason: 'UnsupportedMediaType',
    });
  });
});

describe('delete', () => {
  test('waits for the last finalizer', async () => {
    const { resources, clock } = setUp();
    await resources.create('Volume', volume('gv0', {}, { finalizers: ['holdfast.dev/a', 'holdfast.dev/b'] }));
    await clock.advance(5_000);
    const marked = await resources.delete('Volume', 'gv0');
    expect(marked.isGone).toBe(false);
    expect(marked.object.metadata.deletionTimestamp).toBe('2026-01-01T00:00:05Z');
    await clock.advance(5_000);
    expect(await resources.delete('Volume', 'gv0')).toEqual(marked);

    const setFinalizers = (finalizers: string[]) =>
      resources.patch('Volume', 'gv0', { type: 'merge', body: { metadata: { finalizers } } });
    expect(await failure(setFinalizers(['holdfast.dev/a', 'holdfast.dev/b', 'holdfast.dev/c']))).toMatchObject({
      faults: [{ field: 'metadata.finalizers' }],
    });
    await setFinalizers(['holdfast.dev/b']);
    await setFinalizers([]);
    expect(() => resources.get('Volume', 'gv0')).toThrow(/not found/);
  });

  test('keeps to its preconditions', async () => {
    const { resources } = setUp();
    const { metadata } = await resources.create('Volume', volume('gv0'));
    expect((await failure(resources.delete('Volume', 'gv0', { uid: 'other' }))).kind).toBe('conflict');
    expect((await failure(resources.delete('Volume', 'gv0', { resourceVersion: '9' }))).kind).toBe('conflict');
    expect((await resources.delete('Volume', 'gv0', { uid: metadata.uid, resourceVersion: '1' })).isGone).toBe(true);
    expect((await failure(resources.delete('Volume', 'gv0'))).kind).toBe('notFound');
  });
});

describe('list', () => {
  test('selects by labels and fields', async () => {
    const { resources } = setUp();
    for (const [index, node] of ['n1', 'n2', 'n1'].entries()) {
      const spec = {
        volume: 'gv0',
        volumeUid: 'u',
        node,
        pool: 'p',
        role: 'data',
        index,
        engine: 'gluster',
        brick: 'image',
        sizeBytes: 1,
      };
      await resources.create('VolumeCopy', {
        metadata: { name: `c${index}`, labels: { odd: String(index % 2) } },
        spec,
      });
    }
    const names = (options: object) =>
      resources.list('VolumeCopy', options).items.map((item) => item.read().metadata.name);
    expect(names({ fieldSelector: 'spec.node=n1' })).toEqual(['c0', 'c2']);
    expect(names({ fieldSelector: 'spec.node!=n1' })).toEqual(['c1']);
    expect(names({ fieldSelector: 'spec.node=n1', labelSelector: 'odd=0', limit: 1 })).toEqual(['c0']);
    expect(names({ fieldSelector: 'metadata.name=c1' })).toEqual(['c1']);
    expect(names({ fieldSelector: 'metadata.name=c1,spec.node=n1' })).toEqual([]);
    expect(names({ fieldSelector: 'spec.index=2' })).toEqual(['c2']);
    expect(names({ labelSelector: 'odd in (1,7)' })).toEqual(['c1']);
    await resources.create('Volume', volume('gv0'));
    expect(resources.list('Volume', { fieldSelector: 'spec.node=' }).items).toHaveLength(1);
  });

  test('pages through everything once, and a watch from the first page misses nothing', async () => {
    const { resources } = setUp();
    for (let index = 0; index < 7; index++) await resources.create('Volume', volume(`v${index}`));
    const names: string[] = [];
    let page = resources.list('Volume', { limit: 3 });
    const { resourceVersion } = page;
    names.push(...page.items.map((item) => item.read().metadata.name));
    await resources.create('Volume', volume('v7'));
    while (page.continue !== undefined) {
      page = resources.list('Volume', { limit: 3, continue: page.continue });
      expect(page.resourceVersion).toBe(resourceVersion);
      names.push(...page.items.map((item) => item.read().metadata.name));
    }
    expect(names).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7']);
    expect(() => resources.list('Volume', { continue: 'garbage' })).toThrow(/continue token/);
  });
});
