/**
 * The ledger writer: writes record after record to a file on the storage under test, syncs each, and reports it to a
 * ledger elsewhere. What the ledger confirmed must be readable ever after; that is the promise `holdfast ledger check`
 * holds the storage to.
 *
 * Every record has its place in the file. After an error nobody knows what of it arrived, so the file is opened anew and
 * the same bytes are written to the same place again: nothing is ever there twice, and a record whose write failed was
 * not acknowledged until a later write of it, and the sync after that, succeeded.
 */
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { formatRecord, type HashText, type LedgerRecord, makeRecord } from '../../domain/ledger/record.ts';
import type { SocketAddress } from '../../domain/socket-address.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DurableFile, LedgerFiles } from '../../ports/ledger-files.ts';
import type { LedgerNetwork } from '../../ports/ledger-link.ts';
import type { Logger } from '../../ports/logger.ts';
import { createLedgerClient, type LedgerClient } from './ledger-client.ts';
import { pause } from './pause.ts';
import { findResumePoint, type ResumePoint } from './resume-point.ts';

/** Between two attempts to write; short beside the stalls that are measured. */
const RETRY_MS = 100;

export interface WriteLedgerDeps {
  readonly clock: Clock;
  readonly files: LedgerFiles;
  readonly network: LedgerNetwork;
  readonly hash: HashText;
  readonly log: Logger;
}

export interface WriteLedgerOptions {
  /** File on the storage under test. When it exists the writer goes on behind its last record. */
  readonly path: string;
  /** An RFC 1123 label. */
  readonly writer: string;
  readonly ledger: SocketAddress;
  readonly payloadBytes: number;
  /** At most so many records a second; as fast as acknowledgements come when absent. */
  readonly ratePerSecond?: number;
  /** Stop after so many records of this run, or after so long; whichever comes first. Neither: until the signal. */
  readonly count?: number;
  readonly durationMs?: number;
  /** What to do when the storage reports an error: try again until `giveUpAfterMs` has passed, or stop at once. */
  readonly onError: 'retry' | 'stop';
  /** How long one record may take, for the storage and for the ledger each. */
  readonly giveUpAfterMs: number;
  /** Ends the run in order: what was acknowledged is reported. */
  readonly signal: AbortSignal;
}

export interface WriteLedgerResult {
  readonly writer: string;
  /** Records acknowledged in this run. */
  readonly acknowledged: number;
  readonly lastSeq: number;
  /** Errors of the storage that were tried again, by the system's code. */
  readonly storageErrors: Readonly<Record<string, number>>;
  /** Connections to the ledger made anew. */
  readonly reconnects: number;
  readonly seconds: number;
}

/**
 * Writes until count, duration or signal say stop.
 *
 * @throws {AppError} dataLoss when the file has less than the ledger; unavailable when the storage or the ledger gave no
 *   success in time; precondition when file, writer and ledger do not belong together
 */
export async function writeLedger(deps: WriteLedgerDeps, options: WriteLedgerOptions): Promise<WriteLedgerResult> {
  const { ledger, writer, giveUpAfterMs, signal } = options;
  const client = createLedgerClient(deps, { ledger, writer, giveUpAfterMs, signal });
  const storage = createStorage(deps, options);
  const startedAt = deps.clock.monotonic();
  let acknowledged = 0;
  let lastSeq = 0;
  try {
    const start = await begin({ deps, options, client, storage });
    lastSeq = start.acknowledged.seq;
    for await (const record of recordsFrom(deps, options, start)) {
      await storage.put(record);
      await client.confirm(record);
      acknowledged += 1;
      lastSeq = record.seq;
    }
  } catch (error) {
    // A stop in the middle of a record leaves it unacknowledged, which is what it is.
    if (!(signal.aborted && isAppError(error, 'cancelled'))) throw error;
  } finally {
    client.close();
    await storage.close();
  }
  const seconds = (deps.clock.monotonic() - startedAt) / 1000;
  const storageErrors = storage.errors();
  return { writer, acknowledged, lastSeq, storageErrors, reconnects: client.reconnects(), seconds };
}

interface BeginInput {
  readonly deps: WriteLedgerDeps;
  readonly options: WriteLedgerOptions;
  readonly client: LedgerClient;
  readonly storage: Storage;
}

