/**
 * One line of the file that the ledger writer writes: a record that says by itself whether it is whole, and which record
 * came before it. The format is documented in docs/reference/ledger-format.md; changing it needs a new version word.
 */

/** SHA-256 of a text in ASCII, as 64 lower-case hex digits. Passed in: the domain computes nothing that needs Node. */
export type HashText = (text: string) => string;

export interface LedgerRecord {
  /** Counts from 1 without gaps. */
  readonly seq: number;
  /** Who wrote it: an RFC 1123 label, so that two writers of one file can be told apart. */
  readonly writer: string;
  /** Milliseconds since the epoch when it was made. */
  readonly time: number;
  /** Hash of the record before it; {@link FIRST_PREVIOUS} for the first. */
  readonly previous: string;
  /** Text of the chosen size; the same for the same writer, seq and size. */
  readonly payload: string;
  readonly hash: string;
}

/** What the first record names as the hash before it. */
export const FIRST_PREVIOUS: string = '0'.repeat(64);

export const MAX_PAYLOAD_BYTES = 1024 * 1024;
/** No line of a whole record is longer: version, seq, writer, time, two hashes, payload, and the spaces between them. */
export const MAX_LINE_BYTES: number = MAX_PAYLOAD_BYTES + 256;

const VERSION = 'hf1';
const LINE =
  /^hf1 (?<seq>[1-9]\d{0,15}) (?<writer>[a-z0-9][a-z0-9-]{0,62}) (?<time>0|[1-9]\d{0,15}) (?<previous>[0-9a-f]{64}) (?<payload>[\w.]+) (?<hash>[0-9a-f]{64})$/;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.';

/** The payload of a record: `size` characters (one byte each) that look random and follow from writer and seq alone. */
export function payloadFor(writer: string, seq: number, size: number): string {
  let state = seedFrom(`${writer} ${seq}`);
  let text = '';
  for (let index = 0; index < size; index += 1) {
    // xorshift32: far from secret, but no two neighbouring records share a pattern.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    text += ALPHABET[state & 63];
  }
  return text;
}

/** FNV-1a, never 0 (xorshift would stay there). */
function seedFrom(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  }
  return state === 0 ? 1 : state;
}

/** Makes the record that follows the one with hash `previous`. */
export function makeRecord(
  input: Pick<LedgerRecord, 'seq' | 'writer' | 'time' | 'previous'> & { readonly payloadBytes: number },
  hash: HashText,
): LedgerRecord {
  const { seq, writer, time, previous, payloadBytes } = input;
  const payload = payloadFor(writer, seq, payloadBytes);
  return { seq, writer, time, previous, payload, hash: hash(hashedText({ seq, writer, time, previous, payload })) };
}

/** The record as it stands in the file, with the newline that ends it. */
export function formatRecord(record: LedgerRecord): string {
  return `${hashedText(record)} ${record.hash}\n`;
}

function hashedText(record: Omit<LedgerRecord, 'hash'>): string {
  return `${VERSION} ${record.seq} ${record.writer} ${record.time} ${record.previous} ${record.payload}`;
}

/** Reads a line without its newline; undefined unless it is a whole, unharmed record. */
export function parseRecord(line: string, hash: HashText): LedgerRecord | undefined {
  const groups = LINE.exec(line)?.groups;
  if (groups === undefined) return undefined;
  const { seq = '', writer = '', time = '', previous = '', payload = '', hash: claimed = '' } = groups;
  const record = { seq: Number(seq), writer, time: Number(time), previous, payload, hash: claimed };
  const isWhole = hash(hashedText(record)) === claimed && payload === payloadFor(writer, record.seq, payload.length);
  return isWhole ? record : undefined;
}
