/** What to do about the mount of an NFS volume on this node. Pure. */
import { AppError } from '../../domain/errors.ts';
import { nfsOptionFaults } from '../../domain/nfs/mount-options.ts';
import { mountSource } from '../../domain/nfs/share.ts';
import type { DesiredAttachment, ObservedAttachment } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';
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
  const unmount = (isLazy: boolean): NfsMountStep => {
    const about = `unmount ${isLazy ? 'the dead mount of ' : ''}${volume} from ${mountPath}`;
    return { step: 'unmountShare', volume, mountPath, source, isLazy, about };
  };
  if (!desired.isPresent) {
    if (observed.state === 'mounted') return [unmount(false)];
    return observed.state === 'dead' ? [unmount(true)] : [];
  }
  const about = `mount ${source} at ${mountPath}`;
  const mount: NfsMountStep = { step: 'mountShare', volume, mountPath, share, options: optionsOf(desired), about };
  switch (observed.state) {
    case 'mounted':
      return [];
    case 'absent':
      return [mount];
    case 'dead':
      return [unmount(true), mount];
    case 'foreign':
      return [refuseOccupied(desired, observed)];
  }
}

/** No set-uid file and no device in a share has any power; and a server that is away is an error at once, tried again later. */
function optionsOf({ share, mountOptions = [], isReadOnly }: DesiredAttachment): readonly string[] {
  const asked = [...new Set([...(share?.mountOptions ?? []), ...mountOptions])];
  const [fault] = nfsOptionFaults(asked);
  if (fault !== undefined) throw new AppError('invalid', fault, { reason: 'MountOptionNotAllowed' });
  return [...new Set(['nosuid', 'nodev', 'retry=0', ...asked, ...(isReadOnly ? ['ro'] : [])])];
}

function refuseOccupied({ volume, mountPath }: DesiredAttachment, { message }: ObservedAttachment): RefuseStep {
  return {
    ...{ step: 'refuse', kind: 'precondition', reason: 'MountPathOccupied', resource: `mount of volume ${volume}` },
    about: message ?? `something else is mounted at ${mountPath}; it is left alone`,
    hint: `see what it is with "findmnt ${mountPath}", unmount it or choose another path`,
  };
}
