/** Waits for a fact about one object by watching it, with a deadline and a reason. */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import type { KindName } from '../../schemas/kinds.ts';

export interface WaitDeps {
  readonly client: ResourceClient;
  readonly clock: Clock;
}

export interface WaitRequest<K extends KindName, T> {
  readonly kind: K;
  readonly name: string;
  /** Of a namespaced kind; default holdfast-system. */
  readonly namespace?: string;
  /** The answer, or undefined to wait on. Gets undefined when the object is not there. May throw to give up. */
  readonly check: (object: Resource<K> | undefined) => T | undefined;
  readonly timeoutMs: number;
  /** The sentence of the timeout, from the object as it was seen last. */
  readonly describeTimeout: (object: Resource<K> | undefined) => AppError;
  readonly signal?: AbortSignal;
}

/** Between two questions to a server that does not answer. */
const RETRY_MS = 500;

/**
 * Resolves with the first answer of `check`.
 *
 * @throws {AppError} timeout, as described; cancelled, when the signal aborts; what `check` throws
 */
export async function waitForObject<K extends KindName, T>(deps: WaitDeps, request: WaitRequest<K, T>): Promise<T> {
  const { timeoutMs, describeTimeout, signal } = request;
  const stop = new AbortController();
  const state: { last: Resource<K> | undefined } = { last: undefined };
  const onAbort = () => stop.abort(cancelled(signal?.reason));
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const deadline = deps.clock.sleep(timeoutMs, stop.signal).then(
    () => stop.abort(describeTimeout(state.last)),
    // The wait was over before its deadline: there is nobody to tell.
    () => undefined,
  );
  try {
    return await follow(deps, request, { state, signal: stop.signal });
  } catch (error) {
    // Whatever the client made of the abort, its reason is the answer.
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop.abort();
    await deadline;
  }
}

async function follow<K extends KindName, T>(
  deps: WaitDeps,
  request: WaitRequest<K, T>,
  run: { readonly state: { last: Resource<K> | undefined }; readonly signal: AbortSignal },
): Promise<T> {
  const { state, signal } = run;
  for (;;) {
    signal.throwIfAborted();
    try {
      const answer = await followOnce(deps.client, request, run);
      if (answer !== undefined) return answer.value;
    } catch (error) {
      signal.throwIfAborted();
      const isBreak = isAppError(error, 'unavailable') || (isAppError(error, 'conflict') && error.reason === 'Expired');
      if (!isBreak) throw error;
      state.last = undefined;
      await deps.clock.sleep(RETRY_MS, signal);
    }
  }
}

/** One list and one watch; undefined when the watch ended without an answer. */
async function followOnce<K extends KindName, T>(
  client: ResourceClient,
  { kind, name, namespace, check }: WaitRequest<K, T>,
  { state, signal }: { readonly state: { last: Resource<K> | undefined }; readonly signal: AbortSignal },
): Promise<{ readonly value: T } | undefined> {
  const scope = namespace === undefined ? { signal } : { signal, namespace };
  const selector = { ...scope, fieldSelector: `metadata.name=${name}` };
  const { items, resourceVersion } = await client.list(kind, selector);
  state.last = items[0];
  const first = check(state.last);
  if (first !== undefined) return { value: first };
  for await (const event of client.watch(kind, { ...selector, resourceVersion })) {
    if (event.type === 'BOOKMARK') continue;
    state.last = event.type === 'DELETED' ? undefined : event.object;
    const answer = check(state.last);
    if (answer !== undefined) return { value: answer };
  }
  return undefined;
}

/** What became of a wait whose signal was aborted for this reason. */
export function cancelled(reason: unknown): AppError {
  return reason instanceof AppError ? reason : new AppError('cancelled', 'interrupted', { cause: reason });
}
