/** How a writer is getting on, from the times its records arrived at the ledger. Pure. */
import { FIRST_PREVIOUS } from './record.ts';

/** Time between two arrivals in which nothing was acknowledged. */
export interface Stall {
  readonly ms: number;
  /** The last record before it; 0 when the ledger had none yet. */
  readonly afterSeq: number;
  /** When that record arrived, milliseconds since the epoch. */
  readonly from: number;
}

export interface LedgerProgress {
  readonly writer: string;
  readonly acknowledged: number;
  readonly lastSeq: number;
  readonly lastHash: string;
  /** Arrival of the first and of the last record, milliseconds since the epoch; absent while there is none. */
  readonly firstAt?: number;
  readonly lastAt?: number;
  /** The longest gap between two arrivals so far; absent until there are two. The gap that is still open is not in it. */
  readonly longestStall?: Stall;
}

/** A record that arrived at the ledger. */
export interface Arrival {
  readonly seq: number;
  readonly hash: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Where a writer stands before its first record. */
export function noProgress(writer: string): LedgerProgress {
  return { writer, acknowledged: 0, lastSeq: 0, lastHash: FIRST_PREVIOUS };
}

/** The progress after one more record has arrived. */
export function withArrival(progress: LedgerProgress, arrival: Arrival): LedgerProgress {
  const longestStall = longerStall(progress, arrival.at);
  return {
    writer: progress.writer,
    acknowledged: progress.acknowledged + 1,
    lastSeq: arrival.seq,
    lastHash: arrival.hash,
    firstAt: progress.firstAt ?? arrival.at,
    lastAt: arrival.at,
    ...(longestStall === undefined ? {} : { longestStall }),
  };
}

function longerStall(progress: LedgerProgress, at: number): Stall | undefined {
  if (progress.lastAt === undefined) return undefined;
  const stall = { ms: at - progress.lastAt, afterSeq: progress.lastSeq, from: progress.lastAt };
  return progress.longestStall !== undefined && progress.longestStall.ms >= stall.ms ? progress.longestStall : stall;
}
