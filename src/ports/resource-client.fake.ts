/** A ResourceClient over objects in memory, for unit tests of whatever uses one; it passes the contract of the real ones. */

import { AppError } from '../domain/errors.ts';
import { kubernetesTime } from '../domain/kubernetes-time.ts';
import { apiVersionOf } from '../schemas/kind-names.ts';
import { KINDS, type KindDefinition, type KindName, SYSTEM_NAMESPACE } from '../schemas/kinds.ts';
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';
import {
  ALL_NAMESPACES,
  type ListOptions,
  type MergePatch,
  type PatchOptions,
  type ResourceClient,
  type Scope,
} from './resource-client.ts';

interface Stored {
  readonly apiVersion?: unknown;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

interface Past {
  readonly version: number;
  readonly kind: KindName;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Stored;
  readonly before: Stored | undefined;
}

export interface FakeResourceClient extends ResourceClient {
  /** Forgets the past, as a server does: watches from an older version get Expired. */
  forgetHistory(): void;
  /** Sends a bookmark to every open watch. */
  sendBookmarks(): void;
  /** Ends every open watch as a server that restarts. */
  endWatches(): void;
  /** How often anything was changed: a controller at rest does not move it. */
  version(): number;
}

interface Watcher {
  readonly wake: () => void;
  wantsBookmark: boolean;
  isEnded: boolean;
}

/** Creates an empty store with a client on it. Several users may share it, as they would share a server. */
export function createFakeResourceClient(deps: { readonly clock: Clock; readonly random: Random }): FakeResourceClient {
  const objects = new Map<string, Stored>();
  const watchers = new Set<Watcher>();
  let history: Past[] = [];
  let version = 0;
  let forgottenVersion = 0;

  const commit = (kind: KindName, type: Past['type'], object: Stored): Stored => {
    version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const key = storeKey(kind, stored.metadata.name, stored.metadata.namespace);
    const before = objects.get(key);
    if (type === 'DELETED') objects.delete(key);
    else objects.set(key, stored);
    history.push({ version, kind, type, object: stored, before });
    for (const watcher of watchers) watcher.wake();
    return stored;
  };

  /** Stores a changed object, or lets it go when its last finalizer did. */
  const update = (kind: KindName, before: Stored, after: Stored): Stored => {
    if (sameJson(before, after)) return before;
    const specChanged = !sameJson(withoutMetaAndStatus(before), withoutMetaAndStatus(after));
    const generation = before.metadata.generation + (specChanged ? 1 : 0);
    const object = { ...after, metadata: { ...after.metadata, generation } };
    const isGone = object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
    return commit(kind, isGone ? 'DELETED' : 'MODIFIED', validated(kind, object));
  };

  const find = (kind: KindName, name: string, scope: Scope | undefined): Stored | undefined => {
    throwIfAborted(scope?.signal);
    return objects.get(storeKey(kind, name, namespaceOf(kind, scope?.namespace)));
  };
  const need = (kind: KindName, name: string, scope: Scope | undefined): Stored => {
    const object = find(kind, name, scope);
    if (object === undefined) throw new AppError('notFound', `${kind} ${name} does not exist`);
    return object;
  };

  const select = (kind: KindName, options: ListOptions): readonly Stored[] =>
    [...objects.entries()]
      .filter(([key]) => key.startsWith(`${kind}/`))
      .flatMap(([, object]) => {
        return matches(kind, object, options) ? [object] : [];
      });

  async function* watch(kind: KindName, options: ListOptions & { readonly resourceVersion: string }) {
    let seen = Number(options.resourceVersion);
    if (seen < forgottenVersion || seen > version) {
      throw new AppError('conflict', `version ${seen} of ${kind} is too old to watch from`, { reason: 'Expired' });
    }
    let news = Promise.withResolvers<void>();
    const watcher: Watcher = { wake: () => news.resolve(), wantsBookmark: false, isEnded: false };
    const isOver = () => watcher.isEnded || options.signal?.aborted === true;
    const takeNews = () => {
      const past = history.filter((each) => each.version > seen && each.kind === kind);
      seen = version;
      const events = past.flatMap((each) => eventFor(each, options) ?? []);
      const bookmarks = watcher.wantsBookmark ? [{ type: 'BOOKMARK', resourceVersion: String(seen) }] : [];
      watcher.wantsBookmark = false;
      return [...events, ...bookmarks];
    };
    watchers.add(watcher);
    options.signal?.addEventListener('abort', watcher.wake);
    try {
      while (!isOver()) {
        yield* structuredClone(takeNews());
        if (seen === version && !watcher.wantsBookmark && !isOver()) await news.promise;
        news = Promise.withResolvers();
      }
    } finally {
      watchers.delete(watcher);
      options.signal?.removeEventListener('abort', watcher.wake);
    }
  }

  const client = {
    get: async (kind: KindName, name: string, scope?: Scope) => structuredClone(find(kind, name, scope)),
    list: async (kind: KindName, options: ListOptions = {}) => {
      throwIfAborted(options.signal);
      return { items: structuredClone(select(kind, options)), resourceVersion: String(version) };
    },
    create: async (kind: KindName, input: { metadata: { name: string } & Record<string, unknown> }, scope?: Scope) => {
      const { name } = input.metadata;
      if (find(kind, name, scope) !== undefined) throw new AppError('exists', `${kind} ${name} exists already`);
      const namespace = namespaceOf(kind, scope?.namespace);
      const metadata = {
        ...input.metadata,
        ...(namespace === undefined ? {} : { namespace }),
        uid: deps.random.uuid(),
        resourceVersion: '',
        generation: 1,
        creationTimestamp: kubernetesTime(deps.clock.now()),
      };
      const { status: _status, ...rest } = input as Record<string, unknown>;
      const given = definition(kind).hasStatus ? rest : input;
      return structuredClone(
        commit(
          kind,
          'ADDED',
          validated(kind, { apiVersion: apiVersionOf(KINDS[kind]), kind, ...structuredClone(given), metadata }),
        ),
      );
    },
    replace: async (kind: KindName, object: Stored, scope?: Scope) => {
      const before = need(kind, object.metadata.name, scope ?? pickNamespace(object));
      checkVersion(kind, before, object.metadata.resourceVersion);
      const metadata = { ...structuredClone(object.metadata), ...serverOwned(before) };
      const status = definition(kind).hasStatus ? { status: before['status'] } : {};
      return structuredClone(update(kind, before, { ...structuredClone(object), metadata, ...status }));
    },
    patch: async (kind: KindName, name: string, patch: MergePatch, options: PatchOptions = {}) => {
      const before = need(kind, name, options);
      checkVersion(kind, before, options.resourceVersion);
      checkUid(kind, before, options.uid);
      const merged = applyMergePatch(before, patch) as Stored;
      const isStatus = options.subresource === 'status';
      const kept: Stored = { ...merged, metadata: { ...merged.metadata, ...serverOwned(before) } };
      if (isStatus) return structuredClone(update(kind, before, { ...before, status: kept['status'] }));
      const status = definition(kind).hasStatus ? { status: before['status'] } : {};
      return structuredClone(update(kind, before, { ...kept, ...status }));
    },
    delete: async (kind: KindName, name: string, options: Scope & { readonly uid?: string } = {}) => {
      const before = find(kind, name, options);
      if (before === undefined) return;
      checkUid(kind, before, options.uid);
      if ((before.metadata.finalizers ?? []).length === 0) commit(kind, 'DELETED', before);
      else if (before.metadata.deletionTimestamp === undefined) {
        const metadata = { ...before.metadata, deletionTimestamp: kubernetesTime(deps.clock.now()) };
        commit(kind, 'MODIFIED', { ...before, metadata });
      }
    },
    watch,
    forgetHistory: () => {
      history = [];
      forgottenVersion = version;
    },
    sendBookmarks: () => {
      for (const watcher of watchers) watcher.wantsBookmark = true;
      for (const watcher of watchers) watcher.wake();
    },
    endWatches: () => {
      for (const watcher of watchers) watcher.isEnded = true;
      for (const watcher of watchers) watcher.wake();
    },
    version: () => version,
  };
  // Inside, objects are untyped JSON that each kind's schema has checked; the port's types hold for what comes out.
  return client as unknown as FakeResourceClient;
}

/** What a change means under a selector: an object that begins to match is ADDED, one that ceases to is DELETED. */
function eventFor(
  { kind, type, object, before }: Past,
  options: ListOptions,
): Pick<Past, 'type' | 'object'> | undefined {
  const matched = before !== undefined && matches(kind, before, options);
  const isMatch = type !== 'DELETED' && matches(kind, object, options);
  if (isMatch) return { type: matched ? 'MODIFIED' : 'ADDED', object };
  return matched ? { type: 'DELETED', object } : undefined;
}

function definition(kind: KindName): KindDefinition {
  return KINDS[kind];
}

function namespaceOf(kind: KindName, namespace: string | undefined): string | undefined {
  return definition(kind).scope === 'Cluster' ? undefined : (namespace ?? SYSTEM_NAMESPACE);
}

function pickNamespace(object: Stored): Scope {
  return object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace };
}

