/** What to do about the mount of an NFS volume on this node. Pure. */
import { AppError } from '../../domain/errors.ts';
import { nfsOptionFaults } from '../../domain/nfs/mount-options.ts';
import { mountSource } from '../../domain/nfs/share.ts';
import type { DesiredAttachment, ObservedAttachment } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';
import { aboutUnmount, planMount, planUnmount } from '../mount/plan-mount.ts';
import type { NfsMountStep } from './steps.ts';

type Steps = readonly (NfsMountStep | RefuseStep)[];

/**
 * Plans mount or unmount. What somebody else has mounted at the path is never unmounted.
 *
 * @throws {AppError} invalid, for a mount option that is not allowed
 */
export function planNfsAttachment(desired: DesiredAttachment, observed: ObservedAttachment): Steps {
  const { volume, mountPath, share } = desired;
  if (share === undefined) return [];
  const source = mountSource(share);
  const unmount = (isLazy: boolean): NfsMountStep => ({
    ...{ step: 'unmountShare', volume, mountPath, source, isLazy },
    about: aboutUnmount(desired, isLazy),
  });
  if (!desired.isPresent) return planUnmount(observed, unmount);
  const about = `mount ${source} at ${mountPath}`;
  const mount: NfsMountStep = { step: 'mountShare', volume, mountPath, share, options: optionsOf(desired), about };
  return planMount(desired, observed, { mount, unmount });
}

/** No set-uid file and no device in a share has any power; and a server that is away is an error at once, tried again later. */
function optionsOf({ share, mountOptions = [], isReadOnly }: DesiredAttachment): readonly string[] {
  const asked = [...new Set([...(share?.mountOptions ?? []), ...mountOptions])];
  const [fault] = nfsOptionFaults(asked);
  if (fault !== undefined) throw new AppError('invalid', fault, { reason: 'MountOptionNotAllowed' });
  return [...new Set(['nosuid', 'nodev', 'retry=0', ...asked, ...(isReadOnly ? ['ro'] : [])])];
}
