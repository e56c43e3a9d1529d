/** When each node's heartbeat was last heard, and word of those that fall silent: one timer for all of them. */
import type { Clock, Millis } from '../../ports/clock.ts';

export interface Heartbeats {
  /**
   * The heartbeat says this time now. Its age is counted from when this process saw it change, by its own clock: clocks of
   * machines differ, and after a take-over of leadership every node gets a full period before it counts as silent. That is
   * patience and no sign of life: see {@link hasBeaten}.
   */
  heard(node: string, renewTime: string): void;
  forget(node: string): void;
  /** Undefined for a node that was never heard. */
  silenceOf(node: string): Millis | undefined;
  /**
   * True when this process saw the heartbeat change. The first that it is told may be as old as it likes: who died before
   * this process began to listen left one behind as well.
   */
  hasBeaten(node: string): boolean;
  /** Ends the timer. */
  stop(): void;
}

interface Beat {
  readonly renewTime: string;
  readonly at: Millis;
  readonly isFirst: boolean;
}

/**
 * Listens to heartbeats. A thousand nodes beat a thousand times a second, so that a beat which only goes on costs next to
 * nothing: nobody is told of it, and no timer is set for it.
 *
 * @param limitMs - silence that counts
 * @param onTurn - called when a node is heard for the first time, beats for the first time, falls silent, and is heard again
 */
export function createHeartbeats(clock: Clock, limitMs: Millis, onTurn: (node: string) => void): Heartbeats {
  /** In the order in which they were heard: the first is the next to fall silent. */
  const fresh = new Map<string, Beat>();
  const silent = new Map<string, Beat>();
  const stopped = new AbortController();
  let isWatching = false;

  const watch = async (): Promise<void> => {
    for (let first = firstOf(fresh); first !== undefined; first = firstOf(fresh)) {
      const [node, beat] = first;
      const left = beat.at + limitMs - clock.monotonic();
      if (left > 0) {
        await clock.sleep(left, stopped.signal);
        continue;
      }
      fresh.delete(node);
      silent.set(node, beat);
      onTurn(node);
    }
    isWatching = false;
  };

  return {
    heard: (node, renewTime) => {
      const before = fresh.get(node) ?? silent.get(node);
      if (before?.renewTime === renewTime) return;
      const isTurn = !fresh.delete(node) || before?.isFirst === true;
      silent.delete(node);
      fresh.set(node, { renewTime, at: clock.monotonic(), isFirst: before === undefined });
      if (isTurn) onTurn(node);
      if (isWatching || stopped.signal.aborted) return;
      isWatching = true;
      watch().catch(() => undefined); // only ever rejects when stopped
    },
    forget: (node) => {
      fresh.delete(node);
      silent.delete(node);
    },
    silenceOf: (node) => {
      const beat = fresh.get(node) ?? silent.get(node);
      return beat === undefined ? undefined : clock.monotonic() - beat.at;
    },
    hasBeaten: (node) => (fresh.get(node) ?? silent.get(node))?.isFirst === false,
    stop: () => stopped.abort(),
  };
}

function firstOf(beats: ReadonlyMap<string, Beat>): readonly [string, Beat] | undefined {
  return beats.entries().next().value;
}