function storeKey(kind: KindName, name: string, namespace: string | undefined): string {
  return `${kind}/${namespace ?? ''}/${name}`;
}

function validated(kind: KindName, object: unknown): Stored {
  const result = definition(kind).schema.safeParse(object);
  if (result.success) return result.data as Stored;
  const faults = result.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  throw new AppError('invalid', `${kind} is not valid: ${faults[0]?.field} ${faults[0]?.message}`, { faults });
}

function checkVersion(kind: KindName, before: Stored, resourceVersion: string | undefined): void {
  if (resourceVersion === undefined || resourceVersion === before.metadata.resourceVersion) return;
  throw new AppError('conflict', `${kind} ${before.metadata.name} changed since it was read`, { reason: 'Conflict' });
}

function checkUid(kind: KindName, before: Stored, uid: string | undefined): void {
  if (uid === undefined || uid === before.metadata.uid) return;
  throw new AppError('conflict', `${kind} ${before.metadata.name} is another object now`, { reason: 'Conflict' });
}

/** What no client can change. */
function serverOwned({ metadata }: Stored) {
  const { name, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } = metadata;
  const deletion = deletionTimestamp === undefined ? {} : { deletionTimestamp };
  return { name, uid, resourceVersion, generation, creationTimestamp, ...deletion };
}

