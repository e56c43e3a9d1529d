/** A ResourceClient that calls the API's use cases in this process: what the embedded server does, without HTTP. */
import { AppError, isAppError } from '../../src/domain/errors.ts';
import type { Resource, ResourceClient, WatchEvent, WatchOptions } from '../../src/ports/resource-client.ts';
import { KINDS, type KindDefinition, type KindName, SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import type { Resources } from '../../src/usecases/resources/resources.ts';

export interface DirectClientOptions {
  /** Resolves when the next bookmark is due; asked again after each. Must not reject. */
  readonly nextBookmark?: (signal: AbortSignal) => Promise<void>;
}

/** Creates the client; any number of them may share the use cases, as processes share a server. */
export function createDirectClient(resources: Resources, options: DirectClientOptions = {}): ResourceClient {
  return {
    get: async (kind, name, scope = {}) => {
      throwIfAborted(scope.signal);
      try {
        return asResource(kind, resources.get(kind, name, { namespace: scope.namespace }).read());
      } catch (error) {
        if (isAppError(error, 'notFound')) return undefined;
        throw error;
      }
    },
    list: async (kind, { namespace, labelSelector, fieldSelector, signal } = {}) => {
      throwIfAborted(signal);
      const scope = namespaceOf(kind, namespace);
      const page = resources.list(kind, { namespace: scope, labelSelector, fieldSelector });
      return { items: page.items.map((item) => asResource(kind, item.read())), resourceVersion: page.resourceVersion };
    },
    create: async (kind, object, { namespace, signal } = {}) => {
      throwIfAborted(signal);
      return asResource(kind, await resources.create(kind, object, { namespace }));
    },
    replace: async (kind, object, { namespace, signal } = {}) => {
      throwIfAborted(signal);
      const metadata = object.metadata as { readonly name: string; readonly namespace?: string };
      const scope = { namespace: namespace ?? metadata.namespace };
      return asResource(kind, await resources.replace(kind, metadata.name, object, scope));
    },
    patch: async (kind, name, patch, { namespace, subresource, resourceVersion, uid, signal } = {}) => {
      throwIfAborted(signal);
      const given = patch['metadata'] as object | undefined;
      const metadata = { ...given, ...(resourceVersion && { resourceVersion }), ...(uid && { uid }) };
      const body = Object.keys(metadata).length === 0 ? patch : { ...patch, metadata };
      return asResource(kind, await resources.patch(kind, name, { type: 'merge', body }, { namespace, subresource }));
    },
    delete: async (kind, name, { namespace, uid, signal } = {}) => {
      throwIfAborted(signal);
      try {
        await resources.delete(kind, name, { namespace, uid });
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
  { nextBookmark }: DirectClientOptions,
): AsyncGenerator<WatchEvent<K>> {
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
  return scope === 'Cluster' ? undefined : (namespace ?? SYSTEM_NAMESPACE);
}

/** The use cases have put the object through its schema. */
function asResource<K extends KindName>(_kind: K, object: unknown): Resource<K> {
  return object as Resource<K>;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  if (signal.reason instanceof AppError) throw signal.reason;
  throw new AppError('cancelled', 'the call was cancelled', { cause: signal.reason });
}
