/** Keeps a copy of all objects of one kind by list and watch, for controllers to read without asking the server. */
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import type { Clock, Millis } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { Resource, ResourceClient, WatchEvent } from '../../ports/resource-client.ts';
import type { KindName } from '../../schemas/kinds.ts';
import { startSilenceAlarm } from '../../usecases/waiting/silence-alarm.ts';
import { type BackoffLimits, backoffMs } from './backoff.ts';
import { linkSignal, unlessAborted, withDeadline } from './cancellation.ts';
import { type Change, createObjectCache, type IndexKeys, objectKey } from './object-cache.ts';

export type { Change } from './object-cache.ts';
export type ChangeListener<K extends KindName> = (change: Change<K>) => void;

export interface InformerDeps {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface InformerOptions<K extends KindName> {
  readonly kind: K;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** What is kept of an object: for kinds of which there are many and little is read. All of it when left out. */
  readonly trim?: (object: Resource<K>) => Resource<K>;
  /** Named indexes for {@link Informer.byIndex}. */
  readonly indexes?: Readonly<Record<string, IndexKeys<K>>>;
  /**
   * A watch without any event or bookmark for this long is taken for dead, and begun again where it was. Longer than the
   * server's time between bookmarks (kube-apiserver: about a minute, and none at all of a kind that nothing was heard of
   * since it was started). Default 90 s.
   */
  readonly idleMs?: Millis;
  /** Longest wait for one list. Default 60 s. */
  readonly listDeadlineMs?: Millis;
  /** Waits between tries. Default 200 ms to 10 s. */
  readonly backoff?: BackoffLimits;
}

export interface Informer<K extends KindName> {
  readonly kind: K;
  /** Lists and watches until the signal aborts; no failure ends it before. Call it once. */
  run(signal: AbortSignal): Promise<void>;
  /** True after the first list. */
  isSynced(): boolean;
  /**
   * Waits for the first list.
   *
   * @throws {AppError} timeout, with the last failure, when it takes longer than `deadlineMs`
   */
  whenSynced(options: { readonly deadlineMs: Millis; readonly signal?: AbortSignal }): Promise<void>;
  /** By {@link objectKey}: the name, for namespaced kinds `namespace/name`. Objects are shared: do not change them. */
  get(key: string): Resource<K> | undefined;
  list(): readonly Resource<K>[];
  byIndex(index: string, key: string): readonly Resource<K>[];
  /** Calls the listener for everything known now (as added) and for each change from now on. Returns its removal. */
  onChange(listener: ChangeListener<K>): () => void;
  /** Time since the server was last heard; Infinity before the first list. */
  staleForMs(): Millis;
}

/** Creates an informer; it does nothing until {@link Informer.run}. */
export function createInformer<K extends KindName>(deps: InformerDeps, options: InformerOptions<K>): Informer<K> {
  const log = deps.log.child({ kind: options.kind });
  const cache = createObjectCache(options.indexes);
  const { trim = (object: Resource<K>) => object } = options;
  const listeners = new Set<ChangeListener<K>>();
  const firstList = Promise.withResolvers<void>();
  let isSynced = false;
  let lastHeardAt: Millis | undefined;
  let lastFailure = 'the server has not been asked yet';

  const tell = (listener: ChangeListener<K>, change: Change<K>): void => {
    try {
      listener(change);
    } catch (error) {
      // One listener's bug must neither starve the others nor end the watch.
      log.error('informer listener failed', { err: error });
    }
  };
  const publish = (changes: readonly Change<K>[]): void => {
    for (const change of changes) for (const listener of [...listeners]) tell(listener, change);
  };

  const stream = createStream(deps, options, {
    onHeard: () => {
      lastHeardAt = deps.clock.monotonic();
    },
    onList: (objects) => {
      publish(cache.replaceAll(objects.map(trim)));
      isSynced = true;
      firstList.resolve();
    },
    onObject: (object) => {
      if (!isOlder(object, cache.get(objectKey(object)))) publish(cache.put(trim(object)));
    },
    onDelete: (object) => publish(cache.remove(objectKey(object))),
    onBreak: (error, retryInMs) => {
      lastFailure = messageOf(error);
      // Everyday life of a kind of which nothing is heard.
      if (isIdle(error)) return log.debug('watch was silent, beginning it again', { err: error });
      const level = isAppError(error) && error.kind !== 'denied' && error.kind !== 'internal' ? 'info' : 'warn';
      log[level]('watch broke, trying again', { err: error, retryInMs: Math.round(retryInMs) });
    },
  });

  return {
    kind: options.kind,
    run: (signal) => stream(signal),
    isSynced: () => isSynced,
    whenSynced: ({ deadlineMs, signal }) =>
      withDeadline(
        deps.clock,
        { ms: deadlineMs, what: `first list of ${options.kind}`, signal },
        () => firstList.promise,
      ).catch((error: unknown) => {
        if (!isAppError(error, 'timeout')) throw error;
        throw new AppError('timeout', `${error.message}: ${lastFailure}`, {
          hint: 'check that the API server runs and that this role may list the kind',
          cause: error,
        });
      }),
    get: (key) => cache.get(key),
    list: () => cache.list(),
    byIndex: (index, key) => cache.byIndex(index, key),
    onChange: (listener) => {
      for (const after of cache.list()) tell(listener, { type: 'added', after });
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    staleForMs: () => (lastHeardAt === undefined ? Number.POSITIVE_INFINITY : deps.clock.monotonic() - lastHeardAt),
  };
}

/**
 * True when the cache holds a newer state of this very object. Pages of a list may be newer than the list's version, and
 * a watch from that version then tells their past once more. (Versions are numbers in Kubernetes since KEP-5504, and here;
 * what is no number is never called older.)
 */
function isOlder<K extends KindName>(object: Resource<K>, known: Resource<K> | undefined): boolean {
  if (known === undefined || known.metadata.uid !== object.metadata.uid) return false;
  return Number(object.metadata.resourceVersion) < Number(known.metadata.resourceVersion);
}

interface StreamHandlers<K extends KindName> {
  onHeard(): void;
  onList(objects: readonly Resource<K>[]): void;
  onObject(object: Resource<K>): void;
  onDelete(object: Resource<K>): void;
  onBreak(error: unknown, retryInMs: Millis): void;
}

const DEFAULT_BACKOFF: BackoffLimits = { baseMs: 200, maxMs: 10_000 };

/** The endless part of an informer: list, watch, and after any break watch again from the last version or list anew. */
function createStream<K extends KindName>(
  deps: InformerDeps,
  options: InformerOptions<K>,
  handlers: StreamHandlers<K>,
): (signal: AbortSignal) => Promise<void> {
  const { client, clock, random } = deps;
  const { kind, idleMs = 90_000, listDeadlineMs = 60_000, backoff = DEFAULT_BACKOFF } = options;
  const scope = {
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
  /** Where the watch goes on; undefined when only a list can tell what is true. */
  let resumeFrom: string | undefined;
  let heardInThisTry = 0;

  const list = async (signal: AbortSignal): Promise<string> => {
    const deadline = { ms: listDeadlineMs, what: `list of ${kind}`, signal };
    const listed = await withDeadline(clock, deadline, (inner) => client.list(kind, { ...scope, signal: inner }));
    handlers.onHeard();
    handlers.onList(listed.items);
    return listed.resourceVersion;
  };

  const take = (event: WatchEvent<K>): void => {
    heardInThisTry += 1;
    handlers.onHeard();
    if (event.type === 'BOOKMARK') {
      resumeFrom = event.resourceVersion;
      return;
    }
    if (event.type === 'DELETED') handlers.onDelete(event.object);
    else handlers.onObject(event.object);
    resumeFrom = event.object.metadata.resourceVersion;
  };

  const watch = async (resourceVersion: string, signal: AbortSignal): Promise<void> => {
    const link = linkSignal(signal);
    const silence = startSilenceAlarm(clock, idleMs, () =>
      link.abort(new AppError('timeout', `watch of ${kind}: nothing heard for ${idleMs} ms`, { reason: 'WatchIdle' })),
    );
    const events = client.watch(kind, { ...scope, resourceVersion, signal: link.signal })[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await unlessAborted(link.signal, events.next());
        if (next.done === true) break;
        silence.heard();
        take(next.value);
      }
      link.signal.throwIfAborted();
    } finally {
      silence.stop();
      link.unlink();
      link.abort(new AppError('cancelled', `watch of ${kind} ended`));
      // Not awaited: an iterator that hangs in next() hangs in return() too, and its signal is aborted already.
      events.return?.().catch(() => undefined);
    }
  };

  return async (signal) => {
    let failures = 0;
    while (!signal.aborted) {
      heardInThisTry = 0;
      let failure: unknown = new AppError('unavailable', `the server ended the watch of ${kind}`);
      try {
        resumeFrom ??= await list(signal);
        await watch(resumeFrom, signal);
      } catch (error) {
        failure = error;
        if (!isAppError(error, 'unavailable') && !isIdle(error)) resumeFrom = undefined;
      }
      if (signal.aborted) return;
      // A silence has lasted long enough: to wait on top of it would only delay the news.
      failures = heardInThisTry > 0 || isIdle(failure) ? 0 : failures + 1;
      const retryInMs = backoffMs(random, backoff, Math.max(0, failures - 1));
      handlers.onBreak(failure, retryInMs);
      await clock.sleep(retryInMs, signal).catch(() => undefined); // aborted: the loop ends
    }
  };
}

/**
 * A silent watch. It leaves the version valid, as a lost connection does: the next one tells everything since, or that it
 * cannot (Expired). Any other failure needs a list.
 */
function isIdle(error: unknown): boolean {
  return isAppError(error, 'timeout') && error.reason === 'WatchIdle';
}
