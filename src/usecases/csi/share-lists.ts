/** Lists of everything, read once for all calls that ask for them at the same time. */
import type { ListOptions, ResourceClient, ResourceList } from '../../ports/resource-client.ts';
import type { KindName } from '../../schemas/kinds.ts';
import { cancelled } from '../waiting/wait-for-object.ts';

interface Reading {
  readonly list: Promise<ResourceList<KindName>>;
  readonly join: () => void;
  /** Ends the question to the server as soon as nobody wants its answer any more. */
  readonly leave: () => void;
}

/** Of one kind. */
interface Lane {
  /** Resolves when the reading that is under way has ended, well or not. */
  free: Promise<unknown>;
  /** The one that begins then. */
  next: Reading | undefined;
}

/**
 * A client whose lists of a whole kind are shared: whoever asks while one is being read waits for it, and shares the next with all
 * who have come meanwhile. Each gets what was read after it had asked, so nothing is older than without this. A hundred
 * claims at once would otherwise read all copies a hundred times, which took seconds each on a busy API server.
 */
export function shareLists(client: ResourceClient): ResourceClient {
  const lanes = new Map<KindName, Lane>();
  const list = async <K extends KindName>(kind: K, options: ListOptions = {}): Promise<ResourceList<K>> => {
    const { signal, ...selection } = options;
    if (Object.keys(selection).length > 0) return client.list(kind, options);
    if (signal?.aborted === true) throw cancelled(signal.reason);
    const lane = lanes.get(kind) ?? { free: Promise.resolve(), next: undefined };
    lanes.set(kind, lane);
    const reading = (lane.next ??= readNext(client, kind, lane));
    return waitFor(reading, signal);
  };
  return { ...client, list };
}

function readNext(client: ResourceClient, kind: KindName, lane: Lane): Reading {
  const stop = new AbortController();
  let waiting = 0;
  const close = (): void => {
    if (lane.next === reading) lane.next = undefined;
  };
  const list = lane.free.then(() => {
    close();
    stop.signal.throwIfAborted();
    return client.list(kind, { signal: stop.signal });
  });
  lane.free = list.catch(() => undefined); // Whoever waits for the reading is told; the next one begins anyway.
  const reading: Reading = {
    list,
    join: () => {
      waiting += 1;
    },
    leave: () => {
      waiting -= 1;
      if (waiting > 0) return;
      close();
      stop.abort();
    },
  };
  return reading;
}

async function waitFor(reading: Reading, signal: AbortSignal | undefined): Promise<ResourceList<KindName>> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(cancelled(signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });
  reading.join();
  try {
    return await Promise.race([reading.list, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    reading.leave();
  }
}
