/** Where a writer goes on in a file that exists: after its last whole record, if that fits what the ledger has. */
import { AppError } from '../../domain/errors.ts';
import {
  FIRST_PREVIOUS,
  formatRecord,
  type HashText,
  type LedgerRecord,
  MAX_LINE_BYTES,
  parseRecord,
} from '../../domain/ledger/record.ts';
import { type ReadBytes, readLines } from './read-lines.ts';

export interface ResumePoint {
  /** The last acknowledged record; seq 0 in a new file. */
  readonly acknowledged: { readonly seq: number; readonly hash: string };
  /** Where the bytes of the acknowledged records end. */
  readonly offset: number;
  /** A whole record behind it that the ledger has not heard of yet. */
  readonly unreported?: LedgerRecord;
}

interface Known {
  readonly path: string;
  readonly writer: string;
  /** The last record that the ledger has; seq 0 when it has none. */
  readonly seq: number;
  readonly hash: string;
}

/**
 * Reads the file and compares its end with the ledger.
 *
 * @throws {AppError} dataLoss when acknowledged records are missing; precondition when the file belongs to another writer
 *   or another ledger
 */
export async function findResumePoint(read: ReadBytes, hash: HashText, known: Known): Promise<ResumePoint> {
  let lastSeq = 0;
  let offset = known.seq === 0 ? 0 : undefined;
  let unreported: LedgerRecord | undefined;
  for await (const { record, end } of readChain(read, hash)) {
    if (record.writer !== known.writer) throw belongsTo(known, record.writer);
    lastSeq = record.seq;
    if (record.seq === known.seq && record.hash === known.hash) offset = end;
    if (record.seq === known.seq + 1) unreported = record;
  }
  if (offset === undefined) throw lostBefore(known, lastSeq);
  if (lastSeq > known.seq + 1) throw otherLedger(known, lastSeq);
  const acknowledged = { seq: known.seq, hash: known.hash };
  return unreported === undefined ? { acknowledged, offset } : { acknowledged, offset, unreported };
}

/** The records from the beginning for as long as each follows from the one before it, and where each ends. */
async function* readChain(
  read: ReadBytes,
  hash: HashText,
): AsyncIterable<{ readonly record: LedgerRecord; readonly end: number }> {
  let last = { seq: 0, hash: FIRST_PREVIOUS };
  let end = 0;
  for await (const line of readLines(read, MAX_LINE_BYTES)) {
    const record = line.isEnded && line.text !== undefined ? parseRecord(line.text, hash) : undefined;
    if (record === undefined || record.seq !== last.seq + 1 || record.previous !== last.hash) return;
    end += formatRecord(record).length;
    yield { record, end };
    last = record;
  }
}

function belongsTo(known: Known, writer: string): AppError {
  return new AppError('precondition', `${known.path} was written by ${writer}, not by ${known.writer}`, {
    resource: `file ${known.path}`,
    reason: 'OtherWriter',
    hint: `use another --path, or --writer ${writer} to go on`,
  });
}

function lostBefore(known: Known, lastSeq: number): AppError {
  const what = `the ledger has ${known.seq} acknowledged records, and ${known.path} holds a whole chain only up to ${lastSeq}`;
  return new AppError('dataLoss', what, {
    resource: `file ${known.path}`,
    reason: 'AcknowledgedRecordsMissing',
    hint: 'see what is missing with: holdfast ledger check',
  });
}

function otherLedger(known: Known, lastSeq: number): AppError {
  const what = `${known.path} holds ${lastSeq} records, and the ledger has ${known.seq} of them`;
  return new AppError('precondition', `${what}: it was written with another ledger`, {
    resource: `file ${known.path}`,
    reason: 'OtherLedger',
    hint: 'use another --path, or the ledger that the file was written with',
  });
}
