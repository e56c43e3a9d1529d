/** One at a time per key: GlusterFS refuses a second command on a volume, so ours wait for each other instead. */

export interface KeyedMutex {
  /** Runs `act` when everything asked for earlier with the same key has ended. */
  run<T>(key: string, act: () => Promise<T>): Promise<T>;
}

/** Creates a mutex without a limit on keys; a key is forgotten when nobody waits for it. */
export function createKeyedMutex(): KeyedMutex {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run: async (key, act) => {
      const before = tails.get(key);
      const { promise: tail, resolve } = Promise.withResolvers<void>();
      tails.set(key, tail);
      try {
        await before;
        return await act();
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
        resolve();
      }
    },
  };
}
