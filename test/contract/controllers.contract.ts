/** What the controllers do over any API server: run on the embedded one, and on kube-apiserver by test/k8s. */
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { runControllers } from '../../src/controllers/run-controllers.ts';
import { createLeaderElection } from '../../src/controllers/runtime/leader-election.ts';
import { ATTACHMENT_FINALIZER, COPY_FINALIZER, VOLUME_FINALIZER } from '../../src/domain/finalizers.ts';
import { findCondition } from '../../src/domain/find-condition.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { createFaultyClient, NO_FAULTS } from '../../src/ports/faulty-client.fake.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import type { Resource, ResourceClient } from '../../src/ports/resource-client.ts';
import type { KindName } from '../../src/schemas/kinds.ts';
import { type PlayedAgents, playAgents } from './played-agents.ts';

interface ServerUnderTest {
  /** May everything, as people and the played agents do. */
  readonly client: ResourceClient;
  /** As a controller is let in. */
  readonly controllerClient: ResourceClient;
  /** Kubernetes' own kinds are there too. */
  readonly isOnCluster: boolean;
  stop(): Promise<void>;
}

const GIB = 2 ** 30;
const PATIENCE_MS = 120_000;
/** How much slower time passes for controllers: on a busy machine a heartbeat that is late would be a node that is away. */
const SLOWER = 5;
const MAX_ATTEMPTS = 10;
const LEADER_LEASE = 'holdfast-controller';
const NODES = ['kube1', 'kube2', 'kube3'];
const deps = { clock: createSystemClock(), random: createSystemRandom() };
const slow: Clock = {
  now: () => deps.clock.now(),
  monotonic: () => deps.clock.monotonic() / SLOWER,
  sleep: (ms, signal) => deps.clock.sleep(ms * SLOWER, signal),
};

/** Declares the tests for one server. */
export function describeControllers(name: string, setUp: () => Promise<ServerUnderTest>): void {
  describe(`controllers: ${name}`, { timeout: 3 * PATIENCE_MS }, () => {
    let world: World;
    beforeEach(async () => {
      world = await createWorld(await setUp());
    });
    afterEach(() => world.stop());
    describeLife(() => world);
    describeTrouble(() => world);
    describeControllersThemselves(() => world);
  });
}

interface World {
  readonly client: ResourceClient;
  readonly server: ServerUnderTest;
  readonly agents: PlayedAgents;
  /** Runs the controllers; ended after the test. */
  control(client?: ResourceClient): { stop(): Promise<void> };
  addVolume(name: string, spec?: object): Promise<Resource<'Volume'>>;
  volume(name: string): Promise<Resource<'Volume'> | undefined>;
  untilReady(name: string): Promise<Resource<'Volume'>>;
  stop(): Promise<void>;
}

async function createWorld(server: ServerUnderTest): Promise<World> {
  const { client } = server;
  const agents = playAgents({ client, clock: deps.clock });
  for (const node of NODES) await agents.add(node, 100 * GIB);
  const stops: (() => Promise<void>)[] = [];
  const volume = (name: string) => client.get('Volume', name);
  return {
    ...{ client, server, agents, volume },
    control: (as = server.controllerClient) => {
      const ending = new AbortController();
      const log = createFakeLogger();
      const options = { version: 'test', watchIdleMs: 25_000, isOnCluster: server.isOnCluster };
      const ended = runControllers({ ...deps, ...options, clock: slow, client: as, log }, ending.signal);
      const stop = async (): Promise<void> => {
        ending.abort();
        await ended;
        // What a controller did not expect, of whatever server.
        expect(log.entries.filter(({ level }) => level === 'error')).toEqual([]);
      };
      stops.push(stop);
      return { stop };
    },
    addVolume: (name, spec = {}) => {
      const wish = { size: '10Gi', layout: 'replicated', replicas: 3, ...spec };
      return client.create('Volume', { metadata: { name, finalizers: [VOLUME_FINALIZER] }, spec: wish });
    },
    untilReady: (name) =>
      until(`${name} is Ready`, volume.bind(undefined, name), (seen) => seen.status?.phase === 'Ready'),
    stop: async () => {
      for (const stop of stops) await stop();
      await agents.stop();
      await server.stop();
    },
  };
}

