/** GET ?watch=1: a stream of events, one JSON object per line. */
import { AppError } from '../../domain/errors.ts';
import { apiVersionOf } from '../../schemas/kind-names.ts';
import { KINDS } from '../../schemas/kinds.ts';
import type { KubeObject } from '../../usecases/resources/kube-object.ts';
import type { WatchEvent } from '../../usecases/resources/watch-event.ts';
import type { EventBatch } from '../../usecases/resources/watch-objects.ts';
import type { ResourceExchange, ServerContext } from './context.ts';
import { parseAccept } from './parse-accept.ts';
import { booleanParameter, includeObject, numberParameter } from './query.ts';
import { toStatus } from './status.ts';
import { renderTable } from './table.ts';
import { writePaced } from './write-paced.ts';

/** A watch without timeoutSeconds ends after this long, as on a real server; clients begin a new one. */
const DEFAULT_TIMEOUT_SECONDS = 45 * 60;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Streams until the client leaves, the time is up, or the server closes. @throws {AppError} before the first byte only */
export async function serveWatch(context: ServerContext, exchange: ResourceExchange): Promise<void> {
  const { query, response, target } = exchange;
  const wish = parseWish(exchange);
  const abort = new AbortController();
  const batches = context.resources.watch(target.kind, {
    namespace: target.namespace,
    labelSelector: query.get('labelSelector') ?? undefined,
    fieldSelector: query.get('fieldSelector') ?? undefined,
    resourceVersion: wish.sendsInitialEvents === true ? undefined : (query.get('resourceVersion') ?? undefined),
    signal: abort.signal,
    ...(wish.sendsBookmarks ? { nextBookmark: () => wait(context, context.bookmarkMs, abort.signal) } : {}),
  });
  context.watches.add(abort);
  response.on('close', () => abort.abort());
  void wait(context, wish.timeoutMs, abort.signal).then(() => abort.abort());
  try {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for await (const batch of batches) {
      if (!(await writePaced(context.clock, response, renderBatch(context, exchange, wish, batch)))) break;
    }
  } catch (error) {
    if (!(error instanceof AppError)) context.log.error('a watch failed', { err: error, kind: target.kind });
    response.write(`${JSON.stringify({ type: 'ERROR', object: toStatus(error, target).body })}\n`);
  } finally {
    abort.abort();
    context.watches.delete(abort);
    response.end();
  }
}

interface Wish {
  readonly isTable: boolean;
  readonly sendsBookmarks: boolean;
  readonly sendsInitialEvents: boolean | undefined;
  readonly timeoutMs: number;
}

function parseWish(exchange: ResourceExchange): Wish {
  const { query, request } = exchange;
  const sendsBookmarks = booleanParameter(query, 'allowWatchBookmarks') ?? false;
  const sendsInitialEvents = booleanParameter(query, 'sendInitialEvents');
  if (sendsInitialEvents === true && !sendsBookmarks) {
    throw new AppError('invalid', 'sendInitialEvents=true needs allowWatchBookmarks=true', { reason: 'BadRequest' });
  }
  const seconds = numberParameter(query, 'timeoutSeconds') ?? DEFAULT_TIMEOUT_SECONDS;
  return {
    isTable: parseAccept(request.headers.accept, ['table']) === 'table',
    sendsBookmarks,
    sendsInitialEvents,
    timeoutMs: (seconds === 0 ? DEFAULT_TIMEOUT_SECONDS : seconds) * 1000,
  };
}

/** Resolves after the time, or as soon as the signal aborts. */
function wait(context: ServerContext, ms: number, signal: AbortSignal): Promise<void> {
  return context.clock.sleep(ms, signal).catch(() => undefined);
}

function renderBatch(context: ServerContext, exchange: ResourceExchange, wish: Wish, batch: EventBatch): string {
  const { resourceVersion } = batch;
  const lines = wish.isTable
    ? batch.events.map((event) => tableLine(context, exchange, event))
    : batch.events.map((event) => `{"type":"${event.type}","object":${event.text}}\n`);
  const endsInitialEvents = batch.endsInitialState && wish.sendsInitialEvents === true;
  if (endsInitialEvents || batch.events.length === 0) {
    if (wish.sendsBookmarks) lines.push(bookmarkLine(exchange, resourceVersion, endsInitialEvents));
  }
  return lines.join('');
}

function tableLine(context: ServerContext, exchange: ResourceExchange, event: WatchEvent): string {
  const object: KubeObject = event.read();
  const table = renderTable(exchange.target.kind, [object], {
    includeObject: includeObject(exchange.query),
    now: context.clock.now(),
    metadata: { resourceVersion: object.metadata.resourceVersion },
  });
  return `${JSON.stringify({ type: event.type, object: table })}\n`;
}

function bookmarkLine(exchange: ResourceExchange, resourceVersion: string, endsInitialEvents: boolean): string {
  const definition = KINDS[exchange.target.kind];
  const annotations = endsInitialEvents ? { annotations: { [INITIAL_EVENTS_END]: 'true' } } : {};
  const metadata = { resourceVersion, creationTimestamp: null, ...annotations };
  const object = { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata };
  return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`;
}
