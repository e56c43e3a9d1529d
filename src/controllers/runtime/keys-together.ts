/** Keys that each change of a kind concerns, whichever object it is of: asked for once for changes that come together. */
import type { Clock, Millis } from '../../ports/clock.ts';
import type { KindName } from '../../schemas/kinds.ts';
import { createDelayedKeys } from './delayed-keys.ts';
import type { Informer } from './informer.ts';
import { type KeySource, watchKeys } from './reconcile-loop.ts';

/** The first change is told at once; those after it together, at most so often. */
const EVERY_MS: Millis = 1_000;
const ALL = 'all';

/**
 * Makes an informer a source of many keys. A thousand nodes that are heard of one after the other would otherwise each look up
 * the same twenty thousand volumes: a controller was busy with that for minutes before it looked at the first.
 *
 * @param keysOf - the keys that any change concerns; called when they are told
 */
export function watchKeysTogether<K extends KindName>(
  clock: Clock,
  informer: Informer<K>,
  keysOf: () => readonly string[],
): KeySource {
  const subscribe = (enqueue: (key: string) => void): (() => void) => {
    let nextAt = clock.monotonic();
    const tell = (): void => {
      nextAt = clock.monotonic() + EVERY_MS;
      for (const key of keysOf()) enqueue(key);
    };
    const later = createDelayedKeys(clock, tell);
    const unsubscribe = informer.onChange(() => {
      const waitMs = nextAt - clock.monotonic();
      if (waitMs > 0 || later.size() > 0) later.add(ALL, waitMs);
      else tell();
    });
    return () => {
      unsubscribe();
      later.clear();
    };
  };
  return { ...watchKeys(informer, keysOf), subscribe };
}
