/** What may be done with the block device of a pool. The one place that can lead to formatting. */

/** Label that marks a file system as made by Holdfast (XFS allows 12 characters). */
export const POOL_LABEL = 'holdfast';
/** This much at the start of a device has to be zero before it counts as empty. */
export const EMPTY_PROOF_BYTES = 256 * 1024;

export interface ObservedDevice {
  readonly device: string;
  /** Where the device is mounted now, if anywhere. */
  readonly mountedAt: readonly string[];
  /** Source of what is mounted on the pool's path, when that is not this device. */
  readonly pathOccupiedBy?: string;
  /** What blkid says; undefined when it found nothing at all. */
  readonly signature?: { readonly type: string; readonly label?: string };
  /** Another node that has the very same file system mounted: a disk that both can reach. */
  readonly takenBy?: string;
  /** Partitions or device-mapper or md devices on top of it. */
  readonly holders: readonly string[];
  /** The first 256 KiB are zero. */
  readonly isZeroed: boolean;
}

export type DeviceDecision =
  | { readonly action: 'none' }
  | { readonly action: 'mount' }
  /** Format, then mount. */
  | { readonly action: 'format' }
  | { readonly action: 'refuse'; readonly reason: string; readonly message: string };

/**
 * Decides whether a pool's device is mounted as it is, formatted, or left alone.
 *
 * Invariant: `format` only for a device with no signature, no holders, no mount and 256 KiB of zeros at its start.
 * (Rule of StorageOS before mkfs; losing a disk on re-installation is a loud complaint about other systems.)
 */
export function decideDevice(seen: ObservedDevice, path: string): DeviceDecision {
  const refuse = (reason: string, message: string): DeviceDecision => ({ action: 'refuse', reason, message });
  const { device } = seen;

  if (seen.pathOccupiedBy !== undefined) {
    return refuse('PathOccupied', `${path} already has ${seen.pathOccupiedBy} mounted, not ${device}`);
  }
  if (seen.mountedAt.includes(path)) return { action: 'none' };
  if (seen.mountedAt.length > 0) {
    return refuse(
      'DeviceInUse',
      `device ${device} is mounted at ${seen.mountedAt.join(', ')}, not at ${path}; unmount it first`,
    );
  }
  if (seen.holders.length > 0) {
    return refuse('DeviceInUse', `device ${device} is in use by ${seen.holders.join(', ')}; nothing was changed`);
  }
  if (seen.takenBy !== undefined) {
    // XFS does not notice that it is mounted twice, and is destroyed by it.
    return refuse(
      'DeviceOfAnotherNode',
      `the file system on device ${device} is a pool of node ${seen.takenBy}, and a pool belongs to one node; name another device, or delete StorageNode ${seen.takenBy} if its disk was moved here`,
    );
  }
  if (seen.signature?.type === 'xfs' && seen.signature.label === POOL_LABEL) return { action: 'mount' };
  if (seen.signature !== undefined) {
    const label = seen.signature.label === undefined ? '' : ` labelled ${JSON.stringify(seen.signature.label)}`;
    return refuse(
      'DeviceNotEmpty',
      `device ${device} holds ${seen.signature.type}${label} and was not touched; empty it yourself (wipefs -a ${device}) or name another device`,
    );
  }
  if (!seen.isZeroed) {
    return refuse(
      'DeviceNotEmpty',
      `device ${device} has data in its first 256 KiB and was not touched; if it can go, zero its start yourself (dd if=/dev/zero of=${device} bs=256K count=1), or name another device`,
    );
  }
  return { action: 'format' };
}
