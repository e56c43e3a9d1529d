/**
 * What a writer and the ledger say to each other, one line each. The writer introduces itself, the ledger says how far it
 * has come with it, and then every record is reported and confirmed, one at a time.
 */

/** From a writer to the ledger. */
export type WriterMessage =
  | { readonly type: 'hello'; readonly writer: string }
  /** The record is written and synced. */
  | { readonly type: 'stored'; readonly seq: number; readonly previous: string; readonly hash: string };

/** From the ledger to a writer. */
export type LedgerMessage =
  /** The last record acknowledged; seq 0 when there is none. */
  | { readonly type: 'welcome'; readonly seq: number; readonly hash: string }
  /** The record is in the ledger, and synced there: it is acknowledged. */
  | { readonly type: 'kept'; readonly seq: number }
  /** The ledger takes nothing more from this writer; the text says why. */
  | { readonly type: 'refused'; readonly reason: string };

const HASH = '[0-9a-f]{64}';
const HELLO = /^hello hf1 (?<writer>[a-z0-9][a-z0-9-]{0,62})$/;
const STORED = new RegExp(`^stored (?<seq>[1-9]\\d{0,15}) (?<previous>${HASH}) (?<hash>${HASH})$`);
const WELCOME = new RegExp(`^welcome (?<seq>\\d{1,16}) (?<hash>${HASH})$`);
const KEPT = /^kept (?<seq>[1-9]\d{0,15})$/;
const REFUSED = /^refused (?<reason>.{1,500})$/;

/** The line for a message, without a newline. */
export function formatMessage(message: WriterMessage | LedgerMessage): string {
  switch (message.type) {
    case 'hello':
      return `hello hf1 ${message.writer}`;
    case 'stored':
      return `stored ${message.seq} ${message.previous} ${message.hash}`;
    case 'welcome':
      return `welcome ${message.seq} ${message.hash}`;
    case 'kept':
      return `kept ${message.seq}`;
    case 'refused':
      return `refused ${message.reason.replaceAll(/\s+/g, ' ').slice(0, 500)}`;
  }
}

/** Reads a line from a writer; undefined when it is none of its messages. */
export function parseWriterMessage(line: string): WriterMessage | undefined {
  const hello = HELLO.exec(line)?.groups;
  if (hello !== undefined) return { type: 'hello', writer: hello['writer'] ?? '' };
  const stored = STORED.exec(line)?.groups;
  if (stored === undefined) return undefined;
  const { seq = '', previous = '', hash = '' } = stored;
  return { type: 'stored', seq: Number(seq), previous, hash };
}

/** Reads a line from the ledger; undefined when it is none of its messages. */
export function parseLedgerMessage(line: string): LedgerMessage | undefined {
  const welcome = WELCOME.exec(line)?.groups;
  if (welcome !== undefined) return { type: 'welcome', seq: Number(welcome['seq']), hash: welcome['hash'] ?? '' };
  const kept = KEPT.exec(line)?.groups;
  if (kept !== undefined) return { type: 'kept', seq: Number(kept['seq']) };
  const refused = REFUSED.exec(line)?.groups;
  return refused === undefined ? undefined : { type: 'refused', reason: refused['reason'] ?? '' };
}
