import { get } from 'node:http';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { type HealthCheck, serveHealth } from './serve-health.ts';

const HERE = '127.0.0.1';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HERE, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function ask(port: number, path: string): Promise<{ readonly code: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    get({ host: HERE, port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ code: response.statusCode, text }));
    }).once('error', reject);
  });
}

async function serving(checks: Readonly<Record<string, HealthCheck>>, use: (port: number) => Promise<void>) {
  const log = createFakeLogger();
  const clock = createFakeClock();
  const stop = new AbortController();
  const port = await freePort();
  const served = serveHealth({ listen: { host: HERE, port }, clock, log, checks }, stop.signal);
  await expect.poll(() => log.entries).not.toEqual([]);
  try {
    await use(port);
  } finally {
    stop.abort();
    await served;
  }
}

test('it is ready when each thing that it needs answers, and says which does not', async () => {
  let isAway = false;
  const api = async () => {
    if (isAway) throw new AppError('unavailable', 'the API server does not answer');
  };
  await serving({ api, engine: async () => undefined }, async (port) => {
    expect(await ask(port, '/readyz')).toEqual({ code: 200, text: '[+]api ok\n[+]engine ok\n' });
    isAway = true;
    const text = '[-]api: the API server does not answer\n[+]engine ok\n';
    expect(await ask(port, '/readyz?verbose')).toEqual({ code: 503, text });
    // Starting it again would not bring the API server back.
    expect(await ask(port, '/healthz')).toEqual({ code: 200, text: 'ok\n' });
    expect(await ask(port, '/other')).toMatchObject({ code: 404 });
  });
});

test('an address that is taken is named', async () => {
  await serving({}, async (port) => {
    const again = { listen: { host: HERE, port }, clock: createFakeClock(), log: createFakeLogger(), checks: {} };
    await expect(serveHealth(again, new AbortController().signal)).rejects.toMatchObject({
      kind: 'precondition',
      message: expect.stringContaining(`${HERE}:${port}`),
    });
  });
});
