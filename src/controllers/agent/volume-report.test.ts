import { expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import type { VolumeEngineStatus } from '../../schemas/volume.ts';
import type { AgentDeps } from './agent-deps.ts';
import { createVolumeReport, describeVolume } from './volume-report.ts';

const signal = new AbortController().signal;
const seen = (isOnline: boolean): VolumeEngineStatus => ({
  observedBy: 'kube1',
  epoch: 0,
  state: 'Started',
  bricks: [{ copy: 'gv0-0', node: 'kube1', isOnline, isReadable: isOnline }],
});

async function setUp() {
  const client = createFakeResourceClient({ clock: createFakeClock(), random: createSeededRandom(1) });
  await client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi' } });
  const volume = await client.patch('Volume', 'gv0', { status: { engine: seen(true) } }, { subresource: 'status' });
  // Only these two are used by a report.
  const deps = { client, node: 'kube1' } as unknown as AgentDeps;
  const stored = async () => (await client.get('Volume', 'gv0'))?.status?.engine;
  return { client, deps, stored, report: createVolumeReport(deps, volume, signal) };
}

it('keeps what was seen when a step fails afterwards', async () => {
  const { report, stored } = await setUp();
  await report.write(seen(false));
  await report.addMessage('Quorum not met');
  expect(await stored()).toEqual({ ...seen(false), message: 'Quorum not met' });
});

it('can take back within one pass what it said first, although the cache still holds that', async () => {
  const { report, stored } = await setUp();
  await report.write(seen(false));
  await report.write(seen(true));
  expect(await stored()).toEqual(seen(true));
});

it('writes nothing when nothing is new', async () => {
  const { client, report } = await setUp();
  const before = client.version();
  await report.write(seen(true));
  expect(client.version()).toBe(before);
});

it('remembers what the engine called a volume that it holds no more', async () => {
  const { client, deps } = await setUp();
  const engine = { ...seen(true), engineId: 'e1' };
  const volume = await client.patch('Volume', 'gv0', { status: { engine } }, { subresource: 'status' });
  const observed = { subject: 'volume', isPresent: false, isStarted: false, bricks: [], options: {} } as const;
  const described = describeVolume(deps, { volume, placement: [], observed, since: {} });
  expect(described).toMatchObject({ state: 'Absent', engineId: 'e1' });
});
