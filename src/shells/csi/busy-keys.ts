/** What is being worked on: a second call for the same thing is turned away, as the CSI text asks for. */
import { AppError } from '../../domain/errors.ts';

export interface BusyKeys {
  /**
   * Takes all of the keys, or none.
   *
   * @returns gives them back; safe to call twice
   * @throws {AppError} conflict, when one of them is taken
   */
  take(keys: readonly string[]): () => void;
}

/** Creates the record of one server. */
export function createBusyKeys(): BusyKeys {
  const taken = new Set<string>();
  return {
    take: (keys) => {
      const own = [...new Set(keys)];
      const busy = own.find((key) => taken.has(key));
      if (busy !== undefined) {
        throw new AppError('conflict', `another call is at work on ${JSON.stringify(busy.slice(0, 200))}`, {
          reason: 'OperationPending',
          hint: 'ask again when that call has ended',
        });
      }
      for (const key of own) taken.add(key);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        for (const key of own) taken.delete(key);
      };
    },
  };
}
