import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { STALL_MS, writePaced } from './write-paced.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** A response and the client that reads it, or does not. */
async function connect(): Promise<{ response: ServerResponse; received: IncomingMessage }> {
  const accepted = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => {
    response.flushHeaders();
    accepted.resolve(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const received = new Promise<IncomingMessage>((resolve) => get({ port, host: '127.0.0.1' }, resolve));
  const message = await received;
  message.on('error', () => undefined); // The server cuts it off; that is the point.
  return { response: await accepted.promise, received: message };
}

/** More than sockets take on both ends. */
const LARGE = 'x'.repeat(32 * 1024 * 1024);

test('waits for a slow reader and goes on when it reads', async () => {
  const clock = createFakeClock();
  const { response, received } = await connect();
  const written = writePaced(clock, response, LARGE);
  await clock.advance(STALL_MS - 1);
  received.resume();
  expect(await written).toBe(true);
  expect(clock.timerCount()).toBe(0);
});

test('drops a reader that takes nothing', async () => {
  const clock = createFakeClock();
  const { response } = await connect();
  const written = writePaced(clock, response, LARGE);
  await clock.advance(STALL_MS);
  expect(await written).toBe(false);
  expect(response.destroyed).toBe(true);
  expect(await writePaced(clock, response, 'more')).toBe(false);
});

test('notices a reader that leaves', async () => {
  const clock = createFakeClock();
  const { response, received } = await connect();
  const written = writePaced(clock, response, LARGE);
  received.destroy();
  expect(await written).toBe(false);
  expect(clock.timerCount()).toBe(0);
});
