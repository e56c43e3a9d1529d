/** The embedded API server as people use it: with the real kubectl. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ServedApi, serveFrom, writeKubeconfig } from './kube-api-server.ts';

const hasKubectl = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'kubectl')));
if (!hasKubectl) console.warn('NOT TESTED: kubectl is not installed, so nothing was tried with the real one');

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let folder: string;
let served: ServedApi;

function kubectlArguments(kubeconfig: string, args: readonly string[]): string[] {
  return ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'cache'), ...args];
}

function kubectlAs(user: string, args: readonly string[], input?: string): Promise<Answer> {
  const kubeconfig = join(folder, `${user}.kubeconfig`);
  return new Promise((resolve) => {
    const child = execFile(
      'kubectl',
      kubectlArguments(kubeconfig, args),
      { timeout: 60_000, env: { PATH: process.env['PATH'], HOME: folder } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
    );
    child.stdin?.end(input ?? '');
  });
}
const kubectl = (args: readonly string[], input?: string) => kubectlAs('admin', args, input);

/** Standard output of a command that must succeed. */
async function ok(args: readonly string[], input?: string): Promise<string> {
  const answer = await kubectl(args, input);
  expect(answer, answer.err).toMatchObject({ code: 0 });
  return answer.out;
}

/** Cells of what kubectl prints, by row; columns are at least three blanks apart. */
const rows = (out: string): string[][] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/ {3,}/));

const volume = (name: string, spec: object = {}, metadata: object = {}) =>
  JSON.stringify({
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Volume',
    metadata: { name, ...metadata },
    spec: { size: '1Gi', ...spec },
  });

const node = (name: string, zone: string) =>
  JSON.stringify({
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'StorageNode',
    metadata: { name, labels: { zone } },
    spec: { addresses: { ip: '10.0.0.1' }, zone },
  });

const children: ChildProcess[] = [];

