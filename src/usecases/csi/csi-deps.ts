/** What the calls of the controller service work with. */
import type { HashText } from '../../domain/ledger/record.ts';
import type { Random } from '../../ports/random.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';

export interface CsiDeps extends WaitDeps {
  readonly sha256: HashText;
  readonly random: Random;
}

/** Longer than any sidecar waits: the deadline of the call ends the wait, and this only one that has none. */
export const CALL_MS = 10 * 60_000;

/** On Volumes that a CSI call made: the name that it gave, percent-encoded. What has none is not deleted by a call. */
export const CSI_NAME = 'holdfast.dev/csi-name';
/** On clones that a CSI call made: the bytes that it required, to tell one that has still to grow from one that is another. */
export const CSI_REQUIRED = 'holdfast.dev/csi-required-bytes';
/** On Volumes that a CSI call made: what its class asked for, as JSON, to know the same call again. */
export const CSI_WISH = 'holdfast.dev/csi-wish';