/** Waits for an object to be as it should; a timeout shows it as it was last. */
async function until<T>(what: string, read: () => Promise<T | undefined>, is: (seen: T) => boolean): Promise<T> {
  let seen: T | undefined;
  for (const end = deps.clock.monotonic() + PATIENCE_MS; deps.clock.monotonic() < end; await deps.clock.sleep(100)) {
    seen = await read();
    if (seen !== undefined && is(seen)) return seen;
  }
  throw new Error(`waited in vain until ${what}: ${JSON.stringify(seen)}`);
}

const reasonOf = (volume: Resource<'Volume'>, type = 'Ready') => findCondition(volume, type)?.reason;

function describeLife(world: () => World): void {
  it('places a volume, makes its copies with a finalizer each, and tells when it is ready', async () => {
    const { control, addVolume, untilReady, client } = world();
    control();
    const { metadata } = await addVolume('gv0');
    const ready = await untilReady('gv0');
    expect(ready.status?.placement?.map(({ node }) => node).toSorted()).toEqual(NODES);
    expect(ready.status).toMatchObject({ grantedSize: '10Gi', size: '10Gi', observedGeneration: metadata.generation });
    expect(reasonOf(ready)).toBe('Served');
    expect(findCondition(ready, 'Redundant')).toMatchObject({
      status: 'True',
      observedGeneration: metadata.generation,
    });
    const { items } = await client.list('VolumeCopy', { labelSelector: 'holdfast.dev/volume=gv0' });
    expect(items.map(({ spec }) => spec.node).toSorted()).toEqual(NODES);
    for (const copy of items) {
      expect(copy.metadata.finalizers).toEqual([COPY_FINALIZER]);
      expect(copy.spec).toMatchObject({ volumeUid: metadata.uid, sizeBytes: 10 * GIB });
    }
  });

  it('gives a volume that a person made its finalizer', async () => {
    const { control, client, volume, untilReady } = world();
    control();
    await client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi', layout: 'single' } });
    await untilReady('gv0');
    expect((await volume('gv0'))?.metadata.finalizers).toEqual([VOLUME_FINALIZER]);
  });

  it('removes the copies before the volume, and neither while it is mounted', async () => {
    const { control, client, addVolume, untilReady, volume } = world();
    control();
    const { metadata } = await addVolume('gv0');
    await untilReady('gv0');
    const record = { metadata: { name: 'gv0.kube1', finalizers: [ATTACHMENT_FINALIZER] } };
    await client.create('VolumeAttachmentRecord', {
      ...record,
      spec: { volume: 'gv0', node: 'kube1', mountPath: '/data' },
    });
    await client.delete('Volume', 'gv0', { uid: metadata.uid });
    const held = await until(
      'its deletion waits',
      () => volume('gv0'),
      (seen) => reasonOf(seen) === 'InUse',
    );
    expect(held.metadata.finalizers).toEqual([VOLUME_FINALIZER]);
    expect((await client.list('VolumeCopy')).items.map((copy) => copy.metadata.deletionTimestamp)).toEqual(
      NODES.map(() => undefined),
    );
    await client.delete('VolumeAttachmentRecord', 'gv0.kube1');
    await client.patch('VolumeAttachmentRecord', 'gv0.kube1', { metadata: { finalizers: [] } });
    await until(
      'it is gone',
      async () => ({ found: await volume('gv0') }),
      ({ found }) => found === undefined,
    );
    expect((await client.list('VolumeCopy')).items).toEqual([]);
  });

  it('grows a volume, all copies or none', async () => {
    const { control, client, addVolume, untilReady, volume } = world();
    control();
    await addVolume('gv0');
    await untilReady('gv0');
    await client.patch('Volume', 'gv0', { spec: { size: '1Ti' } });
    const refused = await until(
      'it is refused',
      () => volume('gv0'),
      (seen) => reasonOf(seen, 'Sized') === 'NoRoomToGrow',
    );
    expect(refused.status).toMatchObject({ grantedSize: '10Gi', size: '10Gi' });
    await client.patch('Volume', 'gv0', { spec: { size: '20Gi' } });
    await until(
      'it has grown',
      () => volume('gv0'),
      (seen) => seen.status?.size === '20Gi',
    );
    const { items } = await client.list('VolumeCopy');
    expect(items.map(({ spec }) => spec.sizeBytes)).toEqual(NODES.map(() => 20 * GIB));
  });

  it('says why a snapshot cannot be taken, and lets it go', async () => {
    const { control, client } = world();
    control();
    const spec = { volume: 'nothing', volumeUid: 'c0ffee00-0000-4000-8000-000000000001' };
    await client.create('VolumeSnapshotRecord', { metadata: { name: 'snap' }, spec });
    const read = () => client.get('VolumeSnapshotRecord', 'snap');
    const told = await until('it is told of', read, ({ status }) => status?.message !== undefined);
    expect(told.status?.phase).toBe('Failed');
    expect(told.metadata.finalizers?.length).toBe(1);
    await client.delete('VolumeSnapshotRecord', 'snap');
    await until(
      'it is gone',
      async () => ({ found: await read() }),
      ({ found }) => found === undefined,
    );
  });
}

