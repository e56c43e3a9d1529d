/** Everything the GlusterFS engine can do, as data: planned by plan-*.ts, carried out by apply-*.ts, safe to repeat. */
import type { DesiredBrick, DesiredCopy, DesiredIdentity, DesiredVolume } from '../../ports/engine.ts';
import type { CopyIdentity } from '../image/paths.ts';
import type { RefuseStep } from '../image/step-table.ts';

/** How the bricks of a volume make it. */
export type VolumeShape = Pick<DesiredVolume, 'layout' | 'sets' | 'redundancy'>;

/** Where a brick is, as the engine knows it. */
export type BrickPlace = Pick<DesiredBrick, 'node' | 'path'>;

interface About {
  /** One line for people. */
  readonly about: string;
}

export type PeerStep =
  | (About & { readonly step: 'probePeer'; readonly node: string })
  | (About & {
      readonly step: 'detachPeer';
      readonly node: string;
      /** Also where another machine that is to leave does not answer, or most of the pool does not. */
      readonly isForced: boolean;
    });

export type IdentityStep =
  | (About & {
      readonly step: 'takeIdentity';
      readonly id: string;
      readonly blankId: string;
      readonly peers: DesiredIdentity['peers'];
    })
  | (About & { readonly step: 'learnAnew'; readonly peers: DesiredIdentity['peers'] })
  | (About & { readonly step: 'finishIdentity' });

export type CopyStep =
  | (About & { readonly step: 'makeImage'; readonly copy: CopyIdentity; readonly imageBytes: number })
  | (About & {
      readonly step: 'cloneImage';
      readonly copy: CopyIdentity;
      /** The volume that the copy is of; not the one of the snapshot. */
      readonly volume: string;
      readonly source: NonNullable<DesiredCopy['source']>;
      readonly imageBytes: number;
    })
  | (About & { readonly step: 'mountImage'; readonly copy: CopyIdentity })
  | (About & { readonly step: 'makeBrick'; readonly copy: CopyIdentity })
  | (About & { readonly step: 'growImage'; readonly copy: CopyIdentity; readonly imageBytes: number })
  | (About & { readonly step: 'stopBrick'; readonly copy: CopyIdentity; readonly volume: string })
  | (About & { readonly step: 'endLostBrick'; readonly copy: CopyIdentity; readonly volume: string })
  | (About & { readonly step: 'rewriteVolumeFiles'; readonly volume: string })
  | (About & { readonly step: 'rebuildBrick'; readonly copy: CopyIdentity; readonly volume: string })
  | (About & { readonly step: 'unmountImage'; readonly copy: CopyIdentity })
  | (About & { readonly step: 'eraseCopy'; readonly copy: CopyIdentity });

export type VolumeStep =
  | (About &
      VolumeShape & {
        readonly step: 'createVolume';
        readonly volume: string;
        readonly bricks: readonly DesiredBrick[];
      })
  | (About & {
      readonly step: 'setOptions';
      readonly volume: string;
      readonly options: Readonly<Record<string, string>>;
    })
  | (About & {
      readonly step: 'replaceBrick';
      readonly volume: string;
      readonly old: BrickPlace;
      readonly brick: DesiredBrick;
    })
  | (About & {
      readonly step: 'addBrick';
      readonly volume: string;
      /** Bricks of the volume afterwards. */
      readonly bricks: number;
      readonly brick: DesiredBrick;
    })
  | (About & {
      readonly step: 'removeBrick';
      readonly volume: string;
      /** Bricks of the volume afterwards. */
      readonly bricks: number;
      readonly brick: BrickPlace;
    })
  | (About & { readonly step: 'resetOptions'; readonly volume: string; readonly keys: readonly string[] })
  | (About & { readonly step: 'startVolume'; readonly volume: string })
  | (About & { readonly step: 'limitVolume'; readonly volume: string; readonly limitBytes: number })
  | (About & { readonly step: 'startBricks'; readonly volume: string })
  | (About & { readonly step: 'healVolume'; readonly volume: string })
  | (About & { readonly step: 'stopVolume'; readonly volume: string })
  | (About & { readonly step: 'deleteVolume'; readonly volume: string });

export type AttachmentStep =
  | (About & {
      readonly step: 'mountVolume';
      readonly volume: string;
      readonly mountPath: string;
      readonly servers: readonly string[];
      /** What the description of the volume is to say; looked at where the first of the servers is this node. */
      readonly isEncrypted?: boolean;
      readonly isReadOnly: boolean;
      /** Of the volume's profile. */
      readonly options?: readonly string[];
    })
  | (About & {
      readonly step: 'unmountVolume';
      readonly volume: string;
      readonly mountPath: string;
      /** The mount is dead: it is detached without waiting for what uses it. */
      readonly isLazy: boolean;
    });

export type GlusterStep = PeerStep | IdentityStep | CopyStep | VolumeStep | AttachmentStep | RefuseStep;
