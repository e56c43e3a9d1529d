/** The hash that chains ledger records. */
import { createHash } from 'node:crypto';
import type { HashText } from '../../domain/ledger/record.ts';

/** SHA-256 of an ASCII text in lower-case hex. */
export const sha256: HashText = (text) => createHash('sha256').update(text, 'latin1').digest('hex');
