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
  readonly shard?: unknown;
  readonly profile?: unknown;
  readonly allowFrom?: readonly string[] | undefined;
  readonly adopted?: unknown;
}

export interface EngineFault {
  readonly field: 'layout' | 'shard' | 'profile' | 'allowFrom' | 'adopted' | 'fsType';
  readonly message: string;
}

/** What does not go with the engine, one sentence each; empty when everything does. */
export function engineFaults(wish: EngineWish): readonly EngineFault[] {
  if (wish.engine === 'gluster') {
    return wish.fsType === undefined ? [] : [{ field: 'fsType', message: 'goes with engine local only' }];
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
  return faults.filter((fault) => fault !== false);
}

/** The layout of a local volume where its wish names none. */
export function localLayout<R extends LayoutRequest>(request: R): R | (R & { readonly layout: 'single' }) {
  const isSaid = (['layout', 'replicas', 'distribution', 'disperseData', 'redundancy'] as const).some(
    (name) => request[name] !== undefined,
  );
  return isSaid ? request : { ...request, layout: 'single' };
}
