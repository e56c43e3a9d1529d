/** What to do about a local volume's mount on this node. Pure. */
import type { DesiredAttachment } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';
import { aboutUnmount, planMount, planUnmount, refuseOccupied } from '../mount/plan-mount.ts';
import { isBlockPath, type ObservedLocalAttachment } from './attachment.ts';
import { mountFlags } from './mount-flags.ts';
import { detachStep, type LocalDeviceStep, type LocalMountStep } from './steps.ts';

type Steps = readonly (LocalMountStep | LocalDeviceStep | RefuseStep)[];

/**
 * Plans mount or unmount. What somebody else has mounted at the path is never unmounted.
 *
 * @throws {AppError} invalid, for a mount option that is not allowed
 */
export function planLocalAttachment(desired: DesiredAttachment, observed: ObservedLocalAttachment): Steps {
  const { copyPath } = desired;
  if (copyPath !== undefined && isBlockPath(copyPath)) return planDevice({ ...desired, copyPath }, observed);
  if (!desired.isPresent) return planUnmount(observed, (isLazy) => unbindStep(desired, isLazy));
  return copyPath === undefined ? [refuseElsewhere(desired)] : planBind({ ...desired, copyPath }, observed);
}

function unbindStep(desired: DesiredAttachment, isLazy: boolean): LocalMountStep {
  const { volume, mountPath, copyPath } = desired;
  const about = aboutUnmount(desired, isLazy);
  return { step: 'unbindCopy', volume, mountPath, isLazy, about, ...(copyPath === undefined ? {} : { copyPath }) };
}

type HereWanted = DesiredAttachment & { readonly copyPath: string };

function planBind(desired: HereWanted, observed: ObservedLocalAttachment): Steps {
  const { volume, mountPath, copyPath } = desired;
  const flags = mountFlags(desired);
  const bind: LocalMountStep = {
    ...{ step: 'bindCopy', volume, mountPath, copyPath, flags },
    about: `mount ${volume} at ${mountPath}`,
  };
  if (observed.state !== 'mounted') {
    return planMount(desired, observed, { mount: bind, unmount: (isLazy) => unbindStep(desired, isLazy) });
  }
  if (flags.every((flag) => observed.flags?.includes(flag) === true)) return [];
  const about = `give the mount of ${volume} at ${mountPath} its flags (${flags.join(', ')})`;
  return [{ step: 'setFlags', volume, mountPath, copyPath, flags, about }];
}

function planDevice(desired: HereWanted, observed: ObservedLocalAttachment): Steps {
  const { volume, mountPath, copyPath, isReadOnly, keySecret, thinProvision, mountOptions = [] } = desired;
  const unbind = unbindStep(desired, false);
  if (!desired.isPresent) {
    if (observed.state === 'mounted' || observed.state === 'dead') return [unbind, detachStep({ volume, copyPath })];
    return observed.isAttached === true ? [detachStep({ volume, copyPath })] : [];
  }
  if (mountOptions.length > 0) return [refuseOptions(desired)];
  const attach: LocalDeviceStep = {
    ...{ step: 'attachDevice', volume, mountPath, copyPath, isReadOnly },
    ...(keySecret === undefined ? {} : { keySecret }),
    ...(thinProvision === undefined ? {} : { thinProvision }),
    about: `attach ${volume} as a device at ${mountPath}`,
  };
  if (observed.state === 'foreign') return [refuseOccupied(desired, observed)];
  if (observed.state === 'mounted') return [];
  return observed.state === 'dead' ? [unbind, attach] : [attach];
}

function refuseOptions({ volume }: DesiredAttachment): RefuseStep {
  return {
    ...{ step: 'refuse', kind: 'invalid', reason: 'MountOptionNotAllowed', resource: `mount of volume ${volume}` },
    about: `volume ${volume} is a device, and has no mount options`,
    hint: 'leave them out',
  };
}

function refuseElsewhere({ volume, servers }: DesiredAttachment): RefuseStep {
  const where = servers.length === 0 ? 'another node' : servers.join(', ');
  return {
    ...{ step: 'refuse', kind: 'precondition', reason: 'KeptElsewhere', resource: `mount of volume ${volume}` },
    about: `volume ${volume} is local to ${where}: it cannot be mounted on any other node`,
    hint: `use it on ${where}, or make a volume of engine gluster, which every node can mount`,
  };
}
