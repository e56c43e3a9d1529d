/** How a volume is to be used: access modes, file system and mount options of a CSI capability. */
import { AppError } from '../errors.ts';
import { isNfsOnly, nfsOptionFaults } from '../nfs/mount-options.ts';
import { type EngineName, FILE_SYSTEM_TYPES } from '../volume/engines.ts';

/** Access modes of CSI that are kept to; those of several nodes by engines that serve more than one. */
export const ACCESS_MODES = [
  'SingleNodeWriter',
  'SingleNodeReaderOnly',
  'MultiNodeReaderOnly',
  'MultiNodeMultiWriter',
  'SingleNodeSingleWriter',
  'SingleNodeMultiWriter',
] as const;
export type AccessMode = (typeof ACCESS_MODES)[number];

/** A capability as a caller wrote it. */
export interface AskedAccess {
  readonly type: 'mount' | 'block' | 'none';
  /** One of {@link ACCESS_MODES}, or any other word. */
  readonly mode: string;
  readonly fsType: string;
  readonly flags: readonly string[];
  /** The group that the volume is to belong to; a driver that does not offer this is never to be given one. */
  readonly group?: string;
}

export interface Access {
  readonly mode: AccessMode;
  /** For the mount in the pod; the safe ones are always added. */
  readonly flags: readonly string[];
}

/** Of the file system below, which all mounts of a volume share: true of thin volumes, and of no others. */
const DISCARD = 'discard';
const FLAGS: ReadonlySet<string> = new Set([
  'ro',
  'rw',
  'nosuid',
  'nodev',
  'noexec',
  'exec',
  'noatime',
  'nodiratime',
  'relatime',
  DISCARD,
]);
/** Beside GlusterFS those that images can have. */
const FS_TYPES: ReadonlySet<string> = new Set(['', 'glusterfs', 'nfs', ...FILE_SYSTEM_TYPES]);

/** What of a volume decides how it can be used. */
export interface VolumeKind {
  readonly engine: EngineName;
  /** Of engine local: what its image is formatted with; left out for a directory. */
  readonly fsType?: string | undefined;
  /** It is a device, and no file system. */
  readonly isBlock: boolean;
  /** What is deleted in it is given back to its pool. */
  readonly isThin?: boolean;
}

/** The kind of a volume by its wish or its spec. */
export function kindOf(spec: {
  readonly engine?: EngineName | undefined;
  readonly brick?: string | undefined;
  readonly fsType?: string | undefined;
  readonly encryption?: boolean | undefined;
  readonly thinProvision?: boolean | undefined;
}): VolumeKind {
  const { engine = 'gluster', brick = 'image', encryption = false, thinProvision: isThin = false } = spec;
  // Only ext4 encrypts, and it needs not be said.
  const { fsType = encryption ? 'ext4' : 'xfs' } = spec;
  const isBlock = brick === 'block';
  return engine === 'local' && brick === 'image' ? { engine, isBlock, isThin, fsType } : { engine, isBlock, isThin };
}

/** Why no volume of the kind can be used so, or undefined when it can. */
export function accessFaultOf(asked: AskedAccess, kind: VolumeKind): string | undefined {
  const fault = accessFault(asked);
  if (fault !== undefined) return fault;
  if (asked.type === 'block' && !kind.isBlock) {
    return `a volume of engine ${kind.engine} is a file system, and no block device`;
  }
  if (asked.type === 'mount' && kind.isBlock) return 'the volume is a block device, and no file system';
  const strange = strangeFileSystem(kind.engine, asked.fsType);
  if (strange !== undefined) return strange;
  if (asked.flags.includes(DISCARD) && kind.isThin !== true) {
    return `mount option ${word(DISCARD)} goes with thin volumes only (engine: local, thinProvision: "true"): the space of any other stays reserved for it`;
  }
  if (kind.engine === 'nfs') return undefined;
  const flag = asked.flags.find(isNfsOnly);
  if (flag !== undefined) return `mount option ${word(flag)} goes with engine nfs only`;
  return kind.engine === 'local' ? localFault(asked, kind) : undefined;
}

/**
 * A file system that is another engine's, and why it cannot be had. Those of images pass for gluster: classes that are used
 * with several provisioners name them, and GlusterFS is what a pod sees in any case.
 */
