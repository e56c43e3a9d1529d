/** Everything the local engine can do, as data: planned by plan-*.ts, safe to repeat. */
import type { DesiredCopy } from '../../ports/engine.ts';
import { type CopyIdentity, identify } from '../image/paths.ts';
import type { RefuseStep } from '../image/step-table.ts';

interface About {
  /** One line for people. */
  readonly about: string;
}

/** What finds a copy on disk, and whose it is. */
export type OwnedCopy = CopyIdentity & Pick<DesiredCopy, 'volume' | 'volumeUid'>;

export type LocalCopyStep =
  | (About & { readonly step: 'makeImage'; readonly copy: OwnedCopy; readonly imageBytes: number })
  | (About & {
      readonly step: 'cloneImage';
      readonly copy: OwnedCopy;
      readonly source: NonNullable<DesiredCopy['source']>;
      readonly imageBytes: number;
    })
  | (About & { readonly step: 'mountImage'; readonly copy: OwnedCopy })
  | (About & { readonly step: 'makeBrick'; readonly copy: OwnedCopy })
  | (About & { readonly step: 'growImage'; readonly copy: OwnedCopy; readonly imageBytes: number })
  | (About & { readonly step: 'unmountImage'; readonly copy: OwnedCopy })
  | (About & { readonly step: 'eraseCopy'; readonly copy: OwnedCopy });

export type LocalMountStep =
  | (About & {
      readonly step: 'bindCopy';
      readonly volume: string;
      readonly mountPath: string;
      readonly copyPath: string;
      readonly flags: readonly string[];
    })
  | (About & {
      readonly step: 'setFlags';
      readonly volume: string;
      readonly mountPath: string;
      readonly copyPath: string;
      readonly flags: readonly string[];
    })
  | (About & {
      readonly step: 'unbindCopy';
      readonly volume: string;
      readonly mountPath: string;
      readonly copyPath?: string;
      /** The file system below is dead: it is detached without waiting for what uses it. */
      readonly isLazy: boolean;
    });

export type LocalDeviceStep =
  | (About & {
      readonly step: 'attachDevice';
      readonly volume: string;
      readonly mountPath: string;
      /** The image. */
      readonly copyPath: string;
      readonly isReadOnly: boolean;
      /** Name of the Secret with the key of an encrypted one. */
      readonly keySecret?: string;
      /** Discards reach the image. */
      readonly thinProvision?: boolean;
    })
  | (About & { readonly step: 'detachDevice'; readonly volume: string; readonly copyPath: string });

export type LocalStep = LocalCopyStep | LocalMountStep | LocalDeviceStep | RefuseStep;

/** What of a copy a step carries along: never more than is needed to find its paths, and whose it is. */
export function identifyOwned(copy: DesiredCopy): OwnedCopy {
  const { volume, volumeUid } = copy;
  return { ...identify(copy), volume, volumeUid };
}

/** Detaches the device of an image. */
export function detachStep({
  volume,
  copyPath,
}: {
  readonly volume: string;
  readonly copyPath: string;
}): LocalDeviceStep {
  return { step: 'detachDevice', volume, copyPath, about: `detach the device of ${volume}` };
}
