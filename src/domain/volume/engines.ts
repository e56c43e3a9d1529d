/** The engines that a volume can be kept by, and what of a volume's wish goes with which. */

export const ENGINES = ['gluster', 'local'] as const;
export type EngineName = (typeof ENGINES)[number];

/** File systems that a copy's image can hold. */
export const FILE_SYSTEM_TYPES = ['xfs', 'ext4'] as const;
export type FileSystemType = (typeof FILE_SYSTEM_TYPES)[number];
