/** What kubelet asks of a role: /healthz, that the process answers; /readyz, that what it needs answers too. */
import { createServer, type ServerResponse } from 'node:http';
import { AppError, messageOf } from '../../domain/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../../domain/socket-address.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';

/** Resolves when it is well. @throws {AppError} with what is wrong */
export type HealthCheck = (signal: AbortSignal) => Promise<void>;

export interface HealthOptions {
  readonly listen: SocketAddress;
  readonly clock: Clock;
  readonly log: Logger;
  /** By the name that /readyz shows. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
}

/** Kubelet gives up after the timeout of its probe, which manifests set to more than this. */
const CHECK_MS = 4_000;
const REQUEST_MS = 5_000;

/**
 * Serves until the signal aborts.
 *
 * @throws {AppError} precondition, when the address cannot be listened on
 */
export async function serveHealth(options: HealthOptions, signal: AbortSignal): Promise<void> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    response.on('error', () => undefined); // whoever asked has gone
    void answer(options, request.url ?? '/', response, signal);
  });
  const { host, port } = options.listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(notListening(options.listen, cause)));
    server.listen({ host, port, exclusive: true }, resolve);
  });
  options.log.info('health is served', { address: formatSocketAddress(options.listen) });
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  server.close();
  server.closeAllConnections();
}

async function answer(options: HealthOptions, url: string, response: ServerResponse, ending: AbortSignal) {
  const path = url.split('?', 1)[0];
  if (path === '/healthz') return send(response, 200, 'ok\n');
  if (path !== '/readyz') return send(response, 404, 'there are /healthz and /readyz\n');
  const lines = await Promise.all(
    Object.entries(options.checks).map(async ([name, check]) => {
      const fault = await findFault(options.clock, check, ending);
      return { isWell: fault === undefined, text: fault === undefined ? `[+]${name} ok` : `[-]${name}: ${fault}` };
    }),
  );
  send(response, lines.every(({ isWell }) => isWell) ? 200 : 503, lines.map(({ text }) => `${text}\n`).join(''));
}

/** @returns what is wrong; a check that does not answer in time is wrong as well */
async function findFault(clock: Clock, check: HealthCheck, ending: AbortSignal): Promise<string | undefined> {
  const late = new AbortController();
  const done = new AbortController();
  const deadline = clock.sleep(CHECK_MS, AbortSignal.any([done.signal, ending])).then(
    () => {
      late.abort();
      return `no answer within ${CHECK_MS / 1000} s`;
    },
    () => undefined, // the check was faster
  );
  const result = check(AbortSignal.any([late.signal, ending])).then(() => undefined, messageOf);
  const fault = await Promise.race([result, deadline]);
  done.abort();
  return fault;
}

function send(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}

function notListening(address: SocketAddress, cause: Error): AppError {
  return new AppError('precondition', `health cannot be served on ${formatSocketAddress(address)}: ${cause.message}`, {
    reason: 'ListenFailed',
    hint: 'choose another address with --health-listen',
    cause,
  });
}
