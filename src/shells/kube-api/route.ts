/** From a request to its handler, and from whatever goes wrong to a Status. */
import type { TLSSocket } from 'node:tls';
import { AppError, messageOf } from '../../domain/errors.ts';
import { authenticate } from './authenticate.ts';
import { type Action, authorize, type Identity } from './authorize.ts';
import { type Exchange, type ResourceExchange, type ServerContext, sendJson, sendText } from './context.ts';
import { aggregatedDiscovery, coreVersions, groupList, oneGroup, resourceList } from './discovery.ts';
import { PROTOBUF_V2 } from './openapi.ts';
import { parseAccept } from './parse-accept.ts';
import { parseTarget, splitPath, type Target } from './parse-path.ts';
import { booleanParameter } from './query.ts';
import { serveGet, serveList } from './serve-reading.ts';
import { serveWatch } from './serve-watch.ts';
import { serveCreate, serveDelete, servePatch, serveReplace } from './serve-writing.ts';
import { isServerFault, toStatus } from './status.ts';

const DISCOVERY_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Serves one request to its end; never rejects. */
export async function route(context: ServerContext, exchange: Exchange): Promise<void> {
  let target: Target | undefined;
  try {
    const segments = splitPath(exchange.path);
    if (serveHealth(context, exchange)) return;
    const identity = authenticate(exchange.request.socket as TLSSocket);
    if (identity === undefined) throw unauthorized(exchange);
    if (serveDescription(context, exchange, segments)) return;
    target = parseTarget(segments);
    if (target === undefined) throw noSuchPath(exchange.path);
    await serveResource(context, { ...exchange, target, identity });
  } catch (error) {
    fail(context, exchange, error, target);
  }
}

function fail(context: ServerContext, exchange: Exchange, error: unknown, target: Target | undefined): void {
  const { request, response, path } = exchange;
  if (isServerFault(error)) context.log.error('a request failed', { method: request.method, path, err: error });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { code, body } = toStatus(error, target);
  // What is left of a body is not read, so the connection cannot be used again.
  if (!request.complete) response.setHeader('connection', 'close');
  sendJson(exchange, code, body);
}

function unauthorized(exchange: Exchange): AppError {
  const cause = (exchange.request.socket as TLSSocket).authorizationError;
  const why = cause ? ` (${messageOf(cause)})` : '';
  return new AppError('denied', `no valid client certificate was presented${why}`, {
    reason: 'Unauthorized',
    hint: 'use a kubeconfig issued by this server',
  });
}

function noSuchPath(path: string): AppError {
  return new AppError('notFound', `the server could not find the requested resource: ${path.slice(0, 200)}`, {
    reason: 'NotFound',
  });
}

/** Health and version are open to everyone: probes have no certificate. True when it answered. */
function serveHealth(context: ServerContext, exchange: Exchange): boolean {
  const { path, query } = exchange;
  if (path === '/version' || path === '/version/') {
    const gitVersion = `v1.32.0+holdfast-${context.version}`;
    sendJson(exchange, 200, { major: '1', minor: '32', gitVersion, platform: `${process.platform}/${process.arch}` });
    return true;
  }
  if (path !== '/healthz' && path !== '/livez' && path !== '/readyz') return false;
  const lines = ['[+]ping ok'];
  let isOk = true;
  if (path === '/readyz') {
    try {
      context.resources.list('Namespace', { limit: 1 });
      lines.push('[+]store ok');
    } catch (error) {
      isOk = false;
      lines.push(`[-]store failed: ${messageOf(error)}`);
    }
  }
  lines.push(`${path.slice(1)} check ${isOk ? 'passed' : 'failed'}`);
  const text = query.has('verbose') || !isOk ? `${lines.join('\n')}\n` : 'ok';
  sendText(exchange, isOk ? 200 : 503, text, 'text/plain; charset=utf-8');
  return true;
}

