/** What is asked of a local volume that is encrypted as a whole; of ext4 it is ENCRYPTED itself. */
import { ENCRYPTED } from '../../contract/local-engine.contract.ts';

const { keySecret } = ENCRYPTED;
export const XFS = { fsType: 'xfs', keySecret } as const;
export const BTRFS = { fsType: 'btrfs', keySecret } as const;
export const BLOCK = { brick: 'block', keySecret } as const;
