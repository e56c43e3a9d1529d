import { describe, expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { decideRecycle, RECYCLING_ANNOTATION } from '../../domain/volume/decide-recycle.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { createFakeCluster } from '../../usecases/cluster.fake.ts';
import { addStaticVolume } from '../../usecases/volumes/add-static-volume.ts';
import { createInformers } from '../deps.ts';
import { createStatusWriter } from '../runtime/status-writer.ts';
import { recycleVolumes } from './recycle-volumes.ts';

const CLAIM = { namespace: 'shop', name: 'cart', uid: 'claim-1' };

/** A volume whose PersistentVolume was released by its claim. */
async function createWorld() {
  const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
  const { client, clock } = cluster;
  const registration = { storageClass: 'kismatic', accessModes: ['ReadWriteMany'], reclaimPolicy: 'Recycle' } as const;
  await addStaticVolume(cluster, { name: 'gv0', size: '1Gi', registration });
  await cluster.makeReady('gv0');
  await addStaticVolume(cluster, { name: 'gv0', size: '1Gi', registration });
  const annotations = { 'pv.kubernetes.io/bound-by-controller': 'yes' };
  await client.patch('PersistentVolume', 'gv0', { metadata: { annotations }, spec: { claimRef: CLAIM } });
  const setPhase = (phase: string) =>
    client.patch('PersistentVolume', 'gv0', { status: { phase } }, { subresource: 'status' });
  await setPhase('Failed');
  const old = (await client.get('Volume', 'gv0'))?.metadata.uid ?? '';
  const told: string[] = [];
  const note = (_subject: object, reason: string, message: string) => void told.push(`${reason}: ${message}`);

  /** What the loop for volumes and the agents do. */
  const settleVolume = async (): Promise<void> => {
    const volume = await client.get('Volume', 'gv0');
    if (volume?.metadata.deletionTimestamp !== undefined) {
      await client.patch('Volume', 'gv0', { metadata: { finalizers: [] } });
    } else if (volume !== undefined && volume.status?.phase !== 'Ready') await cluster.makeReady('gv0');
  };

  /** Runs for so long, over a client that may fail. */
  const run = async (forMs: number, through: ResourceClient = client): Promise<void> => {
    const stop = new AbortController();
    const common = { client: through, clock, random: createSeededRandom(1), log: createFakeLogger() };
    const informers = createInformers(common, 60_000);
    const events = { normal: note, warning: note };
    const deps = { ...common, informers, events, statusWriter: createStatusWriter(common) };
    const running = Promise.all([informers.Volume.run(stop.signal), recycleVolumes(deps, stop.signal)]);
    for (let at = 0; at < forMs; at += 5_000) {
      await clock.advance(5_000);
      await settleVolume();
    }
    stop.abort();
    await clock.settle();
    await running;
  };
  const outcome = async () => {
    const [pv, volume] = [await client.get('PersistentVolume', 'gv0'), await client.get('Volume', 'gv0')];
    return {
      isOffered: pv?.spec.claimRef === undefined,
      isNew: volume !== undefined && volume.metadata.uid !== old,
      isRegistered: pv?.metadata.annotations?.['holdfast.dev/volume-uid'] === volume?.metadata.uid,
      isNoted: pv?.metadata.annotations?.[RECYCLING_ANNOTATION] !== undefined,
    };
  };
  return { ...cluster, run, outcome, setPhase, told };
}

const RECYCLED = { isOffered: true, isNew: true, isRegistered: true, isNoted: false };
const UNTOUCHED = { isOffered: false, isNew: false, isRegistered: true, isNoted: false };

/** A client whose writes from the nth on never arrive; that one is lost, or only its answer is. */
function dyingAt(client: ResourceClient, nth: number, isDone: boolean): ResourceClient {
  let writes = 0;
  const dying =
    <A extends readonly unknown[], R>(verb: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      writes += 1;
      if (writes < nth) return verb(...args);
      if (writes === nth && isDone) await verb(...args);
      throw new AppError('unavailable', 'no answer');
    };
  return {
    ...client,
    create: dying(client.create),
    patch: dying(client.patch),
    delete: dying(client.delete),
  };
}

describe('a released PersistentVolume of policy Recycle', () => {
  test('is offered again with a volume made anew', async () => {
    const world = await createWorld();
    await world.run(60_000);
    expect(await world.outcome()).toEqual(RECYCLED);
    expect(world.told.map((line) => line.split(':')[0])).toEqual(['RecycleStarted', 'Recycled']);
    const { spec, metadata } = (await world.client.get('Volume', 'gv0')) ?? {};
    expect(spec).toMatchObject({ size: '1Gi', layout: 'replicated', replicas: 3 });
    expect(metadata?.annotations).toHaveProperty('holdfast.dev/static-volume');
  });

  test.each([1, 2, 3, 4].flatMap((nth) => [false, true].map((isDone) => ({ nth, isDone }))))(
    'is recycled whole by the next controller after one that died at write $nth (done: $isDone)',
    async ({ nth, isDone }) => {
      const world = await createWorld();
      await world.run(30_000, dyingAt(world.client, nth, isDone));
      const between = await world.outcome();
      // Never offered with what the last claim had.
      expect(between.isOffered && !between.isNew).toBe(false);
      await world.run(60_000);
      expect(await world.outcome()).toEqual(RECYCLED);
    },
  );

  test('is left alone while its claim is there, or its volume is mounted', async () => {
    const world = await createWorld();
    const scope = { namespace: CLAIM.namespace };
    const claim = await world.client.create(
      'PersistentVolumeClaim',
      { metadata: { name: CLAIM.name, ...scope }, spec: {} },
      scope,
    );
    await world.client.patch('PersistentVolume', 'gv0', { spec: { claimRef: { uid: claim.metadata.uid } } });
    await world.run(30_000);
    expect(await world.outcome()).toEqual(UNTOUCHED);
    await world.client.delete('PersistentVolumeClaim', CLAIM.name, scope);
    const mount = { volume: 'gv0', node: 'kube1', mountPath: '/mnt/a' };
    await world.client.create('VolumeAttachmentRecord', { metadata: { name: 'gv0-kube1' }, spec: mount });
    await world.run(30_000);
    expect(await world.outcome()).toEqual(UNTOUCHED);
    await world.client.delete('VolumeAttachmentRecord', 'gv0-kube1');
    await world.run(60_000);
    expect(await world.outcome()).toEqual(RECYCLED);
  });

  test.each<[what: string, change: (world: Awaited<ReturnType<typeof createWorld>>) => Promise<unknown>]>([
    ['is Bound', ({ setPhase }) => setPhase('Bound')],
    [
      'says Retain by now',
      ({ client }) => client.patch('PersistentVolume', 'gv0', { spec: { persistentVolumeReclaimPolicy: 'Retain' } }),
    ],
    [
      'was registered for another volume',
      ({ client }) =>
        client.patch('PersistentVolume', 'gv0', { metadata: { annotations: { 'holdfast.dev/volume-uid': 'other' } } }),
    ],
  ])('is left alone where it %s', async (_what, change) => {
    const world = await createWorld();
    await change(world);
    await world.run(60_000);
    expect(await world.outcome()).toMatchObject({ isOffered: false, isNew: false, isNoted: false });
    expect(world.told.length).toBeLessThanOrEqual(1);
  });

  test("is not offered with somebody else's volume that got the name meanwhile", async () => {
    const world = await createWorld();
    await world.run(10_000, dyingAt(world.client, 3, false));
    await world.client.delete('Volume', 'gv0');
    const spec = { size: '1Gi', layout: 'replicated', replicas: 3 };
    await world.client.create('Volume', { metadata: { name: 'gv0' }, spec });
    await world.run(60_000);
    expect(await world.outcome()).toMatchObject({ isOffered: false, isNew: true, isRegistered: false });
    expect(world.told.at(-1)).toMatch(/^RecycleRefused: .*somebody else/);
  });
});

test.each([
  ['adopted', { adopted: { bricks: [] } }],
  ['on a file server', { share: { server: 'nas', path: '/a' } }],
  ['a clone', { source: { snapshot: 's', snapshotUid: 'u' } }],
  ['encrypted with a given key', { keyIsGiven: true }],
])('what is %s is never made anew', async (_what, more) => {
  const world = await createWorld();
  const [persistentVolume, volume] = [
    await world.client.get('PersistentVolume', 'gv0'),
    await world.client.get('Volume', 'gv0'),
  ];
  if (persistentVolume === undefined || volume === undefined) throw new Error('the world is not whole');
  const seen = { persistentVolume, isClaimGone: true, isInUse: false };
  expect(decideRecycle({ ...seen, volume })).toMatchObject({ step: 'note' });
  const changed = { ...volume, spec: { ...volume.spec, ...more } } as typeof volume;
  expect(decideRecycle({ ...seen, volume: changed })).toMatchObject({ step: 'refuse' });
});
