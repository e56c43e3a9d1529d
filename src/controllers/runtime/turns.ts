/** Work of several loops that must not overlap: each looks, decides and writes before the next looks. */
import { unlessAborted } from './cancellation.ts';

export interface Turn {
  /** One more than that of the turn before. */
  readonly number: number;
  /** True while somebody waits for the next one. */
  isAwaited(): boolean;
}

export interface Turns {
  /**
   * Does the work when everything that asked before has ended. Work that is aborted has had its turn: nothing that it asks for
   * from then on is carried out.
   *
   * @throws the signal's reason, when it is aborted before the turn comes or the work ends
   */
  take<T>(signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T>;
}

/** Creates one order for all who share it. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  let taken = 0;
  let asked = 0;
  return {
    take: async (signal, work) => {
      const before = last;
      asked += 1;
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      // Who gives up waiting lets nobody pass: the one before may still be at work.
      last = before.then(() => ended);
      try {
        await unlessAborted(signal, before);
        taken += 1;
        return await unlessAborted(signal, work({ number: taken, isAwaited: () => asked > 1 }));
      } finally {
        asked -= 1;
        end();
      }
    },
  };
}