export function strangeFileSystem(engine: EngineName, fsType: string): string | undefined {
  const isStrange =
    engine === 'nfs' ? !['', 'nfs'].includes(fsType) : fsType === (engine === 'gluster' ? 'nfs' : undefined);
  return isStrange ? `file system ${word(fsType)} does not go with engine ${engine}` : undefined;
}

/** A volume of engine local is on one node, and its file system is what a pod sees. */
function localFault(asked: AskedAccess, kind: VolumeKind): string | undefined {
  if (asked.mode.startsWith('MultiNode')) {
    return `access mode ${asked.mode} is not offered by engine local: its volumes are used on their one node`;
  }
  // GlusterFS is what a pod sees of its volumes, so what is asked for there is of no effect; here it is what is mounted.
  if (asked.fsType === '' || asked.fsType === kind.fsType) return undefined;
  const has = kind.fsType === undefined ? 'is a directory of its pool' : `has ${kind.fsType}`;
  return `file system ${word(asked.fsType)} cannot be had: the volume ${has}`;
}

/** @throws {AppError} invalid, when no volume of the kind can be used so */
export function assertAccess(asked: AskedAccess | undefined, kind: VolumeKind): void {
  const fault = asked === undefined ? undefined : accessFaultOf(asked, kind);
  if (fault !== undefined) throw new AppError('invalid', fault);
}

/** Why no volume of any kind can be used so. */
export function accessFault(asked: AskedAccess): string | undefined {
  if (asked.type === 'none') return 'the capability says neither mount nor block';
  if (!isAccessMode(asked.mode)) return `access mode ${word(asked.mode)} is not offered`;
  if (!FS_TYPES.has(asked.fsType)) return `file system ${word(asked.fsType)} is not offered`;
  if ((asked.group ?? '') !== '') return 'a volume_mount_group is not offered: the fsGroup of a pod is set without it';
  const flag = asked.flags.find((each) => !FLAGS.has(each) && !isNfsOnly(each));
  if (flag !== undefined) return `mount option ${word(flag)} is not allowed; allowed are ${[...FLAGS].join(', ')}`;
  const [fault] = nfsOptionFaults(asked.flags.filter(isNfsOnly));
  if (fault !== undefined) return fault;
  if (asked.flags.includes('ro') && asked.flags.includes('rw')) return 'mount options ro and rw contradict each other';
  return undefined;
}

/** @throws {AppError} invalid, with what is wrong */
export function parseAccess(asked: AskedAccess | undefined): Access {
  if (asked === undefined) throw new AppError('invalid', 'the call has no volume capability');
  const fault = accessFault(asked);
  if (fault !== undefined || !isAccessMode(asked.mode)) throw new AppError('invalid', fault ?? 'no access mode');
  // What is for mount.nfs is said of the volume; a bind of its mount knows nothing of that.
  return { mode: asked.mode, flags: asked.flags.filter((flag) => !isNfsOnly(flag)) };
}

/** True for a mode that nobody may write with. */
export function isReadingOnly(mode: AccessMode): boolean {
  return mode === 'SingleNodeReaderOnly' || mode === 'MultiNodeReaderOnly';
}

/** True for a mode that one node alone may have the volume with. */
export function isForOneNode(mode: AccessMode): boolean {
  return mode.startsWith('SingleNode');
}

/**
 * Whether who has a volume with one mode may use it as the other says. The sidecars derive the first from all access modes of a
 * PersistentVolume and kubelet the second from one of them, so it can be less: one node of many, or reading of what could be
 * written. For one pod alone both have to say so: the one node that is known to have the volume is what that rests on.
 */
export function isCovered(asked: AccessMode, had: AccessMode): boolean {
  if (asked === 'SingleNodeSingleWriter' || had === 'SingleNodeSingleWriter') return asked === had;
  if (isForOneNode(had) && !isForOneNode(asked)) return false;
  return isReadingOnly(asked) || !isReadingOnly(had);
}

/** Options of the mount in a pod: what was asked for, and no device or set-uid file out of a volume has any power. */
export function podMountOptions(flags: readonly string[], isReadOnly: boolean): readonly string[] {
  // No bind has an option of its file system.
  const rest = flags.filter((flag) => !['ro', 'rw', 'nosuid', 'nodev', DISCARD].includes(flag));
  return [isReadOnly || flags.includes('ro') ? 'ro' : 'rw', 'nosuid', 'nodev', ...rest];
}

function isAccessMode(mode: string): mode is AccessMode {
  return ACCESS_MODES.some((each) => each === mode);
}

function word(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
