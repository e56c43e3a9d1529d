/**
 * The ledger: keeps, outside the hosts that faults are injected into, what their writers were told is safe.
 *
 * A record is acknowledged when its writer has synced it, the ledger has synced its entry, and the writer got `kept`.
 * It takes records of any number of writers; of each in order and without gaps.
 */
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { type LedgerProgress, noProgress, withArrival } from '../../domain/ledger/progress.ts';
import { formatMessage, type LedgerMessage, parseWriterMessage, type WriterMessage } from '../../domain/ledger/wire.ts';
import type { SocketAddress } from '../../domain/socket-address.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LedgerFiles } from '../../ports/ledger-files.ts';
import type { LedgerNetwork, LineHandler, LineLink } from '../../ports/ledger-link.ts';
import type { Logger } from '../../ports/logger.ts';
import { createLatestValue } from './latest-value.ts';
import { type LedgerStore, openStore } from './store.ts';

export interface ServeLedgerDeps {
  readonly clock: Clock;
  readonly files: LedgerFiles;
  readonly network: LedgerNetwork;
  readonly log: Logger;
}

export interface ServeLedgerOptions {
  /** The ledger's file; goes on where it ended when it exists. */
  readonly storePath: string;
  /** Port 0 takes a free one. */
  readonly listen: SocketAddress;
}

export interface LedgerServer {
  readonly address: SocketAddress;
  /** How each writer is getting on, by its name. */
  progress(): readonly LedgerProgress[];
  /** The progress of a writer each time a record of it was acknowledged; a slow reader misses some. */
  watch(signal?: AbortSignal): AsyncIterable<LedgerProgress>;
  close(): Promise<void>;
}

type StoredMessage = Extract<WriterMessage, { type: 'stored' }>;

interface Ledger {
  readonly writers: Map<string, LedgerProgress>;
  readonly store: LedgerStore;
  /** Called after a record was acknowledged. */
  readonly announce: (progress: LedgerProgress) => void;
}

/**
 * Starts the ledger.
 *
 * @throws {AppError} precondition when the address is taken; dataLoss when the ledger's file is damaged
 */
export async function serveLedger(deps: ServeLedgerDeps, options: ServeLedgerOptions): Promise<LedgerServer> {
  const writers = new Map<string, LedgerProgress>();
  const store = await openStore(deps.files, options.storePath, (entry) => note(writers, entry));
  const news = createLatestValue<LedgerProgress>();
  const ledger: Ledger = { writers, store, announce: news.set };
  const readTime = steadyTime(deps.clock);
  // One message at a time, whichever link it came by: a writer that reconnected may repeat what is just being stored.
  let queue: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): void => {
    queue = queue.then(work);
  };
  const accept = (link: LineLink): LineHandler => createLinkHandler({ deps, ledger, link, inTurn, readTime });

  try {
    const server = await deps.network.listen(options.listen, accept);
    return {
      address: server.address,
      progress: () => [...writers.values()],
      watch: news.watch,
      close: async () => {
        await server.close();
        await queue;
        news.end();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The wall clock as it was at the start, moved on by a clock that never jumps: stalls are differences of these times. */
function steadyTime(clock: Clock): () => number {
  const offset = clock.now() - clock.monotonic();
  return () => Math.round(offset + clock.monotonic());
}

function note(writers: Map<string, LedgerProgress>, entry: LedgerEntry): LedgerProgress {
  const progress = withArrival(writers.get(entry.writer) ?? noProgress(entry.writer), entry);
  writers.set(entry.writer, progress);
  return progress;
}

interface LinkContext {
  readonly deps: ServeLedgerDeps;
  readonly ledger: Ledger;
  readonly link: LineLink;
  readonly inTurn: (work: () => Promise<void>) => void;
  readonly readTime: () => number;
}

function createLinkHandler(context: LinkContext): LineHandler {
  const { deps, ledger, link } = context;
  const answer = (message: LedgerMessage): void => link.send(formatMessage(message));
  const refuse = (reason: string): void => {
    deps.log.warn('refused a line sent to the ledger', { peer: link.peer, reason });
    answer({ type: 'refused', reason });
  };
  let writer: string | undefined;

  const take = async (message: WriterMessage | undefined, at: number): Promise<void> => {
    if (message === undefined) return refuse('this is a Holdfast ledger, and that was none of its messages');
    if (message.type === 'hello') {
      writer = message.writer;
      const { lastSeq, lastHash } = ledger.writers.get(writer) ?? noProgress(writer);
      return answer({ type: 'welcome', seq: lastSeq, hash: lastHash });
    }
    if (writer === undefined) return refuse('a writer says hello first');
    const reason = await keep(ledger, { ...message, writer, at });
    return reason === undefined ? answer({ type: 'kept', seq: message.seq }) : refuse(reason);
  };

  return {
    line: (text) => {
      const at = context.readTime();
      context.inTurn(async () => {
        try {
          await take(parseWriterMessage(text), at);
        } catch (err) {
          // No answer: whether the entry is kept is not known. The writer connects and asks again.
          deps.log.error('the ledger could not store a record', { peer: link.peer, err });
          link.close();
        }
      });
    },
    closed: () => undefined,
  };
}

/** Stores the record; a text says why it does not belong there. */
async function keep(
  ledger: Ledger,
  message: StoredMessage & { readonly writer: string; readonly at: number },
): Promise<string | undefined> {
  const { lastSeq, lastHash } = ledger.writers.get(message.writer) ?? noProgress(message.writer);
  if (message.seq === lastSeq && message.hash === lastHash) return undefined;
  if (message.seq !== lastSeq + 1 || message.previous !== lastHash) {
    return `record ${message.seq} of ${message.writer} does not follow record ${lastSeq}, the last one acknowledged`;
  }
  const entry = { writer: message.writer, seq: message.seq, hash: message.hash, at: message.at };
  await ledger.store.append(entry);
  ledger.announce(note(ledger.writers, entry));
  return undefined;
}