describe.runIf(hasKubectl)('kubectl', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-kubectl-'));
    served = await serveFrom(folder, 0);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill();
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.on('exit', resolve));
    }
    for (const kind of ['volumes', 'storagenodes', 'persistentvolumes'])
      await ok(['delete', kind, '--all', '--wait=false']);
  });
  afterAll(async () => {
    await served.close();
    rmSync(folder, { recursive: true });
  });

  test('version, health and the list of kinds', async () => {
    expect(await ok(['version'])).toContain('Server Version: v1.32.0+holdfast-test');
    expect(await ok(['get', '--raw', '/readyz?verbose'])).toBe('[+]ping ok\n[+]store ok\nreadyz check passed\n');
    const kinds = rows(await ok(['api-resources', '--no-headers']));
    expect(kinds).toContainEqual(['volumes', 'vol', 'holdfast.dev/v1alpha1', 'false', 'Volume']);
    expect(kinds).toContainEqual(['events', 'ev', 'v1', 'true', 'Event']);
  });

  test('get shows the columns of each kind, more of them with -o wide', async () => {
    await ok(['apply', '-f', '-'], volume('gv0', { layout: 'arbiter' }));
    await ok(['apply', '-f', '-'], node('kube1', 'a'));
    const status = {
      phase: 'Ready',
      anchor: 'kube1',
      placement: ['kube1', 'kube2'].map((name) => ({ copy: `c-${name}`, node: name, pool: 'default', role: 'data' })),
      conditions: ['Ready', 'Redundant'].map((type, index) => ({
        ...{ type, status: index === 0 ? 'True' : 'False', reason: 'R', message: 'm' },
        lastTransitionTime: '2026-01-01T00:00:00Z',
      })),
    };
    await ok([
      'patch',
      'volume',
      'gv0',
      '--subresource',
      'status',
      '--type',
      'merge',
      '-p',
      JSON.stringify({ status }),
    ]);

    const [head, line] = rows(await ok(['get', 'volumes']));
    expect(head).toEqual(['NAME', 'PHASE', 'SIZE', 'LAYOUT', 'READY', 'REDUNDANT', 'AGE']);
    expect(line?.slice(0, 6)).toEqual(['gv0', 'Ready', '1Gi', 'arbiter', 'True', 'False']);
    expect(line?.[6]).toMatch(/^\d+s$/);
    const wide = await ok(['get', 'volumes,storagenodes', '-o', 'wide']);
    expect(wide).toContain('kube1,kube2');
    expect(wide).toContain('storagenode.holdfast.dev/kube1');
    expect(await ok(['get', 'holdfast', '-o', 'name'])).toBe(
      'storagenode.holdfast.dev/kube1\nvolume.holdfast.dev/gv0\n',
    );
  });

  test('apply is repeatable, changes what changed, and leaves the status alone', async () => {
    expect(await ok(['apply', '-f', '-'], volume('gv0'))).toBe('volume.holdfast.dev/gv0 created\n');
    expect(await ok(['apply', '-f', '-'], volume('gv0'))).toBe('volume.holdfast.dev/gv0 unchanged\n');
    await ok(['patch', 'vol', 'gv0', '--subresource=status', '--type=merge', '-p', '{"status":{"phase":"Ready"}}']);
    expect(await ok(['apply', '-f', '-'], volume('gv0', { size: '2Gi' }))).toBe('volume.holdfast.dev/gv0 configured\n');
    const stored = JSON.parse(await ok(['get', 'vol', 'gv0', '-o', 'json']));
    expect(stored).toMatchObject({ metadata: { generation: 2 }, spec: { size: '2Gi' }, status: { phase: 'Ready' } });
    expect(await ok(['apply', '--dry-run=server', '-f', '-'], volume('gv0', { size: '3Gi' }))).toContain('configured');
    expect(await ok(['get', 'vol', 'gv0', '-o', 'jsonpath={.spec.size}'])).toBe('2Gi');
    expect(await ok(['diff', '-f', '-'], volume('gv0', { size: '2Gi' }))).toBe('');
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [JSON.parse(volume('a')), JSON.parse(volume('b'))],
    });
    expect(await ok(['apply', '-f', '-'], list)).toBe('volume.holdfast.dev/a created\nvolume.holdfast.dev/b created\n');
    const wrong = await kubectl(['apply', '-f', '-'], list.replace('"1Gi"', '"1Gi","sise":1'));
    expect(wrong.err).toContain('spec.sise: unknown field');
  });

  test.each([
    ['an unknown field', volume('gv0', { sise: '1Gi' }), 'spec.sise: unknown field'],
    [
      'an unknown field beside the spec',
      JSON.stringify({ ...JSON.parse(volume('gv0')), specs: {} }),
      'specs: unknown field',
    ],
    ['a wrong size', volume('gv0', { size: '10Gigs' }), 'spec.size: "10Gigs" is not a size'],
    [
      'a wrong choice',
      volume('gv0', { layout: 'mirror' }),
      'spec.layout: expected one of "single"|"replicated"|"arbiter"',
    ],
    ['a dangerous layout', volume('gv0', { replicas: 2 }), 'spec.replicas: 2 plain replicas can diverge'],
    ['a wrong name', volume('a.b'), 'metadata.name: may hold only a-z'],
    [
      'a missing spec',
      JSON.stringify({ ...JSON.parse(volume('gv0')), spec: undefined }),
      'spec: required value is missing',
    ],
  ])('apply with %s names the field and changes nothing', async (_what, object, message) => {
    const answer = await kubectl(['apply', '-f', '-'], object);
    expect(answer.code).toBe(1);
    expect(answer.err).toContain(message);
    expect((await kubectl(['get', 'volumes'])).err).toContain('No resources found');
  });

  test('--validate=ignore and warn drop unknown fields', async () => {
    await ok(['create', '--validate=ignore', '-f', '-'], volume('a', { sise: '1Gi' }));
    const warned = await kubectl(['create', '--validate=warn', '-f', '-'], volume('b', { sise: '1Gi' }));
    expect(warned).toMatchObject({ code: 0, err: expect.stringContaining('Warning: unknown field "spec.sise"') });
    expect(await ok(['get', 'vol', 'a', 'b', '-o', 'yaml'])).not.toMatch(/^ +sise/m);
  });

  test('create, replace, label, annotate and patch', async () => {
    await ok(['create', '-f', '-'], volume('gv0'));
    expect((await kubectl(['create', '-f', '-'], volume('gv0'))).err).toContain('(AlreadyExists)');
    await ok(['replace', '-f', '-'], volume('gv0', { size: '2Gi' }));
    await ok(['label', 'vol', 'gv0', 'tier=gold']);
    await ok(['annotate', 'vol', 'gv0', 'note=hello']);
    await ok(['patch', 'vol', 'gv0', '--type=merge', '-p', '{"spec":{"size":"3Gi"}}']);
    await ok(['patch', 'vol', 'gv0', '--type=json', '-p', '[{"op":"replace","path":"/spec/size","value":"4Gi"}]']);
    const failed = await kubectl([
      'patch',
      'vol',
      'gv0',
      '--type=json',
      '-p',
      '[{"op":"test","path":"/spec/size","value":"9Gi"}]',
    ]);
    expect(failed.err).toContain('the value is "4Gi"');
    const wrong = await kubectl(['patch', 'vol', 'gv0', '--type=merge', '-p', '{"spec":{"size":"big"}}']);
    expect(wrong.err).toContain('spec.size: "big" is not a size');
    const strategic = await kubectl(['patch', 'vol', 'gv0', '-p', '{"spec":{"size":"5Gi"}}']);
    expect(strategic.err).toContain('--type merge');
    const stored = JSON.parse(await ok(['get', 'vol', 'gv0', '-o', 'json']));
    expect(stored).toMatchObject({
      metadata: { labels: { tier: 'gold' }, annotations: { note: 'hello' } },
      spec: { size: '4Gi' },
    });
    const stale = { ...stored, metadata: { ...stored.metadata, resourceVersion: '1' } };
    expect((await kubectl(['replace', '-f', '-'], JSON.stringify(stale))).err).toContain('(Conflict)');
    const apply = await kubectl(['apply', '--server-side', '-f', '-'], volume('gv0'));
    expect(apply.err).toContain('use kubectl apply without --server-side');
  });

  test('label and field selectors, sorted and as yaml', async () => {
    for (const [name, zone] of [
      ['kube1', 'a'],
      ['kube2', 'b'],
      ['kube3', 'a'],
    ] as const) {
      await ok(['apply', '-f', '-'], node(name, zone));
    }
    const names = async (...args: string[]) =>
      (await ok(['get', 'sn', '-o', 'jsonpath={.items[*].metadata.name}', ...args])).split(' ');
    expect(await names('-l', 'zone=a')).toEqual(['kube1', 'kube3']);
    expect(await names('-l', 'zone notin (a)')).toEqual(['kube2']);
    expect(await names('--field-selector', 'spec.zone=b')).toEqual(['kube2']);
    expect(await names('--field-selector', 'metadata.name!=kube1')).toEqual(['kube2', 'kube3']);
    expect((await kubectl(['get', 'sn', '-l', 'a b'])).code).toBe(1);
    expect(rows(await ok(['get', 'sn', '--sort-by', '.spec.zone', '--no-headers'])).map(([name]) => name)).toEqual([
      'kube1',
      'kube3',
      'kube2',
    ]);
    expect(await ok(['get', 'sn', 'kube1', '-o', 'yaml'])).toContain('addresses:\n    ip: 10.0.0.1\n');
    expect(await ok(['get', 'sn', '--chunk-size=1', '-o', 'name'])).toContain('kube3');
  });

  test('get -w shows what happens', async () => {
    const args = kubectlArguments(join(folder, 'admin.kubeconfig'), [
      ...['get', 'volumes', '-w', '--output-watch-events', '--no-headers'],
    ]);
    const child = spawn('kubectl', args, { env: { PATH: process.env['PATH'], HOME: folder }, stdio: 'pipe' });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await ok(['create', '-f', '-'], volume('gv0'));
    const next = async () => (await lines.next()).value?.split(/ {2,}/).slice(0, 3);
    expect(await next()).toEqual(['ADDED', 'gv0', '1Gi']);
    await ok(['patch', 'vol', 'gv0', '--type=merge', '-p', '{"spec":{"size":"2Gi"}}']);
    expect(await next()).toEqual(['MODIFIED', 'gv0', '2Gi']);
    await ok(['delete', 'vol', 'gv0']);
    expect(await next()).toEqual(['DELETED', 'gv0', '2Gi']);
  });

  test('wait sees a condition come', async () => {
    await ok(['create', '-f', '-'], volume('gv0'));
    const waiting = ok(['wait', 'vol/gv0', '--for=condition=Ready', '--timeout=30s']);
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'R',
      message: 'm',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const patch = JSON.stringify({ status: { conditions: [ready] } });
    await ok(['patch', 'vol', 'gv0', '--subresource=status', '--type=merge', '-p', patch]);
    expect(await waiting).toContain('condition met');
  });

  test('delete waits for finalizers', async () => {
    await ok(['create', '-f', '-'], volume('gv0', {}, { finalizers: ['holdfast.dev/volume'] }));
    const deleting = ok(['delete', 'vol', 'gv0', '--timeout=30s']);
    await ok(['wait', 'vol/gv0', '--for=jsonpath={.metadata.deletionTimestamp}', '--timeout=30s']);
    await ok(['patch', 'vol', 'gv0', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    expect(await deleting).toContain('"gv0" deleted');
    expect((await kubectl(['get', 'vol', 'gv0'])).err).toContain('volumes.holdfast.dev "gv0" not found');
    expect((await kubectl(['delete', 'vol', 'gv0'])).code).toBe(1);
    await ok(['delete', 'vol', 'gv0', '--ignore-not-found']);
  });

  test('describe shows the object and its events', async () => {
    await ok(['create', '-f', '-'], volume('gv0'));
    const { uid } = JSON.parse(await ok(['get', 'vol', 'gv0', '-o', 'json'])).metadata;
    const event = {
      ...{ apiVersion: 'v1', kind: 'Event', metadata: { generateName: 'gv0.', namespace: 'default' } },
      ...{ type: 'Warning', reason: 'NoPlaceForCopies', message: 'n3: 12 GiB free < 20 GiB', count: 1 },
      involvedObject: { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', name: 'gv0', uid },
      ...{ firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z', source: { component: 'c' } },
    };
    await ok(['create', '-f', '-'], JSON.stringify(event));
    const text = await ok(['describe', 'volume', 'gv0']);
    expect(text).toMatch(/Size: +1Gi/);
    expect(text).toMatch(/Warning +NoPlaceForCopies .* n3: 12 GiB free < 20 GiB/);
    expect(await ok(['get', 'events'])).toContain('NoPlaceForCopies');
    await ok(['delete', 'events', '--all']);
  });

  test('explain tells what the fields mean', async () => {
    const spec = await ok(['explain', 'volume.spec']);
    expect(spec).toMatch(/size\t<string> -required-\n +Usable size of the volume/);
    expect(spec).toContain('enum: single, replicated, arbiter');
    expect(await ok(['explain', 'storagenode.spec.pools'])).toMatch(/path\t<string> -required-/);
    expect(await ok(['explain', 'sn.spec.addresses.ip'])).toContain('FIELD: ip <string>');
    expect(await ok(['explain', 'volume', '--recursive'])).toContain('conditions\t<[]Object>');
    expect(await ok(['explain', 'pv.spec'])).toContain('storageClassName');
  });

  test('apply of kinds of Kubernetes merges their lists', async () => {
    const pv = (size: string) =>
      JSON.stringify({
        ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv1', finalizers: ['a.b/c'] } },
        spec: {
          ...{ capacity: { storage: size }, accessModes: ['ReadWriteMany'], storageClassName: 'kismatic' },
          ...{ persistentVolumeReclaimPolicy: 'Retain', glusterfs: { endpoints: 'e', path: 'gv0' } },
        },
      });
    expect(await ok(['apply', '-f', '-'], pv('1Gi'))).toContain('created');
    expect(await ok(['apply', '-f', '-'], pv('1Gi'))).toContain('unchanged');
    expect(await ok(['apply', '-f', '-'], pv('2Gi'))).toContain('configured');
    expect(rows(await ok(['get', 'pv', '--no-headers']))[0]?.slice(0, 5)).toEqual([
      ...['pv1', '2Gi', 'ReadWriteMany', 'Retain', 'kismatic'],
    ]);
    expect(await ok(['describe', 'pv', 'pv1'])).toMatch(/EndpointsName: +e/);
    await ok(['patch', 'pv', 'pv1', '-p', '{"metadata":{"finalizers":null}}']);

    const service = (...ports: number[]) =>
      JSON.stringify({
        ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } },
        spec: { ports: ports.map((port) => ({ port, name: `p${port}` })) },
      });
    await ok(['apply', '-f', '-'], service(1, 2));
    await ok(['apply', '-f', '-'], service(2, 3));
    expect(await ok(['get', 'svc', 's', '-o', 'jsonpath={.spec.ports[*].port}'])).toBe('2 3');
    await ok(['delete', 'svc', 's']);
  });

  test('namespaces', async () => {
    expect(await ok(['get', 'ns', '-o', 'name'])).toBe('namespace/default\nnamespace/holdfast-system\n');
    const lease = JSON.stringify({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'l' },
      spec: {},
    });
    expect((await kubectl(['-n', 'nowhere', 'apply', '-f', '-'], lease)).err).toContain(
      'namespaces "nowhere" not found',
    );
    expect((await kubectl(['create', 'namespace', 'team'])).err).toContain('use kubectl apply -f');
    await ok(['apply', '-f', '-'], '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team"}}');
    await ok(['-n', 'team', 'apply', '-f', '-'], lease);
    expect(await ok(['get', 'leases', '-A', '--no-headers'])).toMatch(/^team +l/);
    await ok(['-n', 'team', 'delete', 'lease', 'l']);
    await ok(['delete', 'ns', 'team']);
  });

  test('what a certificate may not do is said', async () => {
    const client = { organization: 'holdfast:nodes', port: served.port };
    await writeKubeconfig(folder, served.authority, { ...client, name: 'kube1', user: 'holdfast:node:kube1' });
    await ok(['create', '-f', '-'], volume('gv0'));
    expect((await kubectlAs('kube1', ['get', 'volumes', '-o', 'name'])).out).toBe('volume.holdfast.dev/gv0\n');
    const refused = await kubectlAs('kube1', ['delete', 'volume', 'gv0']);
    expect(refused.err).toContain('"holdfast:node:kube1" may not delete volumes.holdfast.dev "gv0"');
    expect((await kubectlAs('kube1', ['create', '-f', '-'], node('kube2', 'a'))).err).toContain('its own node only');
    expect(await kubectlAs('kube1', ['create', '-f', '-'], node('kube1', 'a'))).toMatchObject({ code: 0 });
    const status = ['--subresource=status', '--type=merge', '-p', '{"status":{"bootId":"b"}}'];
    expect(await kubectlAs('kube1', ['patch', 'sn', 'kube1', ...status])).toMatchObject({ code: 0 });

    const secret = (field: string, text: string) =>
      `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"${field}":{"key":"${text}"}}`;
    const inNamespace = ['-n', 'holdfast-system'];
    const plain = await kubectl([...inNamespace, 'create', '-f', '-'], secret('stringData', 'in-the-clear'));
    expect(plain.err).toContain('write data, in base64');
    expect((await kubectl([...inNamespace, 'create', '-f', '-'], secret('data', '%%%'))).err).toContain(
      'must be base64',
    );
    await ok([...inNamespace, 'create', '-f', '-'], secret('data', 'aGlkZGVu'));
    expect(await ok([...inNamespace, 'get', 'secrets'])).not.toContain('aGlkZGVu');
    expect(await ok([...inNamespace, 'get', 'secret', 's', '-o', 'jsonpath={.data.key}'])).toBe('aGlkZGVu');
    for (const words of [
      ['get', 'secrets'],
      ['get', 'secret', 's', '-o', 'yaml'],
    ]) {
      const { code, out, err } = await kubectlAs('kube1', [...inNamespace, ...words]);
      expect([code, out]).toEqual([1, '']);
      expect(err).toContain('"holdfast:node:kube1" may not');
    }

    const raw = await kubectl(['get', '--raw', '/apis/holdfast.dev/v1alpha1/nonsense']);
    expect(raw.err).toContain('could not find the requested resource');
    writeFileSync(join(folder, 'nobody.kubeconfig'), nobody(served.port));
    expect((await kubectlAs('nobody', ['get', 'volumes'])).err).toContain('no valid client certificate was presented');
  });
});

function nobody(port: number): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c', users: [{ name: 'u', user: { token: 'x' } }] },
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  });
}
