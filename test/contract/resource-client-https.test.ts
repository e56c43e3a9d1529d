/** The HTTPS client against the embedded API server: the contract, and what only a network and TLS can do to it. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSecretKeys } from '../../src/adapters/kube/volume-keys.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { loadOrCreateAuthority } from '../../src/adapters/tls/authority-files.ts';
import { type Change, createInformer } from '../../src/controllers/runtime/informer.ts';
import { keySecret, keySecretName } from '../../src/domain/volume/volume-key.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { type HttpsApi, serveHttpsApi } from './https-api.ts';
import { describeResourceClient, outrunHistory } from './resource-client.contract.ts';

const CHANGE_WINDOW = 50;
const volume = (name: string) => ({ metadata: { name }, spec: { size: '1Gi' } });

describeResourceClient('HTTPS to the embedded API server', async () => {
  const api = await serveHttpsApi(CHANGE_WINDOW);
  const client = await api.client('admin', 'holdfast:admins');
  return {
    client,
    forgetHistory: () => outrunHistory(client, CHANGE_WINDOW),
    bookmark: async () => api.bookmark(),
    stop: () => api.stop(),
  };
});

describe('HTTPS client', () => {
  let api: HttpsApi;
  beforeEach(async () => {
    api = await serveHttpsApi();
  });
  afterEach(() => api.stop());

  it('does not speak to a server that another authority vouches for', async () => {
    const other = await loadOrCreateAuthority({ clock: createSystemClock() }, join(api.folder, 'other'));
    const client = await api.client('admin', 'holdfast:admins', other);
    await expect(client.list('Volume')).rejects.toMatchObject({
      ...{ kind: 'denied', reason: 'ServerNotTrusted' },
      message: expect.stringContaining(`https://127.0.0.1:${api.port}`) as string,
    });
  });

  it('says what an agent may not do', async () => {
    const agent = await api.client('holdfast:node:kube1', 'holdfast:nodes');
    await expect(agent.create('Volume', volume('gv0'))).rejects.toMatchObject({
      ...{ kind: 'denied', reason: 'Forbidden' },
      message: expect.stringContaining('holdfast:node:kube1') as string,
    });
    const stranger = await api.client('someone', 'strangers');
    const watch = stranger.watch('Volume', { resourceVersion: '1' })[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ kind: 'denied' });
  });

  it('gives an agent the keys of volumes with a copy on its node, and no others', async () => {
    const controller = await api.client('controller', 'holdfast:controllers');
    const owner = { kind: 'volume', name: 'safe', uid: 'c0ffee00-0000-4000-8000-000000000001' } as const;
    const key = 'k'.repeat(64);
    await controller.create('Secret', keySecret(owner, key, ['kube1', 'kube2']));
    const name = keySecretName(owner.uid);
    const near = await api.client('holdfast:node:kube1', 'holdfast:nodes');
    const far = await api.client('holdfast:node:kube3', 'holdfast:nodes');
    const { signal } = new AbortController();
    expect(await createSecretKeys({ client: near }).read(name, signal)).toBe(key);
    const refused = createSecretKeys({ client: far }).read(name, signal);
    await expect(refused).rejects.toMatchObject({ kind: 'denied', reason: 'Forbidden' });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining(btoa(key)) as string });
    await expect(createSecretKeys({ client: near }).read('volume-key-x', signal)).rejects.toMatchObject({
      ...{ kind: 'precondition', reason: 'KeyMissing' },
      message: expect.stringContaining('volume-key-x') as string,
    });
    await expect(near.list('Secret')).rejects.toMatchObject({ kind: 'denied' });
    const watch = near.watch('Secret', { resourceVersion: '1' })[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ kind: 'denied' });
    const other = { data: { key: btoa('x'.repeat(64)) } };
    await expect(controller.patch('Secret', name, other)).rejects.toMatchObject({ kind: 'invalid' });
    await controller.delete('Secret', name);
    expect(await createSecretKeys({ client: near }).read(name, signal)).toBe(key);
  });

  it('says that nobody answers, and works again when the server is back', async () => {
    const client = await api.client('admin', 'holdfast:admins');
    await client.create('Volume', volume('gv0'));
    await api.down();
    await expect(client.list('Volume')).rejects.toMatchObject({ kind: 'unavailable' });
    await api.up();
    expect((await client.list('Volume')).items).toHaveLength(1);
  });

  it('feeds an informer that is right again after the server was away', async () => {
    const client = await api.client('holdfast:node:kube1', 'holdfast:nodes');
    const admin = await api.client('admin', 'holdfast:admins');
    const seen: string[] = [];
    const waiting = new Map<string, () => void>();
    const until = (event: string) =>
      seen.includes(event) ? undefined : new Promise<void>((resolve) => waiting.set(event, resolve));
    const deps = { client, clock: createSystemClock(), random: createSystemRandom(), log: createFakeLogger() };
    const informer = createInformer(deps, { kind: 'Volume', backoff: { baseMs: 5, maxMs: 50 } });
    informer.onChange((change: Change<'Volume'>) => {
      const event = `${change.type} ${(change.type === 'deleted' ? change.before : change.after).metadata.name}`;
      seen.push(event);
      waiting.get(event)?.();
    });
    const stop = new AbortController();
    const ended = informer.run(stop.signal);
    await admin.create('Volume', volume('gv0'));
    await until('added gv0');
    await api.down();
    await api.up();
    // A read first: a write may meet the old connection, and is never repeated by the client.
    await admin.list('Volume');
    await admin.delete('Volume', 'gv0');
    await admin.create('Volume', volume('gv1'));
    await until('added gv1');
    expect(seen).toEqual(['added gv0', 'deleted gv0', 'added gv1']);
    stop.abort();
    await ended;
  });
});
