import { describe, expect, onTestFinished, test } from 'vitest';
import type { EventSubject } from '../../ports/events.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeCluster } from '../../usecases/cluster.fake.ts';
import { createInformers } from '../deps.ts';
import { createStatusWriter } from '../runtime/status-writer.ts';
import { explainClaims } from './explain-claims.ts';

const scope = { namespace: 'shop' };

/** A claim of 20Gi in a cluster whose pools have 9 GiB free. */
async function createWorld() {
  const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
  const { client, clock } = cluster;
  await client.create('StorageClass', {
    ...{ metadata: { name: 'shared' }, provisioner: 'csi.holdfast.dev', volumeBindingMode: 'WaitForFirstConsumer' },
  });
  const claim = await client.create(
    'PersistentVolumeClaim',
    {
      metadata: { name: 'cart', ...scope },
      spec: {
        ...{ storageClassName: 'shared', accessModes: ['ReadWriteMany'] },
        resources: { requests: { storage: '20Gi' } },
      },
    },
    scope,
  );
  const told: string[] = [];
  const note = (type: string) => (subject: EventSubject, reason: string, message: string) =>
    void told.push(`${type} ${subject.kind} ${subject.metadata.name} ${reason}: ${message}`);
  const random = createSeededRandom(1);
  const common = { client, clock, random, log: createFakeLogger() };
  const informers = createInformers(common, 60_000);
  const stop = new AbortController();
  const signal = stop.signal;
  const deps = {
    ...{ ...common, informers, statusWriter: createStatusWriter(common) },
    events: { normal: note('Normal'), warning: note('Warning') },
  };
  const running = Promise.all([
    ...Object.values(informers).map((informer) => informer.run(signal)),
    explainClaims(deps, signal),
  ]);
  onTestFinished(async () => {
    stop.abort();
    await clock.settle();
    await running;
  });
  await clock.advance(6_000);
  return {
    ...cluster,
    claim,
    told: () => told.splice(0),
    addPod: async (name: string) => {
      const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'cart' } }];
      await client.create('Pod', { metadata: { name, ...scope }, spec: { volumes } }, scope);
      await client.patch('Pod', name, { status: { phase: 'Pending' } }, { ...scope, subresource: 'status' });
    },
    setFree: async (freeBytes: number) => {
      const pools = [{ name: 'default', path: '/mnt/glusterVolume0', isReady: true, capacityBytes: 1e12, freeBytes }];
      for (const name of ['kube1', 'kube2', 'kube3']) {
        await client.patch('StorageNode', name, { status: { pools } }, { subresource: 'status' });
      }
    },
  };
}

describe('a claim that cannot be placed', () => {
  test('has one event with the reason, its pods have one each, and there is no other while nothing changes', async () => {
    const world = await createWorld();
    const [first, ...others] = world.told();
    expect(first).toMatch(/^Warning PersistentVolumeClaim cart NoPlaceForVolume: .*kube1/);
    expect(others).toEqual([]);
    await world.addPod('web-0');
    await world.clock.advance(1_000);
    expect(world.told()).toEqual([expect.stringMatching(/^Warning Pod web-0 NoPlaceForVolume: claim cart: .*kube1/)]);
    await world.clock.advance(10 * 60_000);
    expect(world.told()).toEqual([]);
  });

  test('is told of again with other numbers only after five minutes', async () => {
    const world = await createWorld();
    world.told();
    await world.setFree(2 ** 30);
    await world.clock.advance(60_000);
    expect(world.told()).toEqual([]);
    await world.clock.advance(5 * 60_000);
    expect(world.told()).toEqual([expect.stringContaining('1 GiB free')]);
  });

  test('is told of at once when it is in trouble again, and never when it is gone or bound', async () => {
    const world = await createWorld();
    world.told();
    await world.setFree(9e11);
    await world.clock.advance(20_000);
    expect(world.told()).toEqual([]);
    await world.setFree(2 ** 30);
    await world.clock.advance(20_000);
    expect(world.told()).toHaveLength(1);
    const bound = { status: { phase: 'Bound' } };
    await world.client.patch('PersistentVolumeClaim', 'cart', bound, { ...scope, subresource: 'status' });
    await world.clock.advance(10 * 60_000);
    expect(world.told()).toEqual([]);
  });
});
