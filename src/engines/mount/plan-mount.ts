/** What every engine does about a mount that is wanted or no longer wanted. Pure. */
import type { DesiredAttachment, ObservedAttachment } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';

/** How an engine mounts a volume, and takes the mount away. */
export interface MountSteps<S> {
  readonly mount: S;
  /** Lazily where the mount is dead: what asks it would hang. */
  readonly unmount: (isLazy: boolean) => S;
}

/** Plans mount or unmount. What somebody else has mounted at the path is never unmounted. */
export function planMount<S>(
  desired: DesiredAttachment,
  observed: ObservedAttachment,
  { mount, unmount }: MountSteps<S>,
): readonly (S | RefuseStep)[] {
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

/** Plans the end of a mount that is no longer wanted. */
export function planUnmount<S>({ state }: ObservedAttachment, unmount: MountSteps<S>['unmount']): readonly S[] {
  if (state === 'mounted') return [unmount(false)];
  return state === 'dead' ? [unmount(true)] : [];
}

/** What an unmount is about, for people. */
export function aboutUnmount({ volume, mountPath }: DesiredAttachment, isLazy: boolean): string {
  return `unmount ${isLazy ? 'the dead mount of ' : ''}${volume} from ${mountPath}`;
}

/** The refusal where something else is mounted at the path. */
export function refuseOccupied(
  { volume, mountPath }: DesiredAttachment,
  { message }: Pick<ObservedAttachment, 'message'>,
): RefuseStep {
  return {
    ...{ step: 'refuse', kind: 'precondition', reason: 'MountPathOccupied', resource: `mount of volume ${volume}` },
    about: message ?? `something else is mounted at ${mountPath}; it is left alone`,
    hint: `see what it is with "findmnt ${mountPath}", unmount it or choose another path`,
  };
}
