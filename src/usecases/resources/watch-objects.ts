/** The watch verb: everything that happens to the objects of a kind, from a revision on. */
import { AppError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { resourceOf } from '../../schemas/kind-names.ts';
import type { KindName } from '../../schemas/kinds.ts';
import { definitionOf, type KubeObject } from './kube-object.ts';
import { parseSelectors, type Selector } from './selectors.ts';
import { selectEvent, type WatchEvent, watchEvent } from './watch-event.ts';
import type { WatchHub } from './watch-hub.ts';

export interface WatchOptions {
  /** Only this namespace; all when left out. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Go on after this one. Left out, "" or "0": begin with an ADDED event for each object there is. */
  readonly resourceVersion?: string | undefined;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /**
   * Makes `watch` yield an empty batch whenever it resolves, so that a caller can send a bookmark; called again after.
   * Its promise must not reject.
   */
  readonly nextBookmark?: () => Promise<void>;
}

/** Some events that came together, and the revision up to which the watcher knows everything after them. */
export interface EventBatch {
  readonly events: readonly WatchEvent[];
  readonly resourceVersion: string;
  /** True for the batch after which all objects that existed at the start of the watch have been sent. */
  readonly endsInitialState: boolean;
}

export interface WatchDeps {
  readonly store: ObjectStore;
  readonly hub: WatchHub;
}

/** Objects read at once for the initial state. */
const PAGE = 500;

/**
 * Yields batches of events until the signal aborts. The caller sets the pace: while it does not ask, nothing is kept
 * for it, and if it asks so late that the log has moved on, the watch throws Expired.
 *
 * @throws {AppError} invalid, for faulty selectors or versions; conflict with reason Expired
 */
export function watchObjects(deps: WatchDeps, kind: KindName, options: WatchOptions): AsyncGenerator<EventBatch> {
  const selector = parseSelectors(options.labelSelector, options.fieldSelector);
  const resource = resourceOf(definitionOf(kind));
  const version = options.resourceVersion ?? '';
  const start = version === '' || version === '0' ? undefined : parseVersion(version);
  // Before the first event is asked for, so that an expired version is an error of the request and not of the stream.
  if (start !== undefined) deps.hub.read(resource, start);
  return generate(deps, { resource, selector, start, options });
}

interface Watch {
  readonly resource: string;
  readonly selector: Selector;
  readonly start: number | undefined;
  readonly options: WatchOptions;
}

async function* generate(deps: WatchDeps, watch: Watch): AsyncGenerator<EventBatch> {
  const { signal } = watch.options;
  // One promise per wait, never a race with one that lives as long as the watch: that would gather a reaction per event.
  let news = Promise.withResolvers<void>();
  const wake = () => news.resolve();
  signal.addEventListener('abort', wake);
  const leave = deps.hub.join(watch.resource, wake);
  try {
    let cursor = watch.start ?? deps.store.revision();
    if (watch.start === undefined) yield* initialState(deps.store, watch, cursor);
    const bookmark = startBookmarks(watch.options.nextBookmark, wake);
    while (!signal.aborted) {
      news = Promise.withResolvers<void>();
      const batch = deps.hub.read(watch.resource, cursor);
      cursor = batch.revision;
      const events = batch.changes.flatMap((shared) => eventFor(shared, watch) ?? []);
      const isIdle = batch.changes.length === 0;
      if (events.length > 0 || (isIdle && bookmark.takeDue())) {
        yield { events, resourceVersion: String(cursor), endsInitialState: false };
      } else if (isIdle) {
        await news.promise;
      }
    }
  } finally {
    leave();
    signal.removeEventListener('abort', wake);
  }
}

/** Asks for the next bookmark only when the last one was taken, so at most one is ever due. */
function startBookmarks(next: (() => Promise<void>) | undefined, wake: () => void): { takeDue(): boolean } {
  let isDue = false;
  const arm = () =>
    void next?.().then(() => {
      isDue = true;
      wake();
    });
  arm();
  return {
    takeDue() {
      if (!isDue) return false;
      isDue = false;
      arm();
      return true;
    },
  };
}

function eventFor(shared: Parameters<typeof selectEvent>[0], watch: Watch): WatchEvent | undefined {
  const { namespace } = watch.options;
  if (namespace !== undefined && shared.change.namespace !== namespace) return undefined;
  return selectEvent(shared, watch.selector);
}

/** The objects that exist, page by page; what changes meanwhile comes again from the log. */
function* initialState(store: ObjectStore, watch: Watch, revision: number): Generator<EventBatch> {
  const { namespace } = watch.options;
  let after: { namespace: string; name: string } | undefined;
  for (;;) {
    const page = store.list({
      resource: watch.resource,
      limit: PAGE,
      ...(namespace === undefined ? {} : { namespace }),
      ...(after === undefined ? {} : { after }),
    });
    const chosen = watch.selector.isEmpty
      ? page
      : page.filter((stored) => watch.selector.matches(JSON.parse(stored.text) as KubeObject));
    const events = chosen.map((stored) => watchEvent('ADDED', stored.text));
    const isLast = page.length < PAGE;
    yield { events, resourceVersion: String(revision), endsInitialState: isLast };
    if (isLast) return;
    after = page.at(-1);
  }
}

/** @throws {AppError} invalid with reason BadRequest, when the text is no version */
export function parseVersion(text: string): number {
  const version = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(version)) return version;
  throw new AppError('invalid', `${JSON.stringify(text.slice(0, 40))} is not a resourceVersion`, {
    reason: 'BadRequest',
  });
}
