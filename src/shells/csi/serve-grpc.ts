/** The one file that knows the gRPC library: services on a unix socket. */
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { createServer, ServerError, type ServerMiddleware, Status } from 'nice-grpc';
import type { CallContext, ServerMiddlewareCall } from 'nice-grpc-common';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { type BusyKeys, createBusyKeys } from './busy-keys.ts';
import { type Keys, keysOf, shownFields } from './request-fields.ts';
import { statusOf } from './status.ts';

export type GrpcServer = ReturnType<typeof createServer>;

export interface GrpcOptions {
  /** Absolute path of the socket; its folder is made when it is not there. */
  readonly socketPath: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: Metrics;
  /** Adds the services. */
  readonly add: (server: GrpcServer) => void;
}

/** Longer than what is under way may take to come to a point where it can be left. */
const SHUTDOWN_MS = 5_000;
/** sun_path of sockaddr_un holds 108 bytes with the zero at its end. */
const MAX_SOCKET_PATH = 107;

/**
 * Serves until the signal aborts; then no new call is taken, and those under way are ended.
 *
 * @throws {AppError} precondition, when another process listens there; invalid, for a path that cannot be a socket's
 */
export async function serveGrpc(options: GrpcOptions, signal: AbortSignal): Promise<void> {
  const { socketPath, log, clock } = options;
  await clearSocket(socketPath);
  if (signal.aborted) return;
  const server = createServer().use(createInterceptor(options, createBusyKeys()));
  options.add(server);
  await server.listen(`unix:${socketPath}`);
  try {
    // Whoever can speak to it can mount and delete volumes.
    await chmod(socketPath, 0o600);
    log.info('CSI is served', { socket: socketPath });
    await aborted(signal);
  } finally {
    const isDone = server.shutdown();
    const giveUp = new AbortController();
    await Promise.race([isDone, clock.sleep(SHUTDOWN_MS, giveUp.signal).catch(() => undefined)]); // ended before: nothing to do
    giveUp.abort();
    server.forceShutdown();
    await rm(socketPath, { force: true });
  }
}

/** Takes away the socket of a server that has died; grpc-js does not, and would not start. */
async function clearSocket(path: string): Promise<void> {
  if (!path.startsWith('/') || Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new AppError('invalid', `${JSON.stringify(path.slice(0, 200))} cannot be the path of a socket`, {
      hint: `write an absolute path of at most ${MAX_SOCKET_PATH} bytes, for example /csi/csi.sock`,
    });
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new AppError('precondition', `${path} is no socket, and is left alone`, { hint: 'choose another path' });
  }
  if (await isListening(path)) {
    throw new AppError('precondition', `another process serves ${path}`, {
      reason: 'SocketInUse',
      hint: `see which one with: fuser -v ${path}`,
    });
  }
  await rm(path, { force: true });
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** One line of log per call, one call at a time per name and id, and one way from errors to statuses. */
function createInterceptor({ clock, log, metrics }: GrpcOptions, busy: BusyKeys): ServerMiddleware {
  return async function* intercept<Request, Response>(
    call: ServerMiddlewareCall<Request, Response>,
    context: CallContext,
  ): AsyncGenerator<Response, Response | void, undefined> {
    const method = call.method.path.slice(call.method.path.lastIndexOf('/') + 1);
    const fields = call.requestStream ? {} : shownFields(call.request);
    const keys: Keys = call.requestStream ? [] : keysOf(method, call.request);
    const startedAt = clock.monotonic();
    const measure = (code: Status) => {
      const labels = { method, code: Status[code] };
      metrics?.observe('holdfast_csi_call_duration_seconds', labels, (clock.monotonic() - startedAt) / 1000);
    };
    const entry = () => ({ method, ...fields, ms: Math.round(clock.monotonic() - startedAt) });
    try {
      const release = busy.take(keys);
      try {
        const response = yield* call.next(call.request, context);
        log.info('CSI call', { ...entry(), code: 'OK' });
        measure(Status.OK);
        return response;
      } finally {
        release();
      }
    } catch (error) {
      const refused = refusal(error, context.signal, { log, entry });
      measure(refused.code);
      throw refused;
    }
  };
}

function refusal(
  error: unknown,
  signal: AbortSignal,
  { log, entry }: { readonly log: Logger; readonly entry: () => Record<string, unknown> },
): ServerError {
  // Who has hung up reads no answer; whatever the work made of that is no failure of its own.
  const cause = signal.aborted ? new AppError('cancelled', 'the caller has gone', { cause: error }) : error;
  const { code, message } = statusOf(cause);
  if (isAppError(cause)) log.info('CSI call refused', { ...entry(), code, reason: message });
  else log.error('CSI call failed', { ...entry(), code, err: cause });
  return new ServerError(code, message);
}