/** Discovery and OpenAPI. True when it answered. */
function serveDescription(context: ServerContext, exchange: Exchange, segments: readonly string[]): boolean {
  const [root, group, version, ...more] = segments;
  if (root === 'openapi') return serveOpenApi(context, exchange, segments);
  if (more.length > 0 || (root !== 'api' && root !== 'apis')) return false;
  const accept = exchange.request.headers.accept;
  if (group === undefined) {
    if (parseAccept(accept, ['discovery']) === 'discovery') {
      sendJson(exchange, 200, aggregatedDiscovery(root), DISCOVERY_TYPE);
    } else {
      sendJson(exchange, 200, root === 'api' ? coreVersions() : groupList());
    }
    return true;
  }
  const answer = describeGroup(root, group, version);
  if (answer === undefined) return false;
  parseAccept(accept);
  sendJson(exchange, 200, answer);
  return true;
}

function describeGroup(root: 'api' | 'apis', group: string, version: string | undefined): object | undefined {
  if (root === 'api') return version === undefined ? resourceList('', group) : undefined;
  return version === undefined ? oneGroup(group) : resourceList(group, version);
}

function serveOpenApi(context: ServerContext, exchange: Exchange, segments: readonly string[]): boolean {
  const [, version, ...rest] = segments;
  const { accept } = exchange.request.headers;
  if (version === 'v2' && rest.length === 0 && accept?.includes(PROTOBUF_V2.asked)) {
    sendText(exchange, 200, context.openApi.version2Protobuf(), PROTOBUF_V2.answered);
    return true;
  }
  parseAccept(accept);
  if (version === 'v2' && rest.length === 0) {
    sendJson(exchange, 200, context.openApi.version2());
    return true;
  }
  if (version !== 'v3') return false;
  if (rest.length === 0) {
    sendJson(exchange, 200, context.openApi.index());
    return true;
  }
  const document = context.openApi.document(rest.join('/'));
  if (document === undefined) return false;
  sendText(exchange, 200, document, 'application/json');
  return true;
}

async function serveResource(context: ServerContext, exchange: ResourceExchange): Promise<void> {
  const { target, identity } = exchange;
  const verb = verbOf(exchange);
  const action: Action = { verb, ...target };
  const { rule, readRule } = allow(identity, action);
  const { name } = target;
  if (verb === 'watch') return serveWatch(context, exchange);
  if (verb === 'list') return serveList(context, exchange);
  if (verb === 'create') return serveCreate(context, { ...exchange, action, rule });
  if (name === undefined) throw methodNotAllowed(exchange);
  if (verb === 'get') return serveGet(context, { ...exchange, action, readRule }, name);
  if (verb === 'update') return serveReplace(context, { ...exchange, action, rule }, name);
  if (verb === 'patch') return servePatch(context, { ...exchange, action, rule }, name);
  return serveDelete(context, { ...exchange, action, rule }, name);
}

function allow(identity: Identity, action: Action) {
  const verdict = authorize(identity, action);
  if (!verdict.isAllowed) throw new AppError('denied', verdict.message, { reason: 'Forbidden' });
  return verdict;
}

const COLLECTION_VERBS: Readonly<Record<string, Action['verb']>> = { GET: 'list', POST: 'create' };
const OBJECT_VERBS: Readonly<Record<string, Action['verb']>> = {
  ...{ GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' },
};

function verbOf(exchange: ResourceExchange): Action['verb'] {
  const { target, request, query } = exchange;
  const verb = (target.name === undefined ? COLLECTION_VERBS : OBJECT_VERBS)[request.method ?? ''];
  if (verb === undefined || (verb === 'delete' && target.subresource !== undefined)) throw methodNotAllowed(exchange);
  return verb === 'list' && booleanParameter(query, 'watch') === true ? 'watch' : verb;
}

function methodNotAllowed(exchange: ResourceExchange): AppError {
  return new AppError('unsupported', `${exchange.request.method} is not possible on ${exchange.path.slice(0, 200)}`, {
    reason: 'MethodNotAllowed',
  });
}
