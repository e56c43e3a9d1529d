/** The engines that a volume can be kept by, and what of a volume's wish goes with which. */

import type { LayoutRequest } from './layout.ts';

export const ENGINES = ['gluster', 'local'] as const;
export type EngineName = (typeof ENGINES)[number];

/** File systems that a copy's image can hold. */
export const FILE_SYSTEM_TYPES = ['xfs', 'ext4'] as const;
export type FileSystemType = (typeof FILE_SYSTEM_TYPES)[number];

/** What of a volume's wish depends on its engine. */
export interface EngineWish {
  readonly engine: EngineName;
  readonly layout: string;
  readonly brick: 'image' | 'directory';
  readonly fsType?: FileSystemType | undefined;
  readonly encryption?: boolean | undefined;
  readonly shard?: unknown;
  readonly profile?: unknown;
  readonly allowFrom?: readonly string[] | undefined;
  readonly adopted?: unknown;
}

export interface EngineFault {
  readonly field: 'layout' | 'shard' | 'profile' | 'allowFrom' | 'adopted' | 'fsType' | 'encryption';
  readonly message: string;
}

/** What does not go with the engine, one sentence each; empty when everything does. */
export function engineFaults(wish: EngineWish): readonly EngineFault[] {
  if (wish.engine === 'gluster') {
    const fsType = [{ field: 'fsType', message: 'goes with engine local only' }] as const;
    return [...(wish.fsType === undefined ? [] : fsType), ...encryptionFaults(wish)];
  }
  const faults: readonly (EngineFault | false)[] = [
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
    wish.fsType !== undefined &&
      wish.brick === 'directory' && {
        field: 'fsType',
        message: 'does not go with brick directory, which has no file system of its own',
      },
  ];
  return [...faults.filter((fault) => fault !== false), ...encryptionFaults(wish)];
}

/** What is encrypted is a folder of ext4 in an image that Holdfast makes. */
function encryptionFaults({ encryption, brick, fsType, adopted }: EngineWish): readonly EngineFault[] {
  if (encryption !== true) return [];
  const faults: readonly (string | false)[] = [
    brick === 'directory' && 'needs brick image: a plain folder of the pool is not encrypted',
    fsType !== undefined && fsType !== 'ext4' && `needs fsType ext4, the only one that encrypts; ${fsType} does not`,
    adopted !== undefined && 'does not go with a volume that somebody else has made: it has its data already',
  ];
  return faults.flatMap((message) => (message === false ? [] : [{ field: 'encryption' as const, message }]));
}

/** The layout of a local volume where its wish names none. */
export function localLayout<R extends LayoutRequest>(request: R): R | (R & { readonly layout: 'single' }) {
  const isSaid = (['layout', 'replicas', 'distribution', 'disperseData', 'redundancy'] as const).some(
    (name) => request[name] !== undefined,
  );
  return isSaid ? request : { ...request, layout: 'single' };
}
