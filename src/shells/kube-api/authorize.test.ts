import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../usecases/resources/kube-object.ts';
import { type Action, authorize, type Identity } from './authorize.ts';

const admin: Identity = { user: 'admin', groups: ['holdfast:admins'] };
const controller: Identity = { user: 'controller', groups: ['holdfast:controllers'] };
const agent: Identity = { user: 'holdfast:node:kube1', groups: ['holdfast:nodes'] };

const object = (fields: Record<string, unknown>, metadata: object = {}): KubeObject =>
  ({ apiVersion: 'v', kind: 'k', metadata: { name: 'x', ...metadata }, ...fields }) as KubeObject;

/** What became of it: 'allowed', or the reason. */
function outcome(identity: Identity, action: Action, before?: KubeObject, after?: KubeObject): string {
  const verdict = authorize(identity, action);
  if (!verdict.isAllowed) return verdict.message;
  return verdict.rule?.(before, after) ?? 'allowed';
}

const status = (kind: Action['kind']): Action => ({ verb: 'patch', kind, subresource: 'status', name: 'x' });
const main = (kind: Action['kind'], verb: Action['verb'] = 'patch'): Action => ({ verb, kind, name: 'x' });
/** A copy or an attachment that is being deleted. */
const going = (node: string, metadata: object = {}) =>
  object({ spec: { node } }, { deletionTimestamp: '2026-01-01T00:00:00Z', ...metadata });
const mine = going('kube1', { finalizers: ['a', 'b'] });
const others = going('kube2', { finalizers: ['a', 'b'] });
const anchored = (anchor: string | undefined, extra: object = {}) =>
  object({ status: { anchor, phase: 'Ready', ...extra } });

/** An event of the agent on kube1. */
const told = (fields: object = {}, generation = 1) =>
  object(
    { source: { component: 'holdfast-node', host: 'kube1' }, reason: 'Stuck', count: 1, ...fields },
    { generation, resourceVersion: String(generation) },
  );
const byKube2 = { source: { component: 'holdfast-node', host: 'kube2' } };

const tasked = (parts: object) => object({ status: { state: 'Running', parts } });

describe('admins and controllers', () => {
  test.each([admin, controller])('$user may do everything', (identity) => {
    for (const kind of ['Volume', 'Lease', 'StorageClass', 'Namespace'] as const) {
      for (const verb of ['get', 'create', 'delete', 'update'] as const) {
        expect(outcome(identity, main(kind, verb))).toBe('allowed');
      }
    }
  });
});

describe('anyone else', () => {
  test.each([
    { user: 'someone', groups: [] },
    { user: 'holdfast:node:kube1', groups: ['other'] },
    { user: 'admin', groups: ['holdfast:nodes'] },
    { user: 'holdfast:node:', groups: ['holdfast:nodes'] },
    { user: 'holdfast:node:a/b', groups: ['holdfast:nodes'] },
    { user: 'holdfast:node:a..b', groups: ['holdfast:nodes'] },
  ])('$user of $groups may not even read', (identity) => {
    expect(outcome(identity, main('Volume', 'get'))).toContain(
      `"${identity.user}" may not get volumes.holdfast.dev "x"`,
    );
  });
});

