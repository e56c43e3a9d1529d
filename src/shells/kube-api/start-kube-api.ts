/** The embedded Kubernetes API server: HTTPS with client certificates over the in-process API. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { SocketAddress } from '../../domain/socket-address.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Resources } from '../../usecases/resources/resources.ts';
import { listen } from '../listen.ts';
import type { ServerContext } from './context.ts';
import { createOpenApi } from './openapi.ts';
import { route } from './route.ts';

export interface KubeApiOptions {
  readonly resources: Resources;
  readonly clock: Clock;
  readonly log: Logger;
  /** The server's certificate and key, and the authority whose clients it knows; all PEM. */
  readonly tls: { readonly certificatePem: string; readonly keyPem: string; readonly authorityPem: string };
  /** At least one. */
  readonly listen: readonly SocketAddress[];
  /** Version of the program, shown by `kubectl version`. */
  readonly version: string;
  /** Milliseconds between the bookmarks of a watch; clients can take a longer silence for a dead connection. Default 10 s. */
  readonly bookmarkMs?: number;
}

export interface KubeApi {
  /** Where it listens, with the ports that were taken. */
  readonly addresses: readonly SocketAddress[];
  /** Stops listening, ends watches, lets requests under way finish (5 s at most). Safe to repeat. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than clients keep an idle connection (Go: 90 s), so that they and not we close it. */
const KEEP_ALIVE_MS = 120_000;
const TCP_KEEP_ALIVE_MS = 15_000;
const CLOSE_GRACE_MS = 5_000;

/**
 * Starts the server on every address, or on none.
 *
 * @throws {AppError} precondition, when an address is in use, not of this machine or not permitted; the message names it
 */
export async function startKubeApi(options: KubeApiOptions): Promise<KubeApi> {
  const { resources, clock, log, version, bookmarkMs = 10_000 } = options;
  const context: ServerContext = {
    resources,
    clock,
    log,
    version,
    bookmarkMs,
    watches: new Set(),
    closing: new AbortController(),
    openApi: createOpenApi(version),
  };
  await resources.ensureNamespaces();
  const servers: Server[] = [];
  try {
    const addresses: SocketAddress[] = [];
    for (const address of options.listen) {
      const server = makeServer(context, options.tls);
      addresses.push(await listen(server, address, log));
      servers.push(server);
    }
    let closing: Promise<void> | undefined;
    return { addresses, close: () => (closing ??= close(context, servers)) };
  } catch (error) {
    await close(context, servers);
    throw error;
  }
}

function makeServer(context: ServerContext, tls: KubeApiOptions['tls']): Server {
  const server = createServer(
    {
      cert: tls.certificatePem,
      key: tls.keyPem,
      ca: tls.authorityPem,
      requestCert: true,
      // Refused with a Status that says why (401), not by a broken handshake; health needs no certificate.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    },
    (request, response) => void serve(context, request, response),
  );
  server.on('tlsClientError', (error) => context.log.debug('a TLS handshake failed', { err: error }));
  return server;
}

async function serve(context: ServerContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A client that leaves in the middle is no failure; the handlers see `destroyed`.
  response.on('error', (error) => context.log.debug('a response was cut off', { err: error }));
  response.on('close', () => {
    // A connection that becomes idle while the server closes would keep it open.
    if (context.closing.signal.aborted) request.socket.end();
  });
  const [path = '/', search = ''] = (request.url ?? '/').split('?', 2);
  await route(context, { request, response, path, query: new URLSearchParams(search) });
}

async function close(context: ServerContext, servers: readonly Server[]): Promise<void> {
  const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  context.closing.abort();
  for (const watch of context.watches) watch.abort();
  for (const server of servers) server.closeIdleConnections();
  const stop = new AbortController();
  const grace = context.clock.sleep(CLOSE_GRACE_MS, stop.signal).then(
    () => {
      for (const server of servers) server.closeAllConnections();
    },
    // Aborted: everything was closed in time.
    () => undefined,
  );
  await Promise.race([closed, grace.then(() => closed)]);
  stop.abort();
}
