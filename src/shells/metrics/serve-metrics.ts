/** What Prometheus asks of a role: GET /metrics, by plain HTTP on a port of its own. */
import { createServer, type ServerResponse } from 'node:http';
import { formatSocketAddress, type SocketAddress } from '../../domain/socket-address.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { listen } from '../listen.ts';

export interface ServeMetricsOptions {
  readonly listen: SocketAddress;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Told where it listens, with the port that was taken. */
  readonly onListening?: (address: SocketAddress) => void;
}

const REQUEST_MS = 5_000;
/** Of connections: a scraper keeps one, and nobody else has business here. */
const MAX_CONNECTIONS = 32;
/** The text format; its version is the format's. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Serves until the signal aborts. Whoever reaches the port may read: names of nodes, pools and volumes, their sizes and how
 * they are; nothing of what is in volumes, and no key.
 *
 * @throws {AppError} precondition, when it cannot listen there
 */
export async function serveMetrics(options: ServeMetricsOptions, signal: AbortSignal): Promise<void> {
  const { log } = options;
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    response.on('error', () => undefined); // whoever asked has gone
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path !== '/metrics') return send(response, 404, 'there is /metrics\n');
    if (request.method !== 'GET') return send(response, 405, 'ask with GET\n');
    void answer(options, response);
  });
  server.maxConnections = MAX_CONNECTIONS;
  const address = await listen(server, options.listen, log);
  options.onListening?.(address);
  log.info('metrics are served', { address: formatSocketAddress(address) });
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  server.close();
  server.closeAllConnections();
}

async function answer({ metrics, log }: ServeMetricsOptions, response: ServerResponse): Promise<void> {
  try {
    send(response, 200, await metrics.render());
  } catch (error) {
    log.error('metrics could not be told', { err: error });
    send(response, 500, 'internal error\n');
  }
}

function send(response: ServerResponse, code: number, text: string): void {
  const type = code === 200 ? CONTENT_TYPE : 'text/plain; charset=utf-8';
  response.writeHead(code, { 'content-type': type }).end(text);
}