function withoutMetaAndStatus({ metadata: _metadata, status: _status, ...rest }: Stored): unknown {
  return rest;
}

function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: Record<string, unknown> = isObject ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = applyMergePatch(result[key], value);
  }
  return result;
}

function matches(kind: KindName, object: Stored, options: ListOptions): boolean {
  const { namespace = SYSTEM_NAMESPACE } = options;
  const isElsewhere = namespace !== ALL_NAMESPACES && namespace !== object.metadata.namespace;
  if (definition(kind).scope === 'Namespaced' && isElsewhere) return false;
  const labels = object.metadata.labels ?? {};
  return (
    holds(options.labelSelector, (path) => labels[path]) &&
    holds(options.fieldSelector, (path) => valueAt(object, path))
  );
}

function holds(selector: string | undefined, read: (path: string) => unknown): boolean {
  return (selector ?? '').split(',').every((term) => {
    if (term === '') return true;
    const [, path = '', operator, value = ''] = /^(.*?)(!=|==?)(.*)$/.exec(term) ?? [];
    const found = read(path);
    const text = typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? `${found}` : '';
    return (text === value) === (operator !== '!=');
  });
}

function valueAt(object: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object);
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sortKeys(a)) === JSON.stringify(sortKeys(b));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sortKeys(v)]),
  );
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  if (signal.reason instanceof AppError) throw signal.reason;
  throw new AppError('cancelled', 'the call was cancelled', { cause: signal.reason });
}
