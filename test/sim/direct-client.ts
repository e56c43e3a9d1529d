/** A ResourceClient that calls the API's use cases in this process: what the embedded server does, without HTTP. */
import { AppError, isAppError } from '../../src/domain/errors.ts';
import {
  ALL_NAMESPACES,
  type Resource,
  type ResourceClient,
  type WatchEvent,
  type WatchOptions,
} from '../../src/ports/resource-client.ts';
import { KINDS, type KindDefinition, type KindName, SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import {
  type Action,
  authorize,
  CONTROLLERS,
  describeRefusal,
  type Identity,
} from '../../src/shells/kube-api/authorize.ts';
import type { KubeObject } from '../../src/usecases/resources/kube-object.ts';
import type { Resources } from '../../src/usecases/resources/resources.ts';
import type { WriteGuard } from '../../src/usecases/resources/write-object.ts';
import { controllerMay } from '../../tools/deploy/rbac.ts';

export interface DirectClientOptions {
  /** Who calls; everybody may do everything when left out. */
  readonly identity?: Identity;
  /** Resolves when the next bookmark is due; asked again after each. Must not reject. */
  readonly nextBookmark?: (signal: AbortSignal) => Promise<void>;
}

/** Creates the client; any number of them may share the use cases, as processes share a server. */
export function createDirectClient(resources: Resources, options: DirectClientOptions = {}): ResourceClient {
  const { identity } = options;
  const guardFor = (action: Action) => (identity === undefined ? {} : { guard: demandRight(identity, action) });
  return {
    get: async (kind, name, scope = {}) => {
      throwIfAborted(scope.signal);
      const mayRead = identity && readingRight(identity, { verb: 'get', kind, name, namespace: scope.namespace });
      try {
        const found = resources.get(kind, name, { namespace: namespaceOf(kind, scope.namespace) }).read();
        mayRead?.(found);
        return asResource(kind, found);
      } catch (error) {
        if (isAppError(error, 'notFound')) return undefined;
        throw error;
      }
    },
    list: async (kind, { namespace, labelSelector, fieldSelector, signal } = {}) => {
      throwIfAborted(signal);
      const scope = namespaceOf(kind, namespace);
      guardFor({ verb: 'list', kind, namespace: scope });
      const page = resources.list(kind, { namespace: scope, labelSelector, fieldSelector });
      return { items: page.items.map((item) => asResource(kind, item.read())), resourceVersion: page.resourceVersion };
    },
    create: async (kind, object, { namespace, signal } = {}) => {
      throwIfAborted(signal);
      return asResource(
        kind,
        await resources.create(kind, object, { namespace, ...guardFor({ verb: 'create', kind, namespace }) }),
      );
    },
    replace: async (kind, object, { namespace, signal } = {}) => {
      throwIfAborted(signal);
      const metadata = object.metadata as { readonly name: string; readonly namespace?: string };
      const place = namespace ?? metadata.namespace;
      const guard = guardFor({ verb: 'update', kind, name: metadata.name, namespace: place });
      const scope = { namespace: place, ...guard };
      return asResource(kind, await resources.replace(kind, metadata.name, object, scope));
    },
    patch: async (kind, name, patch, { namespace, subresource, resourceVersion, uid, signal } = {}) => {
      throwIfAborted(signal);
      const guard = guardFor({ verb: 'patch', kind, name, namespace, subresource });
      const given = patch['metadata'] as object | undefined;
      const metadata = { ...given, ...(resourceVersion && { resourceVersion }), ...(uid && { uid }) };
      const body = Object.keys(metadata).length === 0 ? patch : { ...patch, metadata };
      return asResource(
        kind,
        await resources.patch(kind, name, { type: 'merge', body }, { namespace, subresource, ...guard }),
      );
    },
    delete: async (kind, name, { namespace, uid, signal } = {}) => {
      throwIfAborted(signal);
      try {
        await resources.delete(kind, name, { namespace, uid, ...guardFor({ verb: 'delete', kind, name, namespace }) });
      } catch (error) {
        if (!isAppError(error, 'notFound')) throw error;
      }
    },
    watch: (kind, watchOptions) => watch(resources, kind, watchOptions, options),
  };
}

async function* watch<K extends KindName>(
  resources: Resources,
  kind: K,
  { namespace, labelSelector, fieldSelector, resourceVersion, signal }: WatchOptions,
  { nextBookmark, identity }: DirectClientOptions,
): AsyncGenerator<WatchEvent<K>> {
  if (identity !== undefined) demandRight(identity, { verb: 'watch', kind, namespace: namespaceOf(kind, namespace) });
  const end = new AbortController();
  const stop = () => end.abort();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    const batches = resources.watch(kind, {
      ...{ namespace: namespaceOf(kind, namespace), labelSelector, fieldSelector, resourceVersion, signal: end.signal },
      ...(nextBookmark === undefined ? {} : { nextBookmark: () => nextBookmark(end.signal) }),
    });
    for await (const batch of batches) {
      for (const event of batch.events) yield { type: event.type, object: asResource(kind, event.read()) };
      if (batch.events.length === 0) yield { type: 'BOOKMARK', resourceVersion: batch.resourceVersion };
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

/** The port never reads over all namespaces, the use cases do unless told. */
function namespaceOf(kind: KindName, namespace: string | undefined): string | undefined {
  const { scope }: KindDefinition = KINDS[kind];
  return scope === 'Cluster' || namespace === ALL_NAMESPACES ? undefined : (namespace ?? SYSTEM_NAMESPACE);
}

/** The use cases have put the object through its schema. */
function asResource<K extends KindName>(_kind: K, object: unknown): Resource<K> {
  return object as Resource<K>;
}

/** As the server does: refuses at once what nobody may, and gives the rule that the objects themselves must keep to. */
function demandRight(identity: Identity, action: Action): WriteGuard | undefined {
  const refuse = (message: string) => new AppError('denied', message, { reason: 'Forbidden' });
  demandRole(identity, action);
  const verdict = authorize(identity, action);
  if (!verdict.isAllowed) throw refuse(verdict.message);
  const { rule } = verdict;
  if (rule === undefined) return undefined;
  return (before, after) => {
    const why = rule(before, after);
    if (why !== undefined) throw refuse(describeRefusal(identity, action, why));
  };
}

/** The embedded server lets a controller do everything; a cluster what its role says, and it works on both. */
function demandRole(identity: Identity, action: Action): void {
  if (!identity.groups.includes(CONTROLLERS) || controllerMay(action)) return;
  const message = describeRefusal(identity, action, 'its role in tools/deploy/rbac.ts does not say so');
  throw new AppError('denied', message, { reason: 'Forbidden' });
}

/** As {@link demandRight}, for the reading of one object. */
function readingRight(identity: Identity, action: Action): (object: KubeObject) => void {
  demandRole(identity, action);
  const verdict = authorize(identity, action);
  if (!verdict.isAllowed) throw new AppError('denied', verdict.message, { reason: 'Forbidden' });
  const { readRule } = verdict;
  return (object) => {
    const why = readRule?.(object);
    if (why !== undefined)
      throw new AppError('denied', describeRefusal(identity, action, why), { reason: 'Forbidden' });
  };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  if (signal.reason instanceof AppError) throw signal.reason;
  throw new AppError('cancelled', 'the call was cancelled', { cause: signal.reason });
}
