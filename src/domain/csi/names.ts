/** Names and ids of CSI calls, read once: what is behind this takes names of Holdfast. */
import { AppError } from '../errors.ts';
import type { HashText } from '../ledger/record.ts';
import { labelFault, nodeNameFault } from '../names.ts';

/** As long as the CSI text lets a caller make one. */
const MAX_BYTES = 128;
/** The snapshot that a clone of a volume is made through is called clone-for-NAME, which is a label too. */
const MAX_KEPT = 52;
const HASH_DIGITS = 40;
const MADE = /^csi-[0-9a-f]{40}$/;
/** What the CSI text forbids, and what stands for bytes that were no UTF-8. */
const BANNED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd]/;

/**
 * The name of the Volume or VolumeSnapshotRecord for the name that a caller gave: that one where it is short and plain, as
 * those of the sidecars are, else one made from it. The same for the same name; two names never share one.
 *
 * @throws {AppError} invalid
 */
export function nameForCsi(what: 'volume' | 'snapshot' | 'group snapshot', name: string, sha256: HashText): string {
  if (name === '') throw new AppError('invalid', `the call names no ${what}`, { hint: 'give it a name' });
  // Percent-encoded: the length in bytes, and ASCII for the hash. Lone surrogates are no text at all.
  if (!name.isWellFormed() || BANNED.test(name)) {
    throw new AppError('invalid', `the name of the ${what} holds control characters, or is no UTF-8`);
  }
  const encoded = encodeURIComponent(name);
  if (encoded.replaceAll(/%../g, '_').length > MAX_BYTES) {
    throw new AppError('invalid', `the name of the ${what} is longer than ${MAX_BYTES} bytes`);
  }
  const isPlain = labelFault(name) === undefined && name.length <= MAX_KEPT && !MADE.test(name);
  return isPlain ? name : `csi-${sha256(encoded).slice(0, HASH_DIGITS)}`;
}

/**
 * An id as it was handed out: the name of an object.
 *
 * @param field - of the call: "volume_id"
 * @throws {AppError} invalid, for none, and for what can be the name of nothing
 */
export function parseCsiId(field: string, id: string): string {
  if (id === '') throw new AppError('invalid', `the call has no ${field}`);
  return parseId({ field, id, faultOf: labelFault, hint: 'ids are lower-case letters, digits and "-"' });
}

/**
 * The id of a node: its name.
 *
 * @throws {AppError} invalid, for none, and for what no node can be called
 */
export function parseCsiNodeId(id: string): string {
  const field = 'node_id';
  if (id === '') throw new AppError('invalid', `the call has no ${field}`);
  return parseId({
    field,
    id,
    faultOf: nodeNameFault,
    hint: 'ids of nodes are lower-case letters, digits, "-" and "."',
  });
}

interface IdText {
  readonly field: string;
  readonly id: string;
  readonly faultOf: (text: string) => string | undefined;
  readonly hint: string;
}

function parseId({ field, id, faultOf, hint }: IdText): string {
  if (faultOf(id) === undefined) return id;
  const shown = id.length > 40 ? `${id.slice(0, 40)}...` : id;
  throw new AppError('invalid', `${field} ${JSON.stringify(shown)} is none of this driver's`, {
    hint,
  });
}
