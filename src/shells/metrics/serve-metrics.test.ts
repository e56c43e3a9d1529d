import { expect, test } from 'vitest';
import { formatSocketAddress, type SocketAddress } from '../../domain/socket-address.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createFakeMetrics } from '../../ports/metrics.fake.ts';
import { serveMetrics } from './serve-metrics.ts';

async function serving(
  metrics: ReturnType<typeof createFakeMetrics>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const listening = Promise.withResolvers<SocketAddress>();
  const onListening = listening.resolve;
  const served = serveMetrics(
    { listen: { host: '127.0.0.1', port: 0 }, metrics, log: createFakeLogger(), onListening },
    stop.signal,
  );
  const address = await Promise.race([listening.promise, served.then(() => listening.promise)]);
  try {
    await use(`http://${formatSocketAddress(address)}`);
  } finally {
    stop.abort();
    await served;
  }
}

test('it tells what the sources say, to whoever gets /metrics and nothing else', async () => {
  const metrics = createFakeMetrics();
  metrics.addSource(() => [{ name: 'holdfast_leader', labels: {}, value: 1 }]);
  await serving(metrics, async (url) => {
    const told = await fetch(`${url}/metrics?x=1`);
    expect([told.status, told.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(await told.text()).toBe('holdfast_leader{} 1\n');
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  });
});

test('a failure is told without what it is about', async () => {
  const metrics = { ...createFakeMetrics(), render: () => Promise.reject(new Error('a secret path')) };
  await serving(metrics, async (url) => {
    const told = await fetch(`${url}/metrics`);
    expect([told.status, await told.text()]).toEqual([500, 'internal error\n']);
  });
});

test('an address that is taken is named', async () => {
  const metrics = createFakeMetrics();
  await serving(metrics, async (url) => {
    const port = Number(new URL(url).port);
    const second = serveMetrics(
      { listen: { host: '127.0.0.1', port }, metrics, log: createFakeLogger() },
      AbortSignal.timeout(10_000),
    );
    await expect(second).rejects.toThrow(`127.0.0.1:${port} is in use`);
  });
});
