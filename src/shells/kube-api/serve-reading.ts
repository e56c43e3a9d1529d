/** GET of an object or a list, as JSON or as a table. */
import { AppError } from '../../domain/errors.ts';
import { apiVersionOf } from '../../schemas/kind-names.ts';
import { KINDS } from '../../schemas/kinds.ts';
import type { ListPage } from '../../usecases/resources/list-objects.ts';
import { type Action, describeRefusal, type ReadRule } from './authorize.ts';
import { type ResourceExchange, type ServerContext, sendJson, sendText } from './context.ts';
import { parseAccept } from './parse-accept.ts';
import { includeObject, numberParameter } from './query.ts';
import { renderTable } from './table.ts';
import { writePaced } from './write-paced.ts';

/** Objects written to the client at once. */
const CHUNK = 200;

/** A GET, and what must hold of the object for whoever asks. */
export interface GetExchange extends ResourceExchange {
  readonly action: Action;
  readonly readRule: ReadRule | undefined;
}

/** GET of one object. @throws {AppError} notFound; denied */
export function serveGet(context: ServerContext, exchange: GetExchange, name: string): void {
  const { target, query, request } = exchange;
  const form = parseAccept(request.headers.accept, ['table']);
  const item = context.resources.get(target.kind, name, { namespace: target.namespace });
  const why = exchange.readRule?.(item.read());
  if (why !== undefined) {
    const message = describeRefusal(exchange.identity, exchange.action, why);
    throw new AppError('denied', message, { reason: 'Forbidden' });
  }
  if (form === 'json') return sendText(exchange, 200, item.text, 'application/json');
  const object = item.read();
  const options = {
    includeObject: includeObject(query),
    now: context.clock.now(),
    metadata: { resourceVersion: object.metadata.resourceVersion },
  };
  return sendJson(exchange, 200, renderTable(target.kind, [object], options));
}

/** GET of a collection. @throws {AppError} invalid, conflict with reason Expired */
export async function serveList(context: ServerContext, exchange: ResourceExchange): Promise<void> {
  const { target, query, request } = exchange;
  const form = parseAccept(request.headers.accept, ['table']);
  const page = context.resources.list(target.kind, {
    namespace: target.namespace,
    labelSelector: query.get('labelSelector') ?? undefined,
    fieldSelector: query.get('fieldSelector') ?? undefined,
    limit: numberParameter(query, 'limit'),
    continue: query.get('continue') ?? undefined,
  });
  const isExact = query.get('resourceVersionMatch') === 'Exact' && query.get('continue') === null;
  if (isExact && query.get('resourceVersion') !== page.resourceVersion) {
    throw new AppError('conflict', `only the newest state can be listed, which is ${page.resourceVersion}`, {
      reason: 'Expired',
    });
  }
  const metadata = {
    resourceVersion: page.resourceVersion,
    ...(page.continue === undefined ? {} : { continue: page.continue }),
  };
  if (form === 'json') return streamList(context, exchange, page, metadata);
  const objects = page.items.map((item) => item.read());
  const options = { includeObject: includeObject(query), now: context.clock.now(), metadata };
  return sendJson(exchange, 200, renderTable(target.kind, objects, options));
}

/** The stored texts as they are, in pieces: a list of 20,000 objects is never one string, nor parsed. */
async function streamList(
  context: ServerContext,
  exchange: ResourceExchange,
  page: ListPage,
  metadata: object,
): Promise<void> {
  const definition = KINDS[exchange.target.kind];
  const { response } = exchange;
  const head = JSON.stringify({ kind: `${definition.kind}List`, apiVersion: apiVersionOf(definition), metadata });
  response.writeHead(200, { 'content-type': 'application/json' });
  let separator = `${head.slice(0, -1)},"items":[`;
  for (let start = 0; start < page.items.length; start += CHUNK) {
    const texts = page.items.slice(start, start + CHUNK).map((item) => item.text);
    if (!(await writePaced(context.clock, response, separator + texts.join(',')))) return;
    separator = ',';
  }
  response.end(page.items.length === 0 ? `${separator}]}` : ']}');
}
