/** Notices when something that should be heard of again and again has fallen silent. */
import type { Clock, Millis } from '../../ports/clock.ts';

export interface SilenceAlarm {
  /** Something was heard: the time begins anew. */
  heard(): void;
  /** The alarm is not wanted any more. */
  stop(): void;
}

/** Calls `onSilence` once, when nothing was heard for `limitMs`; counts from now. */
export function startSilenceAlarm(clock: Clock, limitMs: Millis, onSilence: () => void): SilenceAlarm {
  const stopped = new AbortController();
  let heardAt = clock.monotonic();
  const guard = async (): Promise<void> => {
    for (let left = limitMs; left > 0; left = heardAt + limitMs - clock.monotonic()) {
      await clock.sleep(left, stopped.signal);
    }
    onSilence();
  };
  guard().catch(() => undefined); // only ever rejects when stopped
  return {
    heard: () => {
      heardAt = clock.monotonic();
    },
    stop: () => stopped.abort(),
  };
}
