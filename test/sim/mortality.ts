/** Makes a program in this process mortal: after its death no clock and no client ever answers it again. */
import type { Clock } from '../../src/ports/clock.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import type { KindName } from '../../src/schemas/kinds.ts';

export interface Mortality {
  readonly clock: Clock;
  client(inner: ResourceClient): ResourceClient;
  /** Does the work, but a process that is dead by its end never hears of it. */
  survive<T>(work: () => Promise<T>): Promise<T>;
  kill(): void;
  killAtWrite(n: number, when: 'before' | 'after'): void;
  isAlive(): boolean;
  /** Begun so far, but heartbeats and Events: those are no part of any work. */
  writes(): number;
  /** Resolves at its death. */
  readonly died: Promise<void>;
}

const NOT_COUNTED: ReadonlySet<KindName> = new Set(['Lease', 'Event']);

/** Nothing after an await on this ever runs: a dead program's code stays where it was. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** Told of each write that counts, in words; the process dies before or after it when it says so. */
export type BeginWrite = (what: string) => 'before' | 'after' | undefined;

/** Creates the life of one process on this clock. */
export function createMortality(clock: Clock, beginWrite: BeginWrite = () => undefined): Mortality {
  const death = new AbortController();
  let writes = 0;
  let fatal: { readonly write: number; readonly when: 'before' | 'after' } | undefined;

  const isAlive = () => !death.signal.aborted;
  const { promise: died, resolve: markDead } = Promise.withResolvers<void>();
  const kill = () => {
    death.abort();
    markDead();
  };

  /** The outcome of work, unless the process died meanwhile. */
  const outcome = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      work.then(
        (value) => isAlive() && resolve(value),
        (error: unknown) => isAlive() && reject(error),
      );
    });

  const read = <T>(work: () => Promise<T>): Promise<T> => (isAlive() ? outcome(work()) : never());
  const write = async <T>(verb: string, kind: KindName, work: () => Promise<T>): Promise<T> => {
    if (!isAlive()) return never();
    const isCounted = !NOT_COUNTED.has(kind);
    if (isCounted) writes += 1;
    const planned = isCounted && fatal?.write === writes ? fatal.when : undefined;
    const dies = isCounted ? (beginWrite(`${verb} ${kind}`) ?? planned) : undefined;
    if (dies === 'before') kill();
    if (!isAlive()) return never();
    return outcome(
      work().finally(() => {
        if (dies !== undefined) kill();
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
      create: (kind, ...rest) => write('create', kind, () => inner.create(kind, ...rest)),
      replace: (kind, ...rest) => write('replace', kind, () => inner.replace(kind, ...rest)),
      patch: (kind, ...rest) => write('patch', kind, () => inner.patch(kind, ...rest)),
      delete: (kind, ...rest) => write('delete', kind, () => inner.delete(kind, ...rest)),
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
    survive: read,
    kill,
    killAtWrite: (n, when) => {
      fatal = { write: n, when };
    },
    isAlive,
    died,
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
