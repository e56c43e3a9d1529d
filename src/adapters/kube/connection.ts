/** HTTP(S) to one API server: kept-alive connections, a deadline on each call, streams that notice a dead peer. */
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { AppError } from '../../domain/errors.ts';
import type { Millis } from '../../ports/clock.ts';
import { errorOfNetwork, errorOfStatus, readStatus } from './api-errors.ts';
import type { ApiEndpoint } from './kubeconfig.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, from the slash on. */
  readonly path: string;
  /** For messages: "patch of volumes gv0". */
  readonly what: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Connection {
  /** The answer's JSON. @throws {AppError} by {@link errorOfStatus} and {@link errorOfNetwork}; timeout; cancelled */
  call(call: Call): Promise<unknown>;
  /** The answer's bytes as they come; only its beginning has a deadline. @throws {AppError} as `call` does */
  stream(call: Call): AsyncGenerator<Buffer>;
  /** Closes idle connections; for the end of a program. */
  close(): void;
}

export interface ConnectionOptions {
  /** Longest time for a call, and for the beginning of a stream. */
  readonly deadlineMs: Millis;
  /** Largest answer. */
  readonly maxBytes: number;
  /** For the server's logs and the field managers it keeps: "holdfast-node/0.1.0". */
  readonly userAgent: string;
}

/** TCP asks a silent peer after this time; with Linux's defaults a dead one is given up some minutes later. */
const TCP_KEEPALIVE_MS = 15_000;
/** Calls on the way at once; more wait here instead of flooding a server that is in trouble. */
const MAX_SOCKETS = 32;

/** Opens nothing yet; connections are made as calls need them. */
export function createConnection(endpoint: ApiEndpoint, options: ConnectionOptions): Connection {
  const isTls = endpoint.server.startsWith('https:');
  const { Agent, request } = isTls ? https : http;
  const trust = isTls ? tlsOptions(endpoint) : {};
  const calls = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, ...trust });
  // A watch holds its connection for minutes: it must not take one of those that calls wait for.
  const streams = new Agent({ keepAlive: false, ...trust });

  const send = async (call: Call, agent: http.Agent, cancel: AbortSignal): Promise<IncomingMessage> => {
    const url = new URL(endpoint.server + call.path);
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const requestOptions: RequestOptions = {
      ...{ method: call.method, agent, signal: cancel },
      headers: {
        accept: 'application/json',
        'user-agent': options.userAgent,
        ...(body === undefined
          ? {}
          : { 'content-type': call.contentType ?? 'application/json', 'content-length': body.length }),
        ...(await endpoint.headers?.()),
      },
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(url, requestOptions, resolve);
      outgoing.on('error', (error) => reject(outgoing.reusedSocket ? new StaleConnection(error) : error));
      outgoing.on('socket', (socket) => socket.setKeepAlive(true, TCP_KEEPALIVE_MS));
      outgoing.end(body);
    });
  };

  const call = async (each: Call): Promise<unknown> => {
    const guard = createGuard(each, options.deadlineMs);
    try {
      const response = await sendAgainIfStale(each, (signal) => send(each, calls, signal), guard.signal);
      const text = await readAll(response, each, options.maxBytes);
      guard.done();
      return answerOf(each, response, text);
    } catch (error) {
      throw guard.explain(errorOfNetwork(each.what, endpoint.server, error));
    } finally {
      guard.end();
    }
  };

  async function* stream(each: Call): AsyncGenerator<Buffer> {
    const guard = createGuard(each, options.deadlineMs);
    try {
      const response = await send(each, streams, guard.signal);
      guard.begun();
      if (response.statusCode !== 200) answerOf(each, response, await readAll(response, each, options.maxBytes));
      yield* response as AsyncIterable<Buffer>;
    } catch (error) {
      throw guard.explain(errorOfNetwork(each.what, endpoint.server, error));
    } finally {
      guard.end();
    }
  }

  return {
    call,
    stream,
    close: () => {
      calls.destroy();
      streams.destroy();
    },
  };
}

/** A kept-alive connection broke before the answer: most likely the server had closed it while it was idle. */
class StaleConnection extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** Reads are sent again over a new connection. Writes are not: the first may have taken effect, and the caller must know. */
async function sendAgainIfStale<T>(
  call: Call,
  send: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await send(signal);
    } catch (error) {
      const isStale = error instanceof StaleConnection && !signal.aborted;
      // Each broken connection leaves the pool, so this ends; the limit only guards against a server that breaks each one.
      if (!isStale || call.method !== 'GET' || attempt >= MAX_SOCKETS) throw error;
    }
  }
}

function tlsOptions(endpoint: ApiEndpoint): https.AgentOptions {
  return {
    ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }),
    ...(endpoint.clientCertificate === undefined ? {} : { cert: endpoint.clientCertificate }),
    ...(endpoint.clientKey === undefined ? {} : { key: endpoint.clientKey }),
    ...(endpoint.serverName === undefined ? {} : { servername: endpoint.serverName }),
    rejectUnauthorized: endpoint.isInsecure !== true,
    minVersion: 'TLSv1.2',
  };
}

/** A signal that aborts with the caller's or at the deadline, and remembers which it was. */
function createGuard(call: Call, deadlineMs: Millis) {
  const controller = new AbortController();
  let cause: AppError | undefined;
  let isDone = false;
  const stop = (error: AppError): void => {
    cause ??= error;
    controller.abort(error);
  };
  const cancelled = (): void => {
    const reason: unknown = call.signal?.reason;
    stop(
      reason instanceof AppError ? reason : new AppError('cancelled', `${call.what} was cancelled`, { cause: reason }),
    );
  };
  const timer = setTimeout(() => {
    const hint = 'the outcome of a write is not known; it is safe to ask again';
    stop(new AppError('timeout', `${call.what}: no answer within ${deadlineMs} ms`, { reason: 'NoAnswer', hint }));
  }, deadlineMs);
  if (call.signal?.aborted === true) cancelled();
  else call.signal?.addEventListener('abort', cancelled, { once: true });
  return {
    signal: controller.signal,
    /** Lifts the deadline; the caller's signal still counts. */
    begun: () => clearTimeout(timer),
    /** The reason for the abort when there was one, else the error itself. */
    explain: (error: AppError): AppError => cause ?? error,
    /** The answer was read to its end: the connection is kept for the next call. */
    done: () => {
      isDone = true;
    },
    /** Lets go of the connection when the answer was not read to its end. */
    end: () => {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', cancelled);
      if (!isDone) controller.abort();
    },
  };
}

async function readAll(response: IncomingMessage, call: Call, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new AppError('internal', `${call.what}: the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answerOf(call: Call, response: IncomingMessage, text: string): unknown {
  const code = response.statusCode ?? 0;
  if (code < 200 || code > 299) throw errorOfStatus(call.what, code, readStatus(text));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('unavailable', `${call.what}: the answer is no JSON: ${text.slice(0, 80)}`, { cause: error });
  }
}
