/** Puts faults between a ResourceClient and its user, drawn from a seed: what networks and servers do to calls. */
import { AppError } from '../domain/errors.ts';
import type { KindName } from '../schemas/kinds.ts';
import type { Random } from './random.ts';
import type { ResourceClient, WatchEvent, WatchOptions } from './resource-client.ts';

export interface FaultRates {
  /** Share of calls that fail before they reach the server. */
  readonly failBefore: number;
  /** Share of calls that take effect, but whose answer is lost. */
  readonly failAfter: number;
  /** Share of watch events after which the connection breaks. */
  readonly breakWatch: number;
}

/** No faults by chance; cuts and silences still work. */
export const NO_FAULTS: FaultRates = { failBefore: 0, failAfter: 0, breakWatch: 0 };

export interface FaultyClient extends ResourceClient {
  /** Cuts the server off: calls and watches fail until it is mended. */
  cut(): void;
  mend(): void;
  /** Lets open watches (of one kind, or all) hang without an error and without news, as a firewall that drops packets;
   * new ones work. */
  silenceWatches(kind?: KindName): void;
  /** Breaks open watches with a network error. */
  breakWatches(): void;
  /** Lets lists of a kind fail from now on, or no more, while everything else works: a server that is busy with one table. */
  withholdLists(kind: KindName, isWithheld: boolean): void;
  /** Lets lists of a kind wait for their answer from now on. @returns gives the answers */
  holdLists(kind: KindName): () => void;
  /** Changes the rates from now on. */
  setRates(rates: FaultRates): void;
}

interface OpenWatch {
  readonly kind: KindName;
  end(how: 'broken' | 'silent'): void;
}

/** Creates the faulty client in front of `inner`. */
export function createFaultyClient(inner: ResourceClient, random: Random, initial: FaultRates): FaultyClient {
  const open = new Set<OpenWatch>();
  const withheld = new Set<KindName>();
  const held = new Map<KindName, Promise<void>>();
  let rates = initial;
  let isCut = false;

  const failure = (what: string) => new AppError('unavailable', `${what}: the connection was lost (injected)`);

  const call = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (isCut || random.next() < rates.failBefore) throw failure(what);
    const result = await work();
    // A cut that came while the call was under way loses the answer of what was done.
    if (isCut || random.next() < rates.failAfter) throw failure(what);
    return result;
  };

  async function* watch<K extends KindName>(kind: K, options: WatchOptions): AsyncGenerator<WatchEvent<K>> {
    if (isCut) throw failure(`watch of ${kind}`);
    const ended = Promise.withResolvers<'broken' | 'silent'>();
    const self: OpenWatch = { kind, end: ended.resolve };
    open.add(self);
    const events = inner.watch(kind, options)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await Promise.race([events.next(), ended.promise]);
        if (next === 'silent') await untilAborted(options.signal);
        if (next === 'broken' || random.next() < rates.breakWatch) throw failure(`watch of ${kind}`);
        if (next === 'silent' || next.done === true) return;
        yield next.value;
      }
    } finally {
      open.delete(self);
      // Not awaited: it may be waiting for an event of its own.
      events.return?.().catch(() => undefined);
    }
  }

  const endAll = (how: 'broken' | 'silent', kind?: KindName) => {
    for (const each of open) if (kind === undefined || each.kind === kind) each.end(how);
  };

  return {
    get: (kind, ...rest) => call(`get ${kind}`, () => inner.get(kind, ...rest)),
    list: (kind, ...rest) =>
      call(`list ${kind}`, async () => {
        await held.get(kind);
        if (withheld.has(kind)) throw failure(`list ${kind}`);
        return inner.list(kind, ...rest);
      }),
    create: (kind, ...rest) => call(`create ${kind}`, () => inner.create(kind, ...rest)),
    replace: (kind, ...rest) => call(`replace ${kind}`, () => inner.replace(kind, ...rest)),
    patch: (kind, ...rest) => call(`patch ${kind}`, () => inner.patch(kind, ...rest)),
    delete: (kind, ...rest) => call(`delete ${kind}`, () => inner.delete(kind, ...rest)),
    watch,
    cut: () => {
      isCut = true;
      endAll('broken');
    },
    mend: () => {
      isCut = false;
    },
    silenceWatches: (kind) => endAll('silent', kind),
    breakWatches: () => endAll('broken'),
    withholdLists: (kind, isWithheld) => void (isWithheld ? withheld.add(kind) : withheld.delete(kind)),
    holdLists: (kind) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(kind, promise);
      return () => {
        held.delete(kind);
        resolve();
      };
    },
    setRates: (next) => {
      rates = next;
    },
  };
}

function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}
