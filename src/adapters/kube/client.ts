/** The ResourceClient over the Kubernetes REST API: the embedded server's or a cluster's. */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Millis } from '../../ports/clock.ts';
import type {
  CreateInput,
  DeleteOptions,
  ListOptions,
  MergePatch,
  PatchOptions,
  Resource,
  ResourceClient,
  ResourceList,
  Scope,
  WatchEvent,
  WatchOptions,
} from '../../ports/resource-client.ts';
import { apiVersionOf } from '../../schemas/kind-names.ts';
import type { KindName } from '../../schemas/kinds.ts';
import { KINDS } from '../../schemas/kinds.ts';
import { errorOfStatus, type StatusBody } from './api-errors.ts';
import { collectionPath, objectPath, queryOf } from './api-paths.ts';
import { type Connection, createConnection } from './connection.ts';
import type { ApiEndpoint } from './kubeconfig.ts';
import { linesOf } from './lines.ts';

export interface KubeClientOptions {
  /** Who calls, for the server's log and its record of field managers: "holdfast-node/0.1.0". */
  readonly userAgent: string;
  /** Longest time for one call. Default 30 s. */
  readonly deadlineMs?: Millis;
}

export interface KubeClient extends ResourceClient {
  /** Closes idle connections; calls under way go on. For the end of a program. */
  close(): void;
}

/** Objects per page of a list: bounds what server and client hold in memory as text. */
const PAGE_SIZE = 500;
/** A list that expires between two pages is begun again, at most so often. */
const MAX_LIST_TRIES = 3;
/** A status that others write at the same time is written at the latest at this try, or is a conflict. */
const MAX_STATUS_TRIES = 10;
/** Largest answer and longest watch line. A page of objects at etcd's limit of 1.5 MiB each is never seen in practice. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** Creates the client of one API server; nothing is sent before the first call. */
export function createKubeClient(endpoint: ApiEndpoint, options: KubeClientOptions): KubeClient {
  const connection = createConnection(endpoint, {
    deadlineMs: options.deadlineMs ?? 30_000,
    maxBytes: MAX_ANSWER_BYTES,
    userAgent: options.userAgent,
  });
  return {
    ...readCalls(connection),
    ...writeCalls(connection),
    watch: (kind, watchOptions) => watch(connection, kind, watchOptions),
    close: () => connection.close(),
  };
}

function readCalls(connection: Connection): Pick<ResourceClient, 'get' | 'list'> {
  return {
    get: async <K extends KindName>(kind: K, name: string, scope: Scope = {}) => {
      const path = objectPath(kind, name, scope.namespace);
      try {
        const what = describe('get', kind, name);
        return asResource(kind, await connection.call({ method: 'GET', path, what, signal: scope.signal }));
      } catch (error) {
        if (isAppError(error, 'notFound')) return undefined;
        throw error;
      }
    },
    list: (kind, listOptions = {}) => listAll(connection, kind, listOptions),
  };
}

function writeCalls(connection: Connection): Pick<ResourceClient, 'create' | 'replace' | 'patch' | 'delete'> {
  return {
    create: async <K extends KindName>(kind: K, object: NoInfer<CreateInput<K>>, scope: Scope = {}) => {
      const body = { apiVersion: apiVersionOf(KINDS[kind]), kind, ...object };
      const path = collectionPath(kind, scope.namespace);
      const what = describe('create', kind, object.metadata.name);
      return asResource(kind, await connection.call({ method: 'POST', path, what, body, signal: scope.signal }));
    },
    replace: async <K extends KindName>(kind: K, object: Resource<K>, scope: Scope = {}) => {
      const { name, namespace } = object.metadata as { readonly name: string; readonly namespace?: string };
      const path = objectPath(kind, name, scope.namespace ?? namespace);
      const what = describe('replace', kind, name);
      return asResource(kind, await connection.call({ method: 'PUT', path, what, body: object, signal: scope.signal }));
    },
    patch: async <K extends KindName>(kind: K, name: string, patch: MergePatch, patchOptions: PatchOptions = {}) => {
      const { subresource, uid, resourceVersion } = patchOptions;
      const isStatusOf = subresource === 'status' && uid !== undefined && resourceVersion === undefined;
      const send = isStatusOf ? patchStatusOf : sendPatch;
      return asResource(kind, await send(connection, { kind, name, patch }, patchOptions));
    },
    delete: async (kind: KindName, name: string, { uid, namespace, signal }: DeleteOptions = {}) => {
      const preconditions = uid === undefined ? {} : { preconditions: { uid } };
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', ...preconditions };
      const path = objectPath(kind, name, namespace);
      try {
        await connection.call({ method: 'DELETE', path, what: describe('delete', kind, name), body, signal });
      } catch (error) {
        if (!isAppError(error, 'notFound')) throw error;
      }
    },
  };
}

interface PatchCall {
  readonly kind: KindName;
  readonly name: string;
  readonly patch: MergePatch;
}

async function sendPatch(connection: Connection, { kind, name, patch }: PatchCall, options: PatchOptions) {
  const suffix = options.subresource === undefined ? '' : `/${options.subresource}`;
  const call = connection.call({
    method: 'PATCH',
    path: `${objectPath(kind, name, options.namespace)}${suffix}`,
    what: describe('patch', kind, name),
    body: withPreconditions(patch, options),
    contentType: 'application/merge-patch+json',
    signal: options.signal,
  });
  return call.catch(rethrowOtherUid);
}

