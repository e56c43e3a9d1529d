/** What to do about a volume's mount on this node. Pure. */
import type { DesiredAttachment, ObservedAttachment } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';
import { mountOptions } from './options.ts';
import type { AttachmentStep } from './steps.ts';

/** Plans mount or unmount. What somebody else has mounted at the path is never unmounted. */
export function planAttachment(
  desired: DesiredAttachment,
  observed: ObservedAttachment,
): readonly (AttachmentStep | RefuseStep)[] {
  const { volume, mountPath, servers, isReadOnly } = desired;
  const unmount = (isLazy: boolean): AttachmentStep => {
    const about = `unmount ${isLazy ? 'the dead mount of ' : ''}${volume} from ${mountPath}`;
    return { step: 'unmountVolume', volume, mountPath, isLazy, about };
  };
  if (!desired.isPresent) {
    if (observed.state === 'mounted') return [unmount(false)];
    return observed.state === 'dead' ? [unmount(true)] : [];
  }
  const mount: AttachmentStep = {
    step: 'mountVolume',
    volume,
    mountPath,
    servers,
    ...(desired.copyPath === undefined || desired.isEncrypted === undefined
      ? {}
      : { isEncrypted: desired.isEncrypted }),
    isReadOnly,
    options: mountOptions(desired.profile),
    about: `mount ${volume} at ${mountPath} from ${servers.join(', ')}`,
  };
  switch (observed.state) {
    case 'mounted':
      return [];
    case 'absent':
      return [mount];
    case 'dead':
      return [unmount(true), mount];
    case 'foreign':
      return [
        {
          step: 'refuse',
          kind: 'precondition',
          resource: `mount of volume ${volume}`,
          reason: 'MountPathOccupied',
          about: observed.message ?? `something else is mounted at ${mountPath}; it is left alone`,
          hint: `see what it is with "findmnt ${mountPath}", unmount it or choose another path`,
        },
      ];
  }
}
