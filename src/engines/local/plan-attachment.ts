/** What to do about a local volume's mount on this node. Pure. */
import type { DesiredAttachment } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';
import type { ObservedLocalAttachment } from './attachment.ts';
import { mountFlags } from './mount-flags.ts';
import type { LocalMountStep } from './steps.ts';

type Steps = readonly (LocalMountStep | RefuseStep)[];

/**
 * Plans mount or unmount. What somebody else has mounted at the path is never unmounted.
 *
 * @throws {AppError} invalid, for a mount option that is not allowed
 */
export function planLocalAttachment(desired: DesiredAttachment, observed: ObservedLocalAttachment): Steps {
  const { volume, mountPath, copyPath } = desired;
  const unbind = (isLazy: boolean): LocalMountStep => {
    const about = `unmount ${isLazy ? 'the dead mount of ' : ''}${volume} from ${mountPath}`;
    return { step: 'unbindCopy', volume, mountPath, isLazy, about, ...(copyPath === undefined ? {} : { copyPath }) };
  };
  if (!desired.isPresent) {
    if (observed.state === 'mounted') return [unbind(false)];
    return observed.state === 'dead' ? [unbind(true)] : [];
  }
  if (copyPath === undefined) return [refuseElsewhere(desired)];
  const flags = mountFlags(desired.mountOptions ?? [], desired.isReadOnly);
  const bind: LocalMountStep = {
    ...{ step: 'bindCopy', volume, mountPath, copyPath, flags },
    about: `mount ${volume} at ${mountPath}`,
  };
  switch (observed.state) {
    case 'mounted': {
      if (flags.every((flag) => observed.flags?.includes(flag) === true)) return [];
      const about = `give the mount of ${volume} at ${mountPath} its flags (${flags.join(', ')})`;
      return [{ step: 'setFlags', volume, mountPath, copyPath, flags, about }];
    }
    case 'absent':
      return [bind];
    case 'dead':
      return [unbind(true), bind];
    case 'foreign':
      return [refuseOccupied(desired, observed)];
  }
}

function refuseElsewhere({ volume, servers }: DesiredAttachment): RefuseStep {
  const where = servers.length === 0 ? 'another node' : servers.join(', ');
  return {
    ...{ step: 'refuse', kind: 'precondition', reason: 'KeptElsewhere', resource: `mount of volume ${volume}` },
    about: `volume ${volume} is local to ${where}: it cannot be mounted on any other node`,
    hint: `use it on ${where}, or make a volume of engine gluster, which every node can mount`,
  };
}

function refuseOccupied({ volume, mountPath }: DesiredAttachment, { message }: ObservedLocalAttachment): RefuseStep {
  return {
    ...{ step: 'refuse', kind: 'precondition', reason: 'MountPathOccupied', resource: `mount of volume ${volume}` },
    about: message ?? `something else is mounted at ${mountPath}; it is left alone`,
    hint: `see what it is with "findmnt ${mountPath}", unmount it or choose another path`,
  };
}
