import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { createServingAuthority } from '../../src/adapters/tls/serving-authority.ts';
import { keepCertificate } from '../../src/controllers/locality/keep-certificate.ts';
import { CERTIFICATE_SECRET } from '../../src/domain/locality/serving-certificate.ts';
import { createFakeClock } from '../../src/ports/clock.fake.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { createFakeResourceClient } from '../../src/ports/resource-client.fake.ts';
import { serveHttpsApi } from './https-api.ts';
import { describeSchedulingCertificate } from './scheduling-certificate.contract.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

describeSchedulingCertificate('on the API server of unit tests', async () => ({
  client: createFakeResourceClient({ clock: createSystemClock(), random: createSystemRandom() }),
  hasWebhooks: true,
  stop: async () => undefined,
}));

describeSchedulingCertificate('on the embedded API server', async () => {
  const api = await serveHttpsApi();
  const client = await api.client('controller', 'holdfast:controllers');
  return { client, hasWebhooks: false, stop: () => api.stop() };
});

test('one controller renews it again and again, without a restart and not before it has to', async () => {
  const clock = createFakeClock();
  const random = createSystemRandom();
  const client = createFakeResourceClient({ clock, random });
  const stopping = new AbortController();
  const running = keepCertificate(
    { ...{ clock, client, random, log: createFakeLogger() }, authority: createServingAuthority(clock) },
    { idleMs: 365 * DAY_MS, hasWebhook: false },
    stopping.signal,
  );
  const look = async (): Promise<string> => {
    await clock.settle();
    const text = (await client.get('Secret', CERTIFICATE_SECRET))?.data?.['tls.crt'];
    return text === undefined ? '' : Buffer.from(text, 'base64').toString();
  };
  // Keys are made by threads that no clock moves.
  const patience = { timeout: 10_000, interval: 5 };
  await expect.poll(look, patience).not.toBe('');
  let seen = await look();
  for (let renewal = 0; renewal < 3; renewal += 1) {
    clock.setWallClock(clock.now() + 59 * DAY_MS);
    await clock.advance(DAY_MS / 2);
    expect(await look()).toBe(seen);
    await clock.advance(DAY_MS / 2);
    await expect.poll(look, patience).not.toBe(seen);
    seen = await look();
    expect(new X509Certificate(seen).validToDate.getTime() - clock.now()).toBeGreaterThan(89 * DAY_MS);
  }
  stopping.abort();
  await running;
});
