/** POST, PUT, PATCH and DELETE. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Patch } from '../../usecases/resources/apply-patch.ts';
import type { WriteGuard, WriteOptions } from '../../usecases/resources/write-object.ts';
import { type Action, type ChangeRule, describeRefusal } from './authorize.ts';
import { type ResourceExchange, type ServerContext, sendJson } from './context.ts';
import { fieldValidation, isDryRun } from './query.ts';
import { contentType, readJsonBody } from './read-body.ts';
import { deletedStatus } from './status.ts';

const PATCH_TYPES: Readonly<Record<string, Patch['type']>> = {
  'application/merge-patch+json': 'merge',
  'application/json-patch+json': 'json',
  'application/strategic-merge-patch+json': 'strategic',
};

/** What of DeleteOptions counts here; there is no garbage collection, so the propagation policy means nothing. */
const DeleteBody = z.looseObject({
  preconditions: z.looseObject({ uid: z.string().optional(), resourceVersion: z.string().optional() }).nullish(),
  dryRun: z.array(z.literal('All')).nullish(),
});

/** A write that was let through, with what its objects must keep to. */
export interface WriteExchange extends ResourceExchange {
  readonly action: Action;
  readonly rule: ChangeRule | undefined;
}

/** POST to a collection. @throws {AppError} */
export async function serveCreate(context: ServerContext, exchange: WriteExchange): Promise<void> {
  const { target, request } = exchange;
  assertJson(request);
  const body = await readJsonBody(request);
  const created = await context.resources.create(target.kind, body, writeOptions(exchange));
  sendJson(exchange, 201, created);
}

/** PUT of an object or its status. @throws {AppError} */
export async function serveReplace(context: ServerContext, exchange: WriteExchange, name: string): Promise<void> {
  const { target, request } = exchange;
  assertJson(request);
  const body = await readJsonBody(request);
  const options = { ...writeOptions(exchange), subresource: target.subresource };
  sendJson(exchange, 200, await context.resources.replace(target.kind, name, body, options));
}

/** PATCH of an object or its status. @throws {AppError} */
export async function servePatch(context: ServerContext, exchange: WriteExchange, name: string): Promise<void> {
  const { target, request } = exchange;
  const type = PATCH_TYPES[contentType(request)];
  if (type === undefined) throw unknownPatch(contentType(request));
  const body = await readJsonBody(request);
  const options = { ...writeOptions(exchange), subresource: target.subresource };
  sendJson(exchange, 200, await context.resources.patch(target.kind, name, { type, body }, options));
}

/** DELETE of an object. @throws {AppError} */
export async function serveDelete(context: ServerContext, exchange: WriteExchange, name: string): Promise<void> {
  const { target, request } = exchange;
  const parsed = DeleteBody.safeParse((await readJsonBody(request)) ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const message = `the delete options are faulty at ${issue?.path.join('.')}: ${issue?.message}`;
    throw new AppError('invalid', message, { reason: 'BadRequest' });
  }
  const { preconditions, dryRun } = parsed.data;
  const options = writeOptions(exchange);
  const result = await context.resources.delete(target.kind, name, {
    ...options,
    isDryRun: options.isDryRun === true || (dryRun ?? []).length > 0,
    uid: preconditions?.uid,
    resourceVersion: preconditions?.resourceVersion,
  });
  if (result.isGone) sendJson(exchange, 200, deletedStatus(target, result.object.metadata.uid));
  else sendJson(exchange, 200, result.object);
}

function writeOptions(exchange: WriteExchange): WriteOptions {
  const { query, target, response } = exchange;
  return {
    namespace: target.namespace,
    fieldValidation: fieldValidation(query),
    isDryRun: isDryRun(query),
    guard: guardOf(exchange),
    onWarning: (message) => {
      // RFC 7234 warning, which kubectl prints; header text may hold only visible ASCII.
      const text = message.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&');
      response.appendHeader('warning', `299 - "${text}"`);
    },
  };
}

function guardOf(exchange: WriteExchange): WriteGuard | undefined {
  const { rule, identity, action } = exchange;
  if (rule === undefined) return undefined;
  return (before, after) => {
    const why = rule(before, after);
    if (why === undefined) return;
    const name = action.name ?? after?.metadata.name;
    throw new AppError('denied', describeRefusal(identity, { ...action, name }, why), { reason: 'Forbidden' });
  };
}

function assertJson(request: IncomingMessage): void {
  const type = contentType(request);
  // Some clients leave the type out; a body in another form then fails as JSON.
  if (type === '' || type === 'application/json') return;
  const isProtobuf = type === 'application/vnd.kubernetes.protobuf';
  throw new AppError('unsupported', `bodies of type ${type} are not read`, {
    reason: 'UnsupportedMediaType',
    // kubectl's generators (create namespace, create service) send protobuf; what it reads from a file goes as JSON.
    hint: isProtobuf ? 'use kubectl apply -f or kubectl create -f' : 'send application/json',
  });
}

function unknownPatch(type: string): AppError {
  const isApply = type.startsWith('application/apply-patch');
  const message = isApply
    ? 'server-side apply is not supported by this server'
    : `patches of type ${type} are not known`;
  const hint = isApply
    ? 'use kubectl apply without --server-side'
    : `send one of ${Object.keys(PATCH_TYPES).join(', ')}`;
  return new AppError('unsupported', message, { reason: 'UnsupportedMediaType', hint });
}
