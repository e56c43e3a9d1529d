import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { createStatusWriter } from './status-writer.ts';

async function setUp() {
  const client = createFakeResourceClient({ clock: createFakeClock(), random: createSeededRandom(1) });
  const volume = await client.create('Volume', {
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume' },
    metadata: { name: 'gv0' },
    spec: { size: '1Gi' },
  });
  return { client, volume, writer: createStatusWriter({ client }) };
}

describe('createStatusWriter', () => {
  it('writes what is new, with the generation it was made from', async () => {
    const { volume, writer } = await setUp();
    const after = await writer.write('Volume', volume, { phase: 'Pending', anchor: 'kube1' });
    expect(after.status).toEqual({ phase: 'Pending', anchor: 'kube1', observedGeneration: 1 });
  });

  it('does not call the server when nothing is new', async () => {
    const { client, volume, writer } = await setUp();
    const after = await writer.write('Volume', volume, { phase: 'Pending' });
    const version = client.version();
    expect(await writer.write('Volume', after, { phase: 'Pending', anchor: undefined })).toBe(after);
    expect(client.version()).toBe(version);
  });

  it('leaves the fields of others alone and removes what is undefined', async () => {
    const { volume, writer } = await setUp();
    const before = await writer.write('Volume', volume, { phase: 'Pending', anchor: 'kube1', epoch: 1 });
    const after = await writer.write('Volume', before, { anchor: undefined, epoch: 2 });
    expect(after.status).toEqual({ phase: 'Pending', epoch: 2, observedGeneration: 1 });
  });

  it('refuses to write over what changed since the object was read, unless told that it may', async () => {
    const { volume, writer } = await setUp();
    await writer.write('Volume', volume, { epoch: 1 });
    await expect(writer.write('Volume', volume, { epoch: 2 })).rejects.toMatchObject({ kind: 'conflict' });
    const forced = await writer.write('Volume', volume, { epoch: 2 }, { isCompareAndSwap: false });
    expect(forced.status?.epoch).toBe(2);
  });

  it('never writes what was meant for an object to a later one of the same name', async () => {
    const { client, volume, writer } = await setUp();
    await client.delete('Volume', 'gv0');
    await client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi' } });
    const late = writer.write('Volume', volume, { epoch: 2 }, { isCompareAndSwap: false });
    await expect(late).rejects.toMatchObject({ kind: 'conflict' });
  });

  it('refuses a kind that has no status', async () => {
    const { client, writer } = await setUp();
    const lease = await client.create('Lease', {
      ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      metadata: { name: 'a' },
      spec: {},
    });
    await expect(writer.write('Lease', lease, {})).rejects.toMatchObject({ kind: 'internal' });
  });
});
