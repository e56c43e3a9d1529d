/** The loop behind every controller: changes become keys, keys are reconciled one at a time each, failures come again. */
import { isAppError } from '../../domain/errors.ts';
import { sample } from '../../domain/metrics/definitions.ts';
import type { Clock, Millis } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { Random } from '../../ports/random.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { KindName } from '../../schemas/kinds.ts';
import type { BackoffLimits } from './backoff.ts';
import { withDeadline } from './cancellation.ts';
import type { Informer } from './informer.ts';
import type { Change } from './object-cache.ts';
import { createWorkQueue, type WorkQueueStats } from './work-queue.ts';

/** A source of keys for a loop; made by {@link watchKeys}. */
export interface KeySource {
  readonly kind: KindName;
  isSynced(): boolean;
  whenSynced(options: { readonly deadlineMs: Millis; readonly signal?: AbortSignal }): Promise<void>;
  subscribe(enqueue: (key: string) => void): () => void;
}

/**
 * Makes an informer a source of keys.
 *
 * @param keysOf - the keys that a change of this object concerns: its own ({@link objectKey}) or those of its owners.
 *   Called with the object before and after a change, so that an owner it was taken from is reconciled too.
 * @param isIgnored - for changes of an object that tell the loop nothing; everything else makes it look
 */
export function watchKeys<K extends KindName>(
  informer: Informer<K>,
  keysOf: (object: Resource<K>) => readonly string[],
  isIgnored: (change: Extract<Change<K>, { readonly type: 'updated' }>) => boolean = () => false,
): KeySource {
  return {
    kind: informer.kind,
    isSynced: () => informer.isSynced(),
    whenSynced: (options) => informer.whenSynced(options),
    subscribe: (enqueue) =>
      informer.onChange((change) => {
        if (change.type === 'updated' && isIgnored(change)) return;
        const before = change.type === 'added' ? [] : keysOf(change.before);
        const after = change.type === 'deleted' ? [] : keysOf(change.after);
        for (const key of new Set([...before, ...after])) enqueue(key);
      }),
  };
}

export interface ReconcileResult {
  /** Look at this key again after so long even if nothing changes. */
  readonly requeueAfterMs?: Millis | undefined;
}

export interface ReconcileLoopOptions {
  /** Stable name, as in logs and metrics: "volume-placement". */
  readonly name: string;
  /** None starts before all of these have their first list. */
  readonly watches: readonly KeySource[];
  /**
   * Makes what should be true of one key. Level-triggered: it is told nothing of what changed, and may run again at any
   * time. A thrown error is logged and tried again with backoff.
   *
   * @param signal - aborts at shutdown, at loss of leadership and at the deadline
   */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined>;
  /** Keys worked on at once. Default 1. */
  readonly workers?: number;
  /** Longest time for one key. Default 5 min. */
  readonly deadlineMs?: Millis;
  /** Waits after failures. Default 5 ms to 5 min. */
  readonly backoff?: BackoffLimits;
}

export interface ReconcileLoop {
  readonly name: string;
  /** Works until the signal aborts and the keys in hand are done. Call it once. */
  run(signal: AbortSignal): Promise<void>;
  /** Asks for a key to be reconciled, for causes that no informer sees (a timer, a measurement). */
  enqueue(key: string): void;
  stats(): WorkQueueStats;
}

export interface ReconcileLoopDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics;
}

/** How often a loop that waits for its first lists says so. */
const SYNC_REPORT_MS = 30_000;

/** Creates the loop of one controller; its informers are run by whoever made them, so that loops can share them. */
export function createReconcileLoop(deps: ReconcileLoopDeps, options: ReconcileLoopOptions): ReconcileLoop {
  const { clock, metrics } = deps;
  const log = deps.log.child({ controller: options.name });
  const queue = createWorkQueue(deps, options.backoff);
  const deadlineMs = options.deadlineMs ?? 5 * 60_000;

  const reconcile = async (key: string, signal: AbortSignal): Promise<void> => {
    const deadline = { ms: deadlineMs, what: `${options.name} of ${key}`, signal };
    const startedAt = clock.monotonic();
    const measure = (result: 'ok' | 'conflict' | 'error') => {
      const labels = { controller: options.name, result };
      metrics?.observe('holdfast_reconcile_duration_seconds', labels, (clock.monotonic() - startedAt) / 1000);
    };
    try {
      const result = await withDeadline(clock, deadline, (inner) => options.reconcile(key, inner));
      queue.forget(key);
      measure('ok');
      if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      if (signal.aborted) return log.debug('reconcile stopped', { key });
      reportFailure(log, key, error);
      measure(isAppError(error, 'conflict') ? 'conflict' : 'error');
      queue.addRateLimited(key);
    }
  };

  return {
    name: options.name,
    enqueue: (key) => queue.add(key),
    stats: () => queue.stats(),
    run: async (signal) => {
      const unsubscribes = options.watches.map((source) => source.subscribe((key) => queue.add(key)));
      const forget = metrics?.addSource(() => [
        sample('holdfast_reconcile_queue_depth', { controller: options.name }, queue.stats().depth),
      ]);
      try {
        await waitForSources(options.watches, log, signal);
        await queue.run(options.workers ?? 1, (key) => reconcile(key, signal), signal);
      } finally {
        for (const unsubscribe of unsubscribes) unsubscribe();
        forget?.();
      }
    },
  };
}

/** Others changing the object at the same time is everyday life and is only noted; everything else a person should see. */
function reportFailure(log: Logger, key: string, error: unknown): void {
  if (isAppError(error, 'conflict')) log.debug('reconcile met a newer object', { key, err: error });
  else if (isAppError(error) && error.kind !== 'internal') log.warn('reconcile failed', { key, err: error });
  else log.error('reconcile failed', { key, err: error });
}

/** Waits for the first list of every source, however long it takes; says now and then which one is missing. */
export async function waitForSources(
  sources: readonly Pick<KeySource, 'kind' | 'isSynced' | 'whenSynced'>[],
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (const source of sources) {
    while (!source.isSynced() && !signal.aborted) {
      await source.whenSynced({ deadlineMs: SYNC_REPORT_MS, signal }).catch((error: unknown) => {
        if (!signal.aborted) log.warn('waiting for the first list', { kind: source.kind, err: error });
      });
    }
  }
}
