/** What to do about a volume's mount on this node. Pure. */
import type { DesiredAttachment, ObservedAttachment } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';
import { aboutUnmount, planMount, planUnmount } from '../mount/plan-mount.ts';
import { mountOptions } from './options.ts';
import type { AttachmentStep } from './steps.ts';

/** Plans mount or unmount. What somebody else has mounted at the path is never unmounted. */
export function planAttachment(
  desired: DesiredAttachment,
  observed: ObservedAttachment,
): readonly (AttachmentStep | RefuseStep)[] {
  const { volume, mountPath, servers, isReadOnly } = desired;
  const unmount = (isLazy: boolean): AttachmentStep => ({
    ...{ step: 'unmountVolume', volume, mountPath, isLazy },
    about: aboutUnmount(desired, isLazy),
  });
  if (!desired.isPresent) return planUnmount(observed, unmount);
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
  return planMount(desired, observed, { mount, unmount });
}
