/** A stream of values of which a slow reader sees only the latest: for progress, where the past is of no use. */

export interface LatestValue<T> {
  set(value: T): void;
  /** Values set from now on; ends when the signal aborts or `end` is called. */
  watch(signal?: AbortSignal): AsyncIterable<T>;
  end(): void;
}

/** Creates a stream that any number of readers can watch. */
export function createLatestValue<T>(): LatestValue<T> {
  let version = 0;
  let latest: T | undefined;
  let hasEnded = false;
  let wake = Promise.withResolvers<void>();

  const wakeAll = (): void => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };

  async function* watch(signal?: AbortSignal): AsyncGenerator<T> {
    let seen = version;
    signal?.addEventListener('abort', wakeAll, { once: true });
    try {
      while (signal?.aborted !== true) {
        if (version !== seen) {
          seen = version;
          yield latest as T;
        } else if (hasEnded) return;
        else await wake.promise;
      }
    } finally {
      signal?.removeEventListener('abort', wakeAll);
    }
  }

  return {
    set: (value) => {
      latest = value;
      version += 1;
      wakeAll();
    },
    watch,
    end: () => {
      hasEnded = true;
      wakeAll();
    },
  };
}
