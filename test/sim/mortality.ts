/** Makes a program in this process mortal: after its death no clock and no client ever answers it again. */
import type { Clock } from '../../src/ports/clock.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';

export interface Mortality {
  readonly clock: Clock;
  client(inner: ResourceClient): ResourceClient;
  kill(): void;
  killAtWrite(n: number, when: 'before' | 'after'): void;
  isAlive(): boolean;
  writes(): number;
}

/** Nothing after an await on this ever runs: a dead program's code stays where it was. */
function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** Creates the life of one process on this clock. */
export function createMortality(clock: Clock): Mortality {
  const death = new AbortController();
  let writes = 0;
  let fatal: { readonly write: number; readonly when: 'before' | 'after' } | undefined;

  const isAlive = () => !death.signal.aborted;
  const kill = () => death.abort();

  /** The outcome of work, unless the process died meanwhile. */
  const survive = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      work.then(
        (value) => isAlive() && resolve(value),
        (error: unknown) => isAlive() && reject(error),
      );
    });

  const read = <T>(work: () => Promise<T>): Promise<T> => (isAlive() ? survive(work()) : never());
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!isAlive()) return never();
    writes += 1;
    const isFatal = fatal?.write === writes;
    if (isFatal && fatal?.when === 'before') kill();
    if (!isAlive()) return never();
    return survive(
      work().finally(() => {
        if (isFatal) kill();
      }),
    );
  };

  return {
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => read(() => sleepMortally(clock, ms, { signal, death: death.signal })),
    },
    client: (inner) => ({
      get: (kind, ...rest) => read(() => inner.get(kind, ...rest)),
      list: (kind, ...rest) => read(() => inner.list(kind, ...rest)),
      create: (kind, ...rest) => write(() => inner.create(kind, ...rest)),
      replace: (kind, ...rest) => write(() => inner.replace(kind, ...rest)),
      patch: (kind, ...rest) => write(() => inner.patch(kind, ...rest)),
      delete: (kind, ...rest) => write(() => inner.delete(kind, ...rest)),
      watch: (kind, options) => {
        // The connection of a dead process is closed by its machine, so the server's side of the watch ends too.
        const signal = options.signal === undefined ? death.signal : AbortSignal.any([options.signal, death.signal]);
        const events = inner.watch(kind, { ...options, signal })[Symbol.asyncIterator]();
        const iterator = {
          next: () => read(() => events.next()),
          return: () => read(() => events.return?.() ?? Promise.resolve({ done: true as const, value: undefined })),
        };
        return { [Symbol.asyncIterator]: () => iterator };
      },
    }),
    kill,
    killAtWrite: (n, when) => {
      fatal = { write: n, when };
    },
    isAlive,
    writes: () => writes,
  };
}

/** A sleep that leaves no timer behind when its process dies. */
async function sleepMortally(
  clock: Clock,
  ms: number,
  { signal, death }: { readonly signal: AbortSignal | undefined; readonly death: AbortSignal },
): Promise<void> {
  const either = new AbortController();
  const stop = () => either.abort(signal?.reason);
  signal?.addEventListener('abort', stop);
  death.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    await clock.sleep(ms, either.signal);
  } finally {
    signal?.removeEventListener('abort', stop);
    death.removeEventListener('abort', stop);
  }
}