function describeTrouble(world: () => World): void {
  it('says of each node why a volume has no place, and places it when there is room', async () => {
    const { control, addVolume, untilReady, volume, agents } = world();
    control();
    await addVolume('gv0', { size: '200Gi' });
    const waiting = await until(
      'it is told',
      () => volume('gv0'),
      (seen) => (seen.status?.reasons ?? []).length > 0,
    );
    expect(waiting.status).toMatchObject({ phase: 'Pending' });
    expect(reasonOf(waiting)).toBe('NoPlaceForCopies');
    for (const node of NODES) expect(waiting.status?.reasons?.join('\n')).toContain(node);
    for (const node of NODES) await agents.resize(node, 1_000 * GIB);
    await untilReady('gv0');
  });

  it('notices a node that falls silent, gives its volumes another anchor and says that they lack a copy, until it is back', async () => {
    const { control, client, addVolume, untilReady, volume, agents } = world();
    control();
    await addVolume('gv0');
    const before = await untilReady('gv0');
    const anchor = before.status?.anchor ?? '';
    agents.silence(anchor);
    const node = () => client.get('StorageNode', anchor);
    const silent = await until(
      'the node counts as silent',
      node,
      (seen) => findCondition(seen, 'Ready')?.status !== 'True',
    );
    expect(findCondition(silent, 'Ready')).toMatchObject({ status: 'Unknown', reason: 'HeartbeatLost' });
    const moved = await until(
      'it lacks a copy',
      () => volume('gv0'),
      (seen) => reasonOf(seen, 'Redundant') === 'CopiesDown',
    );
    expect(moved.status?.phase).toBe('Degraded');
    expect(moved.status?.anchor).not.toBe(anchor);
    expect(moved.status?.epoch).toBeGreaterThan(before.status?.epoch ?? 0);
    expect(moved.status?.placement).toEqual(before.status?.placement);
    agents.speak(anchor);
    await untilReady('gv0');
  });

  it('prepares a copy elsewhere for one on a node that is drained, and keeps the old one', async () => {
    const { control, client, addVolume, untilReady, volume, agents } = world();
    control();
    await addVolume('gv0');
    const before = await untilReady('gv0');
    await client.patch('StorageNode', 'kube2', { spec: { isDraining: true } });
    await until(
      'it waits for a place',
      () => volume('gv0'),
      (seen) => findCondition(seen, 'Settled')?.status === 'False',
    );
    // A node that had no part in it so far.
    await agents.add('kube4', 100 * GIB);
    const marked = await until(
      'a copy is to replace the old one',
      () => volume('gv0'),
      (seen) => (seen.status?.placement ?? []).some(({ replaces }) => replaces !== undefined),
    );
    const old = before.status?.placement?.find(({ node }) => node === 'kube2')?.copy;
    const next = marked.status?.placement?.find(({ replaces }) => replaces === old);
    expect(next?.node).toBe('kube4');
    await until(
      'it is recorded',
      () => client.get('VolumeCopy', next?.copy ?? ''),
      () => true,
    );
    expect((await client.get('VolumeCopy', old ?? ''))?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('loses nothing that others write to the same objects meanwhile', async () => {
    const { control, client, addVolume, untilReady, agents } = world();
    control();
    const names = Array.from({ length: 5 }, (_, at) => `gv${at}`);
    await Promise.all(
      names.map(async (name) => {
        await addVolume(name);
        for (let at = 0; at < 10; at += 1)
          await client.patch('Volume', name, { metadata: { labels: { [`l${at}`]: 'x' } } });
      }),
    );
    for (const node of NODES) await agents.resize(node, 200 * GIB);
    for (const name of names) {
      const { metadata, status } = await untilReady(name);
      expect(Object.keys(metadata.labels ?? {})).toHaveLength(10);
      expect(status?.placement).toHaveLength(3);
    }
    const { items: copies } = await client.list('VolumeCopy');
    expect(copies).toHaveLength(15);
  });
}

function describeControllersThemselves(world: () => World): void {
  it('that begin anew over what is as it should be write nothing about it', async () => {
    const { server, client, control, addVolume, untilReady } = world();
    let controllers = control();
    for (const name of ['gv0', 'gv1']) {
      await addVolume(name);
      await untilReady(name);
    }
    const beats = async () => (await client.list('StorageNode')).items.map((node) => findCondition(node, 'Ready'));
    // On a machine that is busy a node may count as silent meanwhile, which is news: then it was no rest.
    for (let attempt = 1, isRest = false; !isRest; attempt += 1) {
      if (attempt > MAX_ATTEMPTS) throw new Error('the nodes never beat without a break');
      await controllers.stop();
      const before = await beats();
      const writes: string[] = [];
      controllers = control(noting(server.controllerClient, writes));
      // It comes last in the queue, so when it is made all others were looked at.
      await addVolume(`marker${attempt}`);
      await untilReady(`marker${attempt}`);
      for (const name of ['gv0', 'gv1']) await untilReady(name);
      isRest = isDeepStrictEqual(await beats(), before);
      expect(writes.length).toBeGreaterThan(0);
      if (isRest) expect(writes.filter((write) => !write.includes('marker'))).toEqual([]);
    }
  });

  it('take over when those that led are cut off, which do nothing more', async () => {
    const { server, client, addVolume, untilReady } = world();
    const cut = createFaultyClient(server.controllerClient, deps.random, NO_FAULTS);
    const writes: string[] = [];
    elect(server, noting(cut, writes), 'first');
    await addVolume('gv0');
    await untilReady('gv0');
    const lease = async () => (await client.get('Lease', LEADER_LEASE))?.spec;
    expect((await lease())?.holderIdentity).toBe('first');
    elect(server, server.controllerClient, 'second');
    cut.cut();
    await addVolume('gv1');
    await untilReady('gv1');
    const taken = await until('the second leads', lease, ({ holderIdentity }) => holderIdentity === 'second');
    const written = writes.length;
    cut.mend();
    await addVolume('gv2');
    await untilReady('gv2');
    // On a machine that is too busy to renew in time the first may lead again, and rightly write.
    if (!isDeepStrictEqual(termOf(await lease()), termOf(taken))) return;
    expect(writes.slice(written).filter((write) => !write.includes('Lease'))).toEqual([]);
  });
}

function termOf(spec: Resource<'Lease'>['spec'] | undefined): unknown {
  return [spec?.holderIdentity, spec?.leaseTransitions];
}

/** A controller that leads only while nobody else does; ended after the test. */
function elect({ isOnCluster }: ServerUnderTest, client: ResourceClient, identity: string): void {
  const log = createFakeLogger();
  const election = createLeaderElection({ ...deps, client, log }, { leaseName: LEADER_LEASE, identity });
  const ending = new AbortController();
  const lead = (signal: AbortSignal) =>
    runControllers({ ...deps, clock: slow, client, log, version: 'test', watchIdleMs: 25_000, isOnCluster }, signal);
  const ended = election.run(lead, ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await ended;
  });
}

/** Notes each write, as "patch Volume gv0"; not the events, which only tell. */
function noting(client: ResourceClient, writes: string[]): ResourceClient {
  const note = (verb: string, kind: KindName, name: string): void => {
    if (kind !== 'Event') writes.push(`${verb} ${kind} ${name}`);
  };
  return {
    ...client,
    create: (kind, object, scope) => {
      note('create', kind, object.metadata.name);
      return client.create(kind, object, scope);
    },
    replace: (kind, object, scope) => {
      note('replace', kind, object.metadata.name);
      return client.replace(kind, object, scope);
    },
    patch: (kind, name, patch, options) => {
      note('patch', kind, name);
      return client.patch(kind, name, patch, options);
    },
    delete: (kind, name, options) => {
      note('delete', kind, name);
      return client.delete(kind, name, options);
    },
  };
}
