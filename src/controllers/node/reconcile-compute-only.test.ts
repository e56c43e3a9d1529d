import { expect, test } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { createInformers } from '../deps.ts';
import { createStatusWriter } from '../runtime/status-writer.ts';
import { createComputeOnlyLoop, createNodeInformer } from './reconcile-compute-only.ts';

test('the label of a Kubernetes node keeps copies away from the StorageNode of its name, until it is taken off', async () => {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const client = createFakeResourceClient({ clock, random });
  const base = { client, clock, random, log: createFakeLogger() };
  const informers = createInformers(base, 60_000);
  const told: string[] = [];
  const tell = (_of: unknown, reason: string) => {
    told.push(reason);
  };
  const deps = { ...base, informers, statusWriter: createStatusWriter(base), events: { normal: tell, warning: tell } };
  const nodes = createNodeInformer(base, 60_000);
  const stop = new AbortController();
  const loop = createComputeOnlyLoop(deps, nodes);
  const running = [informers.StorageNode, nodes, loop].map((each) => each.run(stop.signal));
  const seen = async () => (await client.get('StorageNode', 'kube1'))?.status?.isComputeOnly;

  await client.create('StorageNode', { metadata: { name: 'kube1' }, spec: { addresses: { ip: '10.0.0.1' } } });
  await clock.settle();
  expect(await seen()).toBeUndefined();
  await client.create('Node', { metadata: { name: 'kube1', labels: { 'storageos.com/computeonly': 'true' } } });
  await clock.settle();
  expect(await seen()).toBe(true);
  const version = client.version();
  await client.patch('Node', 'kube1', { metadata: { labels: { other: 'x' } } });
  await clock.settle();
  expect(client.version()).toBe(version + 1);
  await client.patch('Node', 'kube1', { metadata: { labels: { 'storageos.com/computeonly': null } } });
  await clock.settle();
  expect(await seen()).toBeUndefined();
  await client.patch('Node', 'kube1', { metadata: { labels: { 'holdfast.dev/compute-only': 'true' } } });
  await clock.settle();
  expect(await seen()).toBe(true);
  await client.delete('Node', 'kube1');
  await clock.settle();
  expect(await seen()).toBeUndefined();
  expect(told).toEqual(['ComputeOnly', 'NotComputeOnly', 'ComputeOnly', 'NotComputeOnly']);
  stop.abort();
  await Promise.all(running);
});
