/** One line of the ledger itself: that a record of a writer was acknowledged, and when. */
import type { Arrival } from './progress.ts';

export interface LedgerEntry extends Arrival {
  readonly writer: string;
}

const LINE = /^(?<writer>[a-z0-9][a-z0-9-]{0,62}) (?<seq>[1-9]\d{0,15}) (?<hash>[0-9a-f]{64}) (?<at>\d{1,16})$/;

/** The entry as it stands in the ledger's file, with the newline that ends it. */
export function formatEntry(entry: LedgerEntry): string {
  return `${entry.writer} ${entry.seq} ${entry.hash} ${entry.at}\n`;
}

/** Reads a line without its newline; undefined when it is none. */
export function parseEntry(line: string): LedgerEntry | undefined {
  const groups = LINE.exec(line)?.groups;
  if (groups === undefined) return undefined;
  const { writer = '', seq = '', hash = '', at = '' } = groups;
  return { writer, seq: Number(seq), hash, at: Number(at) };
}