describe('an agent', () => {
  test('may have a name with dots, and is then no other node', () => {
    const long = { user: 'holdfast:node:kube1.example.com', groups: ['holdfast:nodes'] };
    expect(outcome(long, main('VolumeCopy', 'get'))).toBe('allowed');
    expect(outcome(long, { verb: 'patch', kind: 'StorageNode', name: 'kube1', subresource: 'status' })).not.toBe(
      'allowed',
    );
  });

  test('reads the kinds of Holdfast and leases, nothing else', () => {
    for (const kind of [
      'Volume',
      'VolumeCopy',
      'StorageNode',
      'StorageCluster',
      'VolumeAttachmentRecord',
      'Lease',
    ] as const) {
      for (const verb of ['get', 'list', 'watch'] as const) expect(outcome(agent, main(kind, verb))).toBe('allowed');
    }
    for (const kind of [
      'Event',
      'Namespace',
      'PersistentVolume',
      'Service',
      'StorageClass',
      'EndpointSlice',
    ] as const) {
      expect(outcome(agent, main(kind, 'list'))).toContain('may not list');
    }
  });

  test.each<[string, Action, KubeObject | undefined, KubeObject | undefined, string]>([
    ['registers itself', main('StorageNode', 'create'), undefined, object({}, { name: 'kube1' }), 'allowed'],
    ['registers another', main('StorageNode', 'create'), undefined, object({}, { name: 'kube2' }), 'its own node only'],
    [
      'reports on itself',
      status('StorageNode'),
      object({}, { name: 'kube1' }),
      object({}, { name: 'kube1' }),
      'allowed',
    ],
    [
      'reports on another',
      status('StorageNode'),
      object({}, { name: 'kube2' }),
      object({}, { name: 'kube2' }),
      'own node only',
    ],
    [
      'says itself whether it is there',
      status('StorageNode'),
      object({}, { name: 'kube1' }),
      object({ status: { conditions: [{ type: 'Ready', status: 'True' }] } }, { name: 'kube1' }),
      'may not change status.conditions',
    ],
    [
      'asks for a certificate',
      status('StorageNode'),
      object({}, { name: 'kube1' }),
      object({ status: { tls: { mode: 'plain', request: 'PEM' } } }, { name: 'kube1' }),
      'allowed',
    ],
    [
      'answers that itself',
      status('StorageNode'),
      object({}, { name: 'kube1' }),
      object({ status: { certificate: { pem: 'PEM' } } }, { name: 'kube1' }),
      'may not change status.certificate',
    ],
    [
      'says that traffic is encrypted',
      status('StorageCluster'),
      object({ status: { anchor: 'kube1' } }),
      object({ status: { anchor: 'kube1', tls: { phase: 'On', isEncrypted: true } } }),
      'only status.peers',
    ],
    ['changes its spec', main('StorageNode'), object({}, { name: 'kube1' }), undefined, 'may not patch storagenodes'],
    ['deletes itself', main('StorageNode', 'delete'), object({}, { name: 'kube1' }), undefined, 'may not delete'],

    ['reports on its copy', status('VolumeCopy'), mine, mine, 'allowed'],
    ["reports on another's copy", status('VolumeCopy'), others, mine, 'it is on node "kube2"'],
    ['releases its copy', main('VolumeCopy'), mine, going('kube1', { finalizers: ['b'] }), 'allowed'],
    ['releases it wholly', main('VolumeCopy', 'update'), mine, going('kube1'), 'allowed'],
    [
      "releases another's copy",
      main('VolumeCopy'),
      others,
      object({ spec: { node: 'kube2' } }),
      'it is on node "kube2"',
    ],
    [
      'adds a finalizer',
      main('VolumeCopy'),
      mine,
      going('kube1', { finalizers: ['a', 'b', 'c'] }),
      'change nothing else',
    ],
    [
      'releases a copy that nobody deletes',
      main('VolumeCopy'),
      object({ spec: { node: 'kube1' } }, { finalizers: ['a'] }),
      object({ spec: { node: 'kube1' } }),
      'only from what is being deleted',
    ],
    ['moves its copy', main('VolumeCopy'), mine, others, 'change nothing else'],
    [
      'relabels its copy',
      main('VolumeCopy'),
      mine,
      going('kube1', { finalizers: ['a', 'b'], labels: { a: 'b' } }),
      'nothing else',
    ],
    ['makes a copy', main('VolumeCopy', 'create'), undefined, mine, 'may not create'],
    ['deletes a copy', main('VolumeCopy', 'delete'), mine, undefined, 'may not delete'],
    ['reports on its attachment', status('VolumeAttachmentRecord'), mine, mine, 'allowed'],
    ["reports on another's attachment", status('VolumeAttachmentRecord'), others, others, 'it is on node "kube2"'],
    ['releases its attachment', main('VolumeAttachmentRecord'), mine, going('kube1'), 'allowed'],

    ['reports as anchor', status('Volume'), anchored('kube1'), anchored('kube1', { engine: { epoch: 1 } }), 'allowed'],
    [
      'reports as former anchor',
      status('Volume'),
      anchored('kube2'),
      anchored('kube2', { engine: {} }),
      'anchor is "kube2"',
    ],
    [
      'reports where no anchor is',
      status('Volume'),
      object({}),
      object({ status: { engine: {} } }),
      'its anchor is no node',
    ],
    ['makes itself anchor', status('Volume'), anchored('kube2'), anchored('kube1'), 'its anchor is "kube2"'],
    [
      'changes another status field',
      status('Volume'),
      anchored('kube1'),
      anchored('kube1', { phase: 'Odd' }),
      'only status.engine',
    ],
    ['passes the anchor on', status('Volume'), anchored('kube1'), anchored('kube2'), 'only status.engine'],
    ['changes the spec of a volume', main('Volume'), anchored('kube1'), anchored('kube1'), 'may not patch volumes'],
    ['deletes a volume', main('Volume', 'delete'), anchored('kube1'), undefined, 'may not delete volumes'],

    [
      'reports peers as anchor',
      status('StorageCluster'),
      anchored('kube1'),
      anchored('kube1', { peers: {} }),
      'allowed',
    ],
    [
      'reports peers otherwise',
      status('StorageCluster'),
      anchored('kube3'),
      anchored('kube3', { peers: {} }),
      'anchor is "kube3"',
    ],
    [
      'changes conditions',
      status('StorageCluster'),
      anchored('kube1'),
      anchored('kube1', { conditions: [] }),
      'only status.peers',
    ],

    ['reports its part of a task', status('Task'), tasked({}), tasked({ kube1: { state: 'Running' } }), 'allowed'],
    [
      'begins the status of a task',
      status('Task'),
      object({}),
      object({ status: { parts: { kube1: { state: 'Running' } } } }),
      'allowed',
    ],
    [
      "reports another's part of a task",
      status('Task'),
      tasked({}),
      tasked({ kube2: { state: 'Succeeded' } }),
      'only status.parts.kube1',
    ],
    [
      'says that a task is done',
      status('Task'),
      tasked({}),
      object({ status: { state: 'Succeeded', parts: {} } }),
      'only status.parts.kube1',
    ],
    ['asks for a task', main('Task', 'create'), undefined, tasked({}), 'may not create'],
    ['stops a task', main('Task'), tasked({}), tasked({}), 'may not patch'],

    [
      'makes its lease',
      main('Lease', 'create'),
      undefined,
      object({}, { name: 'kube1', namespace: 'holdfast-system' }),
      'allowed',
    ],
    [
      'renews its lease',
      main('Lease'),
      object({}, { name: 'kube1', namespace: 'holdfast-system' }),
      undefined,
      'allowed',
    ],
    [
      "renews another's lease",
      main('Lease', 'update'),
      object({}, { name: 'kube2', namespace: 'holdfast-system' }),
      object({}, { name: 'kube1', namespace: 'holdfast-system' }),
      'only the lease "kube1"',
    ],
    [
      'makes it elsewhere',
      main('Lease', 'create'),
      undefined,
      object({}, { name: 'kube1', namespace: 'default' }),
      'in holdfast-system',
    ],
    [
      'takes the leader lease',
      main('Lease'),
      object({}, { name: 'leader', namespace: 'holdfast-system' }),
      undefined,
      'only the lease',
    ],
    ['deletes its lease', main('Lease', 'delete'), object({}, { name: 'kube1' }), undefined, 'may not delete'],

    [
      'tells an event',
      main('Event', 'create'),
      undefined,
      object({ source: { component: 'holdfast-node', host: 'kube1' } }),
      'allowed',
    ],
    [
      "tells an event in another node's name",
      main('Event', 'create'),
      undefined,
      object({ source: { component: 'holdfast-node', host: 'kube2' } }),
      'source.host kube1',
    ],
    [
      "tells an event in the controller's name",
      main('Event', 'create'),
      undefined,
      object({ source: { component: 'holdfast-controller' } }),
      'source.host kube1',
    ],
    ['counts its event up', main('Event'), told(), told({ count: 2, lastTimestamp: 't', message: 'n' }), 'allowed'],
    ['counts up what the server has numbered', main('Event'), told({}, 1), told({ count: 2 }, 2), 'allowed'],
    ["counts another node's event up", main('Event'), told(byKube2), told({ ...byKube2, count: 2 }), 'its own events'],
    ['gives its event to another', main('Event'), told(), told(byKube2), 'only count, lastTimestamp and message'],
    ['changes what its event is about', main('Event'), told(), told({ reason: 'Other' }), 'only count'],
    [
      'labels its event',
      main('Event'),
      told(),
      { ...told(), metadata: { ...told().metadata, labels: {} } },
      'only count',
    ],
    ['deletes an event', main('Event', 'delete'), told(), undefined, 'may not delete events'],
    ['writes a storage class', main('StorageClass', 'create'), undefined, object({}), 'no business'],
  ])('%s', (_what, action, before, after, expected) => {
    expect(outcome(agent, action, before, after)).toContain(expected);
  });
});