/**
 * A status for one object alone. kube-apiserver (seen with 1.36) does not look at the UID in a patch of a status, so the
 * version of the object that has this UID stands for it.
 */
async function patchStatusOf(connection: Connection, call: PatchCall, options: PatchOptions): Promise<unknown> {
  const { kind, name } = call;
  for (let attempt = 1; ; attempt += 1) {
    const path = objectPath(kind, name, options.namespace);
    const what = describe('get', kind, name);
    const seen = asResource(kind, await connection.call({ method: 'GET', path, what, signal: options.signal }));
    const { uid, resourceVersion } = seen.metadata;
    if (uid !== options.uid) {
      const message = `${describe('patch', kind, name)}: it is another object of the same name now`;
      throw new AppError('conflict', message, { reason: 'Conflict' });
    }
    try {
      return await sendPatch(connection, call, { ...options, resourceVersion });
    } catch (error) {
      if (attempt === MAX_STATUS_TRIES || !isAppError(error, 'conflict')) throw error;
    }
  }
}

/** kube-apiserver takes the UID that a patch is meant for, when the object has another one, for an attempt to change it. */
function rethrowOtherUid(error: unknown): never {
  const isOther = isAppError(error, 'invalid') && error.faults.some(({ field }) => field === 'metadata.uid');
  if (!isOther) throw error;
  throw new AppError('conflict', `${error.message} (it is another object of the same name now)`, {
    reason: 'Conflict',
    cause: error,
  });
}

/** All pages of a list, as of one version. */
async function listAll<K extends KindName>(
  connection: Connection,
  kind: K,
  options: ListOptions,
): Promise<ResourceList<K>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await listPages(connection, kind, options);
    } catch (error) {
      // The server forgot the version of the first page before the last was read.
      if (attempt === MAX_LIST_TRIES || !isAppError(error, 'conflict') || error.reason !== 'Expired') throw error;
    }
  }
}

interface ListBody {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly unknown[];
}

async function listPages<K extends KindName>(
  connection: Connection,
  kind: K,
  options: ListOptions,
): Promise<ResourceList<K>> {
  const items: Resource<K>[] = [];
  const { labelSelector, fieldSelector } = options;
  let page: string | undefined;
  for (;;) {
    const query = queryOf({ labelSelector, fieldSelector, limit: String(PAGE_SIZE), continue: page });
    const path = `${collectionPath(kind, options.namespace)}${query}`;
    const what = `list of ${KINDS[kind].plural}`;
    const body = (await connection.call({ method: 'GET', path, what, signal: options.signal })) as ListBody;
    for (const item of body.items ?? []) items.push(asResource(kind, item));
    page = body.metadata?.continue || undefined;
    if (page === undefined) return { items, resourceVersion: body.metadata?.resourceVersion ?? '' };
  }
}

interface EventBody {
  readonly type?: string;
  readonly object?: unknown;
}

async function* watch<K extends KindName>(
  connection: Connection,
  kind: K,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<K>> {
  const { resourceVersion, labelSelector, fieldSelector, namespace, signal } = options;
  const query = queryOf({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion, labelSelector, fieldSelector });
  const what = `watch of ${KINDS[kind].plural}`;
  const chunks = connection.stream({ method: 'GET', path: `${collectionPath(kind, namespace)}${query}`, what, signal });
  try {
    for await (const line of linesOf(chunks, MAX_LINE_BYTES)) yield readEvent(what, kind, line);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

function readEvent<K extends KindName>(what: string, kind: K, line: string): WatchEvent<K> {
  let event: EventBody;
  try {
    event = JSON.parse(line) as EventBody;
  } catch (error) {
    throw new AppError('unavailable', `${what}: a line is no JSON: ${line.slice(0, 80)}`, { cause: error });
  }
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: asResource(kind, event.object) };
    case 'BOOKMARK': {
      const { metadata } = event.object as { readonly metadata: { readonly resourceVersion: string } };
      return { type: 'BOOKMARK', resourceVersion: metadata.resourceVersion };
    }
    case 'ERROR':
      throw errorOfStatus(what, 500, event.object as StatusBody);
    default:
      throw new AppError('unavailable', `${what}: unknown event ${JSON.stringify(event.type)}`);
  }
}

/**
 * An object as the server sent it. It is not put through the schema: the server did that, and a field that a newer
 * version added must survive a read and a write. Items of a list come without their kind, and some kinds without a
 * generation; both are filled in.
 */
function asResource<K extends KindName>(kind: K, data: unknown): Resource<K> {
  const object = data as { readonly metadata?: { readonly name?: unknown; readonly uid?: unknown } };
  if (typeof object?.metadata?.name !== 'string' || typeof object.metadata.uid !== 'string') {
    throw new AppError('unavailable', `the API server's answer is no ${kind}: it has no name or uid`);
  }
  const metadata = { generation: 0, ...object.metadata };
  return { apiVersion: apiVersionOf(KINDS[kind]), kind, ...object, metadata } as unknown as Resource<K>;
}

/** In a patch, version and uid in the metadata are preconditions: the API server answers Conflict when they are others. */
function withPreconditions(patch: MergePatch, { resourceVersion, uid }: PatchOptions): MergePatch {
  if (resourceVersion === undefined && uid === undefined) return patch;
  const metadata = patch['metadata'] as object | undefined;
  return {
    ...patch,
    metadata: {
      ...metadata,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(uid === undefined ? {} : { uid }),
    },
  };
}

function describe(verb: string, kind: KindName, name: string): string {
  return `${verb} of ${KINDS[kind].plural} ${name}`;
}