async function begin({ deps, options, client, storage }: BeginInput): Promise<ResumePoint> {
  const known = await client.hello();
  const point = await storage.open((file) =>
    findResumePoint((offset, length) => file.read(offset, length), deps.hash, {
      path: options.path,
      writer: options.writer,
      ...known,
    }),
  );
  deps.log.info('writing begins', { path: options.path, writer: options.writer, afterSeq: point.acknowledged.seq });
  return point;
}

async function* recordsFrom(
  deps: WriteLedgerDeps,
  options: WriteLedgerOptions,
  start: ResumePoint,
): AsyncIterable<LedgerRecord> {
  const { clock } = deps;
  const endAt = clock.monotonic() + (options.durationMs ?? Number.POSITIVE_INFINITY);
  const intervalMs = options.ratePerSecond === undefined ? 0 : 1000 / options.ratePerSecond;
  let last: { readonly seq: number; readonly hash: string } = start.acknowledged;
  // Reported first: it is in the file, and the ledger expects it next.
  if (start.unreported !== undefined) {
    yield start.unreported;
    last = start.unreported;
  }
  const beganAfter = start.acknowledged.seq;
  for (let dueAt = clock.monotonic(); ; dueAt = Math.max(dueAt + intervalMs, clock.monotonic())) {
    const isEnough = last.seq - beganAfter >= (options.count ?? Number.POSITIVE_INFINITY);
    if (isEnough || clock.monotonic() >= endAt || options.signal.aborted) return;
    const waitMs = Math.min(dueAt, endAt) - clock.monotonic();
    if (waitMs > 0) await pause(clock, waitMs, options.signal);
    const { writer, payloadBytes } = options;
    const input = { seq: last.seq + 1, writer, time: clock.now(), previous: last.hash, payloadBytes };
    const record = makeRecord(input, deps.hash);
    yield record;
    last = record;
  }
}

interface Storage {
  /** Opens the file, lets `look` find the place to go on, and cuts off what stands behind it. */
  open(look: (file: DurableFile) => Promise<ResumePoint>): Promise<ResumePoint>;
  /** Returns when the record is written and synced. */
  put(record: LedgerRecord): Promise<void>;
  errors(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

function createStorage(deps: WriteLedgerDeps, options: WriteLedgerOptions): Storage {
  const { clock, files, log } = deps;
  const errors = new Map<string, number>();
  let file: DurableFile | undefined;
  let offset = 0;

  const close = async (): Promise<void> => {
    await file?.close();
    file = undefined;
  };
  const noteFailure = async (error: unknown, giveUpAt: number): Promise<void> => {
    await close();
    const code = (isAppError(error) && error.reason) || 'UNKNOWN';
    errors.set(code, (errors.get(code) ?? 0) + 1);
    if (options.onError === 'stop') throw error;
    if (clock.monotonic() >= giveUpAt) throw gaveUp(options, error);
    log.warn('the storage failed a write; trying again', { path: options.path, code });
    await pause(clock, RETRY_MS, options.signal);
  };

  return {
    open: async (look) => {
      const opened = await files.open(options.path, { create: true });
      file = opened;
      const point = await look(opened);
      offset = point.offset;
      await opened.truncate(offset);
      return point;
    },
    put: async (record) => {
      const bytes = new TextEncoder().encode(formatRecord(record));
      const giveUpAt = clock.monotonic() + options.giveUpAfterMs;
      for (;;) {
        try {
          file ??= await files.open(options.path, { create: false });
          await file.write(offset, bytes);
          await file.sync();
          offset += bytes.length;
          return;
        } catch (error) {
          await noteFailure(error, giveUpAt);
        }
      }
    },
    errors: () => Object.fromEntries(errors),
    close,
  };
}

function gaveUp(options: WriteLedgerOptions, error: unknown): AppError {
  const seconds = options.giveUpAfterMs / 1000;
  return new AppError('unavailable', `${options.path} took no write for ${seconds} s: ${messageOf(error)}`, {
    resource: `file ${options.path}`,
    reason: 'StorageUnavailable',
    hint: 'see how the volume is doing with: holdfast status',
    cause: error,
  });
}
