/** Advice for pods that use volumes, by HTTP: the scheduler's extender, and the webhook that gives pods such a scheduler. */
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer, type Server as SecureServer } from 'node:https';
import { isIP } from 'node:net';
import type { LocalityIndex } from '../../controllers/locality/locality-index.ts';
import type { PodAdmission } from '../../controllers/locality/pod-admission.ts';
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../../domain/socket-address.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { CertificatePair } from '../../ports/serving-authority.ts';
import { contentType, readJsonBody } from '../kube-api/read-body.ts';
import { listen } from '../listen.ts';
import { answerFilter, answerPrioritize } from './answer.ts';
import { answerAdmission } from './answer-admission.ts';

/**
 * Tells the certificate to serve with, and each later one that replaces it, until the signal aborts.
 *
 * @param use - throws for one that cannot be used; the one before it then stays
 */
export type CertificateSource = (use: (certificate: CertificatePair) => void, signal: AbortSignal) => Promise<void>;

export interface SchedulingOptions {
  readonly index: LocalityIndex;
  /** Answers the API server too, which then gives new pods the scheduler that asks here. */
  readonly admission?: PodAdmission;
  readonly log: Logger;
  /** Left out where nobody asks for metrics. */
  readonly measuring?: { readonly metrics: Metrics; readonly clock: Clock };
  readonly listen: SocketAddress;
  /** It listens once there is a first one; without a source HTTP is spoken, on loopback only. */
  readonly certificates?: CertificateSource;
  /** Told where it listens, with the port that was taken. */
  readonly onListening?: (address: SocketAddress) => void;
}

/** A scheduler without `nodeCacheCapable` sends whole nodes: some 15 KB each. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the scheduler keeps an idle connection (Go: 90 s), so that it and not we close it. */
const KEEP_ALIVE_MS = 120_000;
/**
 * Serves until the signal aborts.
 *
 * @throws {AppError} precondition, when it cannot listen there; invalid, for HTTP on an address that others reach; what a source of
 * certificates throws before the first
 */
export async function serveScheduling(options: SchedulingOptions, signal: AbortSignal): Promise<void> {
  const { index, log, certificates } = options;
  const desk: Desk = { ...options, questions: questionsOf(options) };
  const handle = (request: IncomingMessage, response: ServerResponse) => void serve(desk, request, response);
  const limits = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS };
  const common = { ...limits, keepAliveTimeout: KEEP_ALIVE_MS };
  let server: Server | SecureServer;
  let following: Promise<void> = Promise.resolve();
  if (certificates === undefined) {
    assertLoopback(options.listen);
    server = createPlainServer(common, handle);
  } else {
    const secure = createServer(common, handle);
    secure.on('tlsClientError', (error) => log.debug('a TLS handshake failed', { err: error }));
    const first = Promise.withResolvers<void>();
    following = certificates(({ certificatePem: cert, keyPem: key }) => {
      secure.setSecureContext({ cert, key, minVersion: 'TLSv1.2' });
      first.resolve();
    }, signal);
    await Promise.race([first.promise, following]);
    server = secure;
  }
  if (signal.aborted) return following;
  const address = await listen(server, options.listen, log);
  options.onListening?.(address);
  log.info('advice for the scheduler is served', { address: formatSocketAddress(address) });
  const closed = new Promise((resolve) => server.on('close', resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await Promise.all([index.run(signal), options.admission?.run(signal), following, closed]);
}

function assertLoopback({ host }: SocketAddress): void {
  if (host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))) return;
  throw new AppError('invalid', `advice for the scheduler is not served on ${host} without a certificate`, {
    hint: 'give --extender-cert and --extender-key, or --extender-own-certificate, or listen on 127.0.0.1',
  });
}

async function serve(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { log } = desk;
  const measure = measureQuestion(desk, request);
  // Who leaves in the middle is no failure of ours.
  response.on('error', (error) => log.debug('an answer was cut off', { err: error }));
  try {
    const answer = await answerTo(desk, request);
    measure(200);
    send(response, 200, answer);
  } catch (error) {
    const status = statusOf(error);
    measure(status);
    if (status === 500) log.error('a question of the scheduler could not be answered', { err: error });
    else log.debug('a question of the scheduler was refused', { err: error });
    // What is left of the body is not waited for.
    if (!request.complete) response.setHeader('connection', 'close');
    send(response, status, { error: status === 500 ? 'internal error' : messageOf(error) });
  }
}

/** Of questions only: who asks for anything else, or how we are, waits for nothing. */
function measureQuestion({ measuring, questions }: Desk, request: IncomingMessage): (status: number) => void {
  const question = pathOf(request);
  if (measuring === undefined || request.method !== 'POST' || !questions.has(question)) return () => undefined;
  const { clock, metrics } = measuring;
  const startedAt = clock.monotonic();
  return (status) => {
    const labels = { question: question.slice(1), code: String(status) };
    metrics.observe('holdfast_extender_request_duration_seconds', labels, (clock.monotonic() - startedAt) / 1000);
  };
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}

type Question = (body: unknown) => unknown;

interface Desk extends SchedulingOptions {
  /** What answers, by the path that it is asked at. */
  readonly questions: ReadonlyMap<string, Question>;
}

function questionsOf({ index, admission }: SchedulingOptions): ReadonlyMap<string, Question> {
  const extender: readonly (readonly [string, Question])[] = [
    ['/filter', (body) => answerFilter(index, body)],
    ['/prioritize', (body) => answerPrioritize(index, body)],
  ];
  if (admission === undefined) return new Map(extender);
  return new Map([...extender, ['/mutate', (body) => answerAdmission(admission, body)]]);
}

async function answerTo(desk: Desk, request: IncomingMessage): Promise<unknown> {
  const { method } = request;
  const path = pathOf(request);
  if (method === 'GET' && path === '/healthz') return { status: 'ok' };
  assertReady(desk);
  if (method === 'GET' && path === '/readyz') return { status: 'ok' };
  const answer = method === 'POST' ? desk.questions.get(path) : undefined;
  if (answer === undefined) throw new AppError('notFound', `there is no ${method} ${path.slice(0, 80)}`);
  if (contentType(request) !== 'application/json') {
    throw new AppError('invalid', 'the body must be application/json', { reason: 'UnsupportedMediaType' });
  }
  return answer(await readJsonBody(request, MAX_BODY_BYTES));
}

/** Whoever asks goes on without an answer: what is not heard of yet must not be taken for what is not there. */
function assertReady({ index, admission }: SchedulingOptions): void {
  if (index.isReady() && admission?.isReady() !== false) return;
  throw new AppError('unavailable', 'volumes and nodes are not all heard of yet', { reason: 'NotReady' });
}

const STATUS_BY_REASON: Readonly<Record<string, number>> = {
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  NotReady: 503,
};

function statusOf(error: unknown): number {
  if (!isAppError(error)) return 500;
  if (error.kind === 'notFound') return 404;
  return STATUS_BY_REASON[error.reason ?? ''] ?? (error.kind === 'invalid' ? 400 : 500);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
