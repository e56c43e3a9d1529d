/** A writer's side of the ledger: reports a record until the ledger has confirmed it, over as many connections as that takes. */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { LedgerRecord } from '../../domain/ledger/record.ts';
import { formatMessage, type LedgerMessage, parseLedgerMessage, type WriterMessage } from '../../domain/ledger/wire.ts';
import { formatSocketAddress, type SocketAddress } from '../../domain/socket-address.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LedgerNetwork, LineLink } from '../../ports/ledger-link.ts';
import { pause } from './pause.ts';

const CONNECT_TIMEOUT_MS = 2_000;
/** A ledger that says nothing for this long is taken for gone; storing an entry takes it milliseconds. */
const ANSWER_TIMEOUT_MS = 5_000;
const RECONNECT_MS = 200;

export interface LedgerClientOptions {
  readonly ledger: SocketAddress;
  readonly writer: string;
  /** How long one report may take, with all its attempts. */
  readonly giveUpAfterMs: number;
  readonly signal: AbortSignal;
}

export interface LedgerClient {
  /** The last record that the ledger has of this writer; seq 0 when it has none. */
  hello(): Promise<{ readonly seq: number; readonly hash: string }>;
  /**
   * Returns when the record is acknowledged.
   *
   * @throws {AppError} precondition when the ledger refuses it; unavailable when it cannot be reached in time; cancelled
   */
  confirm(record: Pick<LedgerRecord, 'seq' | 'previous' | 'hash'>): Promise<void>;
  /** How often a connection was made after the first. */
  reconnects(): number;
  close(): void;
}

interface Connection {
  readonly link: LineLink;
  readonly welcome: { readonly seq: number; readonly hash: string };
  ask(message: WriterMessage): Promise<LedgerMessage>;
}

/** Creates the client; it connects when it is first used. */
export function createLedgerClient(
  deps: { readonly clock: Clock; readonly network: LedgerNetwork },
  options: LedgerClientOptions,
): LedgerClient {
  let connection: Connection | undefined;
  let connects = 0;

  const drop = (): void => {
    connection?.link.close();
    connection = undefined;
  };
  const connected = async (): Promise<Connection> => {
    if (connection === undefined) {
      connection = await connect(deps, options);
      connects += 1;
    }
    return connection;
  };

  /** Attempts until it works; only a lack of answer is worth another attempt. */
  const insist = async <T>(attempt: () => Promise<T>): Promise<T> => {
    const giveUpAt = deps.clock.monotonic() + options.giveUpAfterMs;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        drop();
        if (!isAppError(error, 'unavailable') || deps.clock.monotonic() >= giveUpAt) throw error;
      }
      await pause(deps.clock, RECONNECT_MS, options.signal);
    }
  };

  return {
    hello: () => insist(async () => (await connected()).welcome),
    confirm: (record) =>
      insist(async () => {
        const isNew = connection === undefined;
        const { ask, welcome } = await connected();
        // Kept before the connection broke; only the answer was lost.
        if (isNew && welcome.seq === record.seq && welcome.hash === record.hash) return;
        const { seq, previous, hash } = record;
        const answer = await ask({ type: 'stored', seq, previous, hash });
        if (answer.type !== 'kept' || answer.seq !== seq) throw unexpected(options, answer);
      }),
    reconnects: () => Math.max(0, connects - 1),
    close: drop,
  };
}

async function connect(
  deps: { readonly clock: Clock; readonly network: LedgerNetwork },
  options: LedgerClientOptions,
): Promise<Connection> {
  let waiting: PromiseWithResolvers<string> | undefined;
  let isClosed = false;
  const gone = (): AppError => new AppError('unavailable', `the connection to the ledger at ${where(options)} broke`);
  const handler = {
    line: (text: string): void => waiting?.resolve(text),
    closed: (): void => {
      isClosed = true;
      waiting?.reject(gone());
    },
  };
  const { signal } = options;
  const link = await deps.network.connect(options.ledger, handler, { timeoutMs: CONNECT_TIMEOUT_MS, signal });
  const ask = async (message: WriterMessage): Promise<LedgerMessage> => {
    if (isClosed) throw gone();
    waiting = Promise.withResolvers<string>();
    link.send(formatMessage(message));
    return read(await inTime(deps.clock, waiting.promise, options), options);
  };
  try {
    const answer = await ask({ type: 'hello', writer: options.writer });
    if (answer.type !== 'welcome') throw unexpected(options, answer);
    return { link, ask, welcome: answer };
  } catch (error) {
    link.close();
    throw error;
  }
}

function read(line: string, options: LedgerClientOptions): LedgerMessage {
  const message = parseLedgerMessage(line);
  if (message === undefined) {
    throw new AppError('precondition', `what answers at ${where(options)} is no Holdfast ledger`, {
      hint: 'start one with: holdfast ledger serve',
    });
  }
  return message;
}

function unexpected(options: LedgerClientOptions, answer: LedgerMessage): AppError {
  const said = answer.type === 'refused' ? answer.reason : `it answered "${answer.type}"`;
  return new AppError('precondition', `the ledger at ${where(options)} refuses writer ${options.writer}: ${said}`, {
    reason: 'LedgerRefused',
    hint: 'a new file needs a new --writer, and a file that goes on needs the ledger that it began with',
  });
}

async function inTime<T>(clock: Clock, answer: Promise<T>, options: LedgerClientOptions): Promise<T> {
  const timer = new AbortController();
  const timeout = pause(clock, ANSWER_TIMEOUT_MS, AbortSignal.any([timer.signal, options.signal])).then(() => {
    throw new AppError('unavailable', `the ledger at ${where(options)} does not answer`);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    timer.abort();
    // Whichever lost the race ends now too; its error was not asked for.
    timeout.catch(() => undefined);
    answer.catch(() => undefined);
  }
}

function where(options: LedgerClientOptions): string {
  return formatSocketAddress(options.ledger);
}
