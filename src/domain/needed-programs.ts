/** Programs that Holdfast calls on a machine, and the Debian packages that have them. */

export interface NeededProgram {
  readonly program: string;
  readonly debianPackage: string;
}

/** For hosts of namespaces and their disks. */
export const LAB_PROGRAMS: readonly NeededProgram[] = [
  { program: 'unshare', debianPackage: 'util-linux' },
  { program: 'nsenter', debianPackage: 'util-linux' },
  { program: 'pivot_root', debianPackage: 'util-linux' },
  { program: 'mount', debianPackage: 'mount' },
  { program: 'losetup', debianPackage: 'mount' },
  { program: 'hostname', debianPackage: 'hostname' },
  { program: 'ip', debianPackage: 'iproute2' },
  { program: 'mkfs.xfs', debianPackage: 'xfsprogs' },
  { program: 'xfs_io', debianPackage: 'xfsprogs' },
  { program: 'setfattr', debianPackage: 'attr' },
  { program: 'tini', debianPackage: 'tini' },
];

/** For a node with the engine gluster: its daemons, its mounts, and XFS below both. */
export const GLUSTER_PROGRAMS: readonly NeededProgram[] = [
  { program: 'glusterd', debianPackage: 'glusterfs-server' },
  { program: 'gluster', debianPackage: 'glusterfs-cli' },
  { program: 'mount.glusterfs', debianPackage: 'glusterfs-client' },
  { program: 'mkfs.xfs', debianPackage: 'xfsprogs' },
  { program: 'xfs_growfs', debianPackage: 'xfsprogs' },
  { program: 'losetup', debianPackage: 'mount' },
  { program: 'getfattr', debianPackage: 'attr' },
];

/** What an installed machine needs besides, and minimal systems lack. */
export const NODE_PROGRAMS: readonly NeededProgram[] = [
  { program: 'ss', debianPackage: 'iproute2' },
  { program: 'pgrep', debianPackage: 'procps' },
];

/** For copies with btrfs, which only some nodes have to have. */
export const BTRFS_PROGRAMS: readonly NeededProgram[] = [
  { program: 'mkfs.btrfs', debianPackage: 'btrfs-progs' },
  { program: 'btrfs', debianPackage: 'btrfs-progs' },
  { program: 'btrfstune', debianPackage: 'btrfs-progs' },
];

/** For a node that serves volumes by NFS. The package brings the server, and what lets it read volumes, which is no program. */
export const NFS_SERVER_PROGRAMS: readonly NeededProgram[] = [
  { program: 'ganesha.nfsd', debianPackage: 'nfs-ganesha-gluster' },
];

/** For tests of exports: a client that needs no kernel's. */
export const NFS_CLIENT_PROGRAMS: readonly NeededProgram[] = [{ program: 'nfs-cat', debianPackage: 'libnfs-utils' }];

/** For encrypted copies where the kernel has dm-crypt; without it they have fscrypt. */
export const LUKS_PROGRAMS: readonly NeededProgram[] = [{ program: 'cryptsetup', debianPackage: 'cryptsetup-bin' }];

/** For tests of what is done over ssh. */
export const SSHD_PROGRAMS: readonly NeededProgram[] = [
  { program: 'ssh', debianPackage: 'openssh-client' },
  { program: 'sshd', debianPackage: 'openssh-server' },
];

/** For benchmarks. */
export const BENCH_PROGRAMS: readonly NeededProgram[] = [{ program: 'fio', debianPackage: 'fio' }];
