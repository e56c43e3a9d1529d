/** Reads back what a ledger writer wrote and says what became of every record that was acknowledged. */
import { AppError } from '../../domain/errors.ts';
import { createLedgerCheck, type LedgerVerdict } from '../../domain/ledger/check.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { type LedgerProgress, noProgress, withArrival } from '../../domain/ledger/progress.ts';
import type { HashText } from '../../domain/ledger/record.ts';
import { type ReadBytes, readChunks } from './read-lines.ts';
import { readEntries } from './store.ts';

export interface CheckLedgerInput {
  readonly hash: HashText;
  /** The file that the writer wrote, as it reads now, on whatever host. */
  readonly readFile: ReadBytes;
  /** The ledger's file. */
  readonly readStore: ReadBytes;
  /** For messages. */
  readonly storePath: string;
  /** Which writer of the ledger; may be left out when it has only one. */
  readonly writer?: string;
}

export interface LedgerCheckResult extends LedgerVerdict {
  readonly writer: string;
  /** As the ledger saw it while it was written. */
  readonly progress: LedgerProgress;
  /** When each record was acknowledged, in order. */
  readonly arrivals: readonly LedgerEntry[];
}

/** @throws {AppError} invalid when the ledger has several writers and none is named; notFound; dataLoss (damaged ledger) */
export async function checkLedgerFile(input: CheckLedgerInput): Promise<LedgerCheckResult> {
  const arrivals: LedgerEntry[] = [];
  const writers = new Set<string>();
  for await (const entry of readEntries(input.readStore, input.storePath)) {
    writers.add(entry.writer);
    if (input.writer === undefined || entry.writer === input.writer) arrivals.push(entry);
  }
  const writer = chooseWriter(input, writers);
  let progress = noProgress(writer);
  for (const arrival of arrivals) progress = withArrival(progress, arrival);
  const check = createLedgerCheck(arrivals, input.hash);
  for await (const chunk of readChunks(input.readFile)) check.read(chunk);
  return { ...check.finish(), writer, progress, arrivals };
}

function chooseWriter(input: CheckLedgerInput, writers: ReadonlySet<string>): string {
  const [first] = writers;
  if (input.writer !== undefined && !writers.has(input.writer)) {
    throw new AppError('notFound', `the ledger ${input.storePath} has no record of writer ${input.writer}`, {
      resource: `ledger ${input.storePath}`,
      hint: `it has: ${[...writers].join(', ') || 'none'}`,
    });
  }
  if (input.writer === undefined && writers.size > 1) {
    throw new AppError('invalid', `the ledger ${input.storePath} has ${writers.size} writers`, {
      hint: `name one with --writer: ${[...writers].join(', ')}`,
    });
  }
  if (first === undefined) {
    throw new AppError('notFound', `the ledger ${input.storePath} has no record at all`, {
      hint: 'nothing was acknowledged, so there is nothing to check',
    });
  }
  return input.writer ?? first;
}
