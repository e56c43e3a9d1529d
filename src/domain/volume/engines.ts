/** The engines that a volume can be kept by, and what of a volume's wish goes with which. */

import type { LayoutRequest } from './layout.ts';
import { KEPT_BY_SERVER, ONE_COPY } from './unused-words.ts';

export const ENGINES = ['gluster', 'local', 'nfs'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Those that keep copies on nodes; what a file server has, it keeps. */
export const COPY_ENGINES = ['gluster', 'local'] as const;
export type CopyEngineName = (typeof COPY_ENGINES)[number];

/** True for an engine that keeps copies on nodes: only those have placement, snapshots and sizes that hold. */
export function keepsCopies(engine: EngineName): engine is CopyEngineName {
  return engine !== 'nfs';
}

/** The engine of a copy. @throws {Error} for a share, which has none: whoever asks has found a copy that cannot be */
export function copyEngine(engine: EngineName): CopyEngineName {
  if (keepsCopies(engine)) return engine;
  throw new Error(`a volume of engine ${engine} has no copies`);
}

/** File systems that a copy's image can hold. */
export const FILE_SYSTEM_TYPES = ['xfs', 'ext4', 'btrfs'] as const;
export type FileSystemType = (typeof FILE_SYSTEM_TYPES)[number];

/**
 * How a copy is kept: a file system in an image, a folder of the pool, or an image without a file system, which is used as a
 * device.
 */
export const BRICK_KINDS = ['image', 'directory', 'block'] as const;
export type BrickKind = (typeof BRICK_KINDS)[number];

/** What an encrypted image is encrypted with: all of it by dm-crypt, or the folder with the data by its file system. */
export const IMAGE_ENCRYPTIONS = ['luks2', 'fscrypt'] as const;
export type ImageEncryption = (typeof IMAGE_ENCRYPTIONS)[number];

/** What of a volume's wish depends on its engine. */
export interface EngineWish {
  readonly engine: EngineName;
  readonly layout: string;
  readonly brick: BrickKind;
  readonly fsType?: FileSystemType | undefined;
  readonly encryption?: boolean | undefined;
  readonly thinProvision?: boolean | undefined;
  readonly shard?: unknown;
  readonly profile?: unknown;
  readonly allowFrom?: readonly string[] | undefined;
  readonly adopted?: unknown;
  readonly share?: unknown;
  readonly source?: unknown;
  readonly locality?: unknown;
  readonly restoreFrom?: unknown;
  readonly pool?: string | undefined;
  readonly zones?: readonly string[] | undefined;
  readonly allowSplitBrain?: boolean | undefined;
}

export interface EngineFault {
  readonly field:
    | ('layout' | 'replicas' | 'distribution' | 'shard' | 'profile' | 'allowFrom' | 'adopted' | 'fsType' | 'encryption')
    | (
        | 'share'
        | 'source'
        | 'restoreFrom'
        | 'brick'
        | 'pool'
        | 'zones'
        | 'allowSplitBrain'
        | 'locality'
        | 'thinProvision'
      );
  readonly message: string;
}

/** What only volumes with copies have, in the order in which it is told. */
const COPY_FIELDS = [
  ...(['layout', 'brick', 'fsType', 'encryption', 'shard', 'profile', 'allowFrom', 'adopted', 'source'] as const),
  ...(['restoreFrom', 'pool', 'zones', 'allowSplitBrain', 'locality', 'thinProvision'] as const),
] as const;

/** What does not go with the engine, one sentence each; empty when everything does. */
export function engineFaults(wish: EngineWish): readonly EngineFault[] {
  if (wish.engine === 'nfs') return nfsFaults(wish);
  const faults = wish.engine === 'gluster' ? glusterFaults(wish) : [...localFaults(wish), thinFault(wish)];
  const share: readonly EngineFault[] =
    wish.share === undefined ? [] : [{ field: 'share', message: 'goes with engine nfs only' }];
  return [...faults.filter((fault) => fault !== false), ...encryptionFaults(wish), ...share];
}

const NO_SNAPSHOTS = 'does not go with engine nfs, which has no snapshots';

/** The file server does all of that, or does not: nothing of it can be asked for. */
function nfsFaults(wish: EngineWish): readonly EngineFault[] {
  const { layout, shard, allowFrom = [] } = wish;
  const isAsked: Readonly<Record<(typeof COPY_FIELDS)[number], boolean>> = {
    layout: layout !== 'single',
    brick: wish.brick !== 'image',
    fsType: wish.fsType !== undefined,
    encryption: wish.encryption === true,
    thinProvision: wish.thinProvision === true,
    shard: shard !== undefined && shard !== false,
    profile: wish.profile !== undefined,
    allowFrom: allowFrom.length > 0,
    adopted: wish.adopted !== undefined,
    source: wish.source !== undefined,
    locality: wish.locality !== undefined,
    restoreFrom: wish.restoreFrom !== undefined,
    // What the schema fills in says nothing.
    pool: wish.pool !== undefined && wish.pool !== 'default',
    zones: wish.zones !== undefined,
    allowSplitBrain: wish.allowSplitBrain === true,
  };
  const words: Partial<Record<EngineFault['field'], string>> = {
    layout: `must be single for engine nfs; ${layout} needs engine gluster`,
    allowFrom: 'does not go with engine nfs: the exports of the file server say who may mount',
    adopted: 'only volumes of engine gluster can be adopted',
    source: NO_SNAPSHOTS,
    restoreFrom: NO_SNAPSHOTS,
    locality: 'does not go with engine nfs: a file server is as near to one node as to any other',
  };
  const missing: readonly EngineFault[] =
    wish.share === undefined
      ? [{ field: 'share', message: 'is missing: engine nfs needs a server and what it exports' }]
      : [];
  const asked = COPY_FIELDS.filter((field) => isAsked[field]);
  return [...missing, ...asked.map((field) => ({ field, message: words[field] ?? KEPT_BY_SERVER }))];
}

type Faults = readonly (EngineFault | false)[];

function glusterFaults({ fsType, brick, thinProvision }: EngineWish): Faults {
  return [
    fsType !== undefined && { field: 'fsType', message: 'goes with engine local only' },
    brick === 'block' && { field: 'brick', message: 'block goes with engine local only' },
    thinProvision === true && {
      field: 'thinProvision',
      message: 'goes with engine local only: what GlusterFS keeps in its copies stays reserved for it',
    },
  ];
}

function localFaults(wish: EngineWish): Faults {
  return [
    wish.layout !== 'single' && {
      field: 'layout',
      message: `must be single for engine local, which keeps one copy on one node; ${wish.layout} needs engine gluster`,
    },
    wish.shard !== undefined &&
      wish.shard !== false && { field: 'shard', message: 'does not go with engine local, which has no sets of copies' },
    wish.profile !== undefined && {
      field: 'profile',
      message: 'does not go with engine local, which has no options to set',
    },
    (wish.allowFrom ?? []).length > 0 && {
      field: 'allowFrom',
      message: 'does not go with engine local: nobody reaches the volume over the network',
    },
    wish.adopted !== undefined && { field: 'adopted', message: 'only volumes of engine gluster can be adopted' },
    wish.allowSplitBrain === true && { field: 'allowSplitBrain', message: ONE_COPY },
    wish.fsType !== undefined &&
      wish.brick !== 'image' && {
        field: 'fsType',
        message: `does not go with brick ${wish.brick}, which has no file system of its own`,
      },
  ];
}

function thinFault({ thinProvision, brick }: EngineWish): EngineFault | false {
  if (thinProvision !== true || brick !== 'directory') return false;
  return { field: 'thinProvision', message: 'does not go with brick directory, which reserves nothing' };
}

/** What is encrypted is an image that Holdfast makes, or a folder in it. */
function encryptionFaults({ encryption, brick, adopted }: EngineWish): readonly EngineFault[] {
  if (encryption !== true) return [];
  const faults: readonly (string | false)[] = [
    brick === 'directory' && 'needs brick image: a plain folder of the pool is not encrypted',
    adopted !== undefined && 'does not go with a volume that somebody else has made: it has its data already',
  ];
  return faults.flatMap((message) => (message === false ? [] : [{ field: 'encryption' as const, message }]));
}

/** The layout of a volume of engine local or nfs where its wish names none. */
export function localLayout<R extends LayoutRequest>(request: R): R | (R & { readonly layout: 'single' }) {
  const isSaid = (['layout', 'replicas', 'distribution', 'disperseData', 'redundancy'] as const).some(
    (name) => request[name] !== undefined,
  );
  return isSaid ? request : { ...request, layout: 'single' };
}
