/**
 * Says what became of the records that were acknowledged, from the bytes read back. Pure; takes a file of any size piece
 * by piece. What each word of the verdict means is explained in docs/reference/ledger-format.md.
 */
import { FIRST_PREVIOUS, type HashText, type LedgerRecord, MAX_LINE_BYTES, parseRecord } from './record.ts';
import { createLineSplitter } from './split-lines.ts';

/** What the ledger knows of a record. */
export interface AcknowledgedRecord {
  readonly seq: number;
  readonly hash: string;
}

/** How often something was found, and where first. */
export interface Finding {
  readonly count: number;
  /** Absent when nothing was found. For torn lines: the seq that would have come there. */
  readonly firstSeq?: number;
}

export interface LedgerVerdict {
  /** Every acknowledged record is there, whole, once and in order, and nothing else but unacknowledged ones at the end. */
  readonly isIntact: boolean;
  readonly acknowledged: number;
  /** Acknowledged records that are in the file as they were acknowledged. */
  readonly found: number;
  /** Acknowledged records that are not in the file as they were acknowledged. */
  readonly lost: Finding;
  /** Lines that are no whole record: cut, overwritten, zeroed, or never written by a ledger writer. */
  readonly torn: Finding;
  /** Whole records that stand behind one with a higher seq. */
  readonly reordered: Finding;
  /** Whole records whose seq has been there before. */
  readonly duplicated: Finding;
  /** Whole records that neither were acknowledged nor follow from the last record: another history of the same file. */
  readonly altered: Finding;
  /** Whole records after the last acknowledged one, each following from the one before it. Allowed. */
  readonly unacknowledged: Finding;
  /** The file ends with a piece of a record that was never acknowledged: its writer died writing it. Allowed. */
  readonly hasUnacknowledgedTail: boolean;
}

/** Takes the file's bytes in order; `finish` gives the verdict. */
export interface LedgerCheck {
  read(chunk: Uint8Array): void;
  finish(): LedgerVerdict;
}

const FAULTS = ['torn', 'reordered', 'duplicated', 'altered', 'unacknowledged'] as const;
type Fault = (typeof FAULTS)[number];

interface CheckState {
  readonly acknowledged: number;
  readonly lastAcknowledgedSeq: number;
  /** Acknowledged records not yet found: seq to hash. */
  readonly missing: Map<number, string>;
  readonly expected: ReadonlyMap<number, string>;
  readonly seen: Set<number>;
  readonly findings: Map<Fault, { count: number; readonly firstSeq: number }>;
  /** The record with the highest seq so far. */
  highest: Pick<LedgerRecord, 'seq' | 'hash'>;
  /** A torn line that may turn out to be the end of the file: the seq that would have come there. */
  tornAtEnd: number | undefined;
}

/**
 * Begins a check of one writer's file.
 *
 * @param acknowledged - what the ledger holds of that writer, in any order
 */
export function createLedgerCheck(acknowledged: Iterable<AcknowledgedRecord>, hash: HashText): LedgerCheck {
  const expected = new Map<number, string>();
  let lastAcknowledgedSeq = 0;
  for (const each of acknowledged) {
    expected.set(each.seq, each.hash);
    lastAcknowledgedSeq = Math.max(lastAcknowledgedSeq, each.seq);
  }
  const state: CheckState = {
    acknowledged: expected.size,
    lastAcknowledgedSeq,
    missing: new Map(expected),
    expected,
    seen: new Set(),
    findings: new Map(),
    highest: { seq: 0, hash: FIRST_PREVIOUS },
    tornAtEnd: undefined,
  };
  const splitter = createLineSplitter(MAX_LINE_BYTES, (line, isEnded) => {
    // The last line of a file that does not end in a newline was cut, whatever it looks like.
    takeLine(state, line === undefined || !isEnded ? undefined : parseRecord(line, hash));
  });
  return {
    read: splitter.push,
    finish: () => {
      splitter.end();
      return conclude(state);
    },
  };
}

function takeLine(state: CheckState, record: LedgerRecord | undefined): void {
  if (state.tornAtEnd !== undefined) note(state, 'torn', state.tornAtEnd);
  state.tornAtEnd = undefined;
  if (record === undefined) {
    state.tornAtEnd = state.highest.seq + 1;
    return;
  }
  const isAcknowledged = state.expected.get(record.seq) === record.hash;
  if (isAcknowledged) state.missing.delete(record.seq);
  if (state.seen.has(record.seq)) return note(state, 'duplicated', record.seq);
  state.seen.add(record.seq);
  if (!isAcknowledged) note(state, followsFromLast(state, record) ? 'unacknowledged' : 'altered', record.seq);
  if (record.seq < state.highest.seq) note(state, 'reordered', record.seq);
  else state.highest = record;
}

/** It is the next record of this very history, and the ledger has nothing under its seq. */
function followsFromLast(state: CheckState, record: LedgerRecord): boolean {
  const isNext = record.seq === state.highest.seq + 1 && record.previous === state.highest.hash;
  return isNext && !state.expected.has(record.seq);
}

function note(state: CheckState, fault: Fault, seq: number): void {
  const finding = state.findings.get(fault);
  if (finding === undefined) state.findings.set(fault, { count: 1, firstSeq: seq });
  else finding.count += 1;
}

function conclude(state: CheckState): LedgerVerdict {
  // Nobody was promised anything about the bytes of the one write that was under way when the writer died.
  const hasUnacknowledgedTail = state.tornAtEnd !== undefined && state.tornAtEnd > state.lastAcknowledgedSeq;
  if (state.tornAtEnd !== undefined && !hasUnacknowledgedTail) note(state, 'torn', state.tornAtEnd);
  const of = (fault: Fault): Finding => state.findings.get(fault) ?? { count: 0 };
  const isClean = FAULTS.every((fault) => fault === 'unacknowledged' || of(fault).count === 0);
  return {
    isIntact: isClean && state.missing.size === 0,
    acknowledged: state.acknowledged,
    found: state.acknowledged - state.missing.size,
    lost: findLost(state.missing),
    torn: of('torn'),
    reordered: of('reordered'),
    duplicated: of('duplicated'),
    altered: of('altered'),
    unacknowledged: of('unacknowledged'),
    hasUnacknowledgedTail,
  };
}

function findLost(missing: ReadonlyMap<number, string>): Finding {
  let firstSeq = Number.POSITIVE_INFINITY;
  for (const seq of missing.keys()) firstSeq = Math.min(firstSeq, seq);
  return missing.size === 0 ? { count: 0 } : { count: missing.size, firstSeq };
}