describe('keys of volumes', () => {
  const key = (nodes: string) =>
    object({ data: { key: 'a2V5' } }, { annotations: { 'holdfast.dev/key-nodes': nodes }, name: 'volume-key-1' });
  const read = (identity: Identity, secret: KubeObject) => {
    const verdict = authorize(identity, { ...main('Secret', 'get'), namespace: 'holdfast-system' });
    return verdict.isAllowed ? (verdict.readRule?.(secret) ?? 'allowed') : verdict.message;
  };

  test('are read by the agents of the nodes with a copy, by controllers and by admins', () => {
    expect(read(agent, key('kube1'))).toBe('allowed');
    expect(read(agent, key('kube2,kube1'))).toBe('allowed');
    for (const identity of [admin, controller]) expect(read(identity, key(''))).toBe('allowed');
  });

  test.each(['', 'kube2', 'kube11,kube2', 'xkube1', ' kube1'])(
    'are not read by an agent where the nodes are %o',
    (nodes) => {
      expect(read(agent, key(nodes))).toContain('with a copy on its node only');
    },
  );

  test('are not read by an agent where no nodes are named, nor listed, watched or written', () => {
    expect(read(agent, object({}, {}))).toContain('with a copy on its node only');
    for (const verb of ['list', 'watch', 'create', 'update', 'patch', 'delete'] as const) {
      expect(outcome(agent, main('Secret', verb))).toContain('agents have no business with it');
    }
  });
});
