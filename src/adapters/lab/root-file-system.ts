/**
 * The root file system of a lab host: this machine's, with the host's own changes in an overlay on its system disk.
 * Everything is mounted in the host's own mount namespace only, so it ends with the host.
 */
import type { Host } from '../../ports/host.ts';
import { LAB_DATA_DISK, LAB_NODE, LAB_PACKAGE_FOLDER } from '../../ports/lab.ts';
import type { LabHostRecord, LabRecord } from '../../schemas/lab-record.ts';
import type { HostLayout } from './layout.ts';

const COMMAND_TIMEOUT_MS = 20_000;
/** Mounts of this machine that hold parts of a Debian system; each gets an overlay of its own. */
const SYSTEM_FOLDERS = new Set([
  '/usr',
  '/usr/local',
  '/var',
  '/var/lib',
  '/var/log',
  '/var/tmp',
  '/opt',
  '/etc',
  '/home',
  '/root',
  '/srv',
]);
/** What this machine has in these is hidden: a host starts with its own, empty. */
const OWN_FOLDERS = ['/var/lib/glusterd', '/var/log/glusterfs', '/var/lib/holdfast', '/var/log/holdfast'];
/** What the package glusterfs-server puts into /var/lib/glusterd and glusterd needs (option groups, hook scripts). */
const PACKAGED_FOLDERS = ['/var/lib/glusterd/groups', '/var/lib/glusterd/hooks'];
const OLD_ROOT = '/.old-root';

export interface RootRequest {
  readonly machine: Host;
  /** The host; its root is still this machine's. */
  readonly inside: Host;
  readonly lab: LabRecord;
  readonly host: LabHostRecord;
  readonly layout: HostLayout;
  readonly bootId: string;
  readonly dataDisk: { readonly major: string; readonly minor: string };
}

/** Makes the root file system and turns the host to it. */
export async function enterRoot(request: RootRequest): Promise<void> {
  const { machine, inside, layout, dataDisk } = request;
  await mount(inside, ['-o', 'loop,noatime', '-t', 'xfs', layout.systemImage, layout.systemMount]);
  const layers = await findLayers(machine);
  await makeLayers(request, layers);
  for (const path of layers) {
    const folder = layerFolder(layout, path);
    const options = `lowerdir=${path},upperdir=${folder}/upper,workdir=${folder}/work`;
    await mount(inside, ['-t', 'overlay', '-o', options, 'overlay', join(layout.rootMount, path)]);
  }
  await mountRuntime(request);
  await writeIdentity(request);
  const device = join(layout.rootMount, LAB_DATA_DISK);
  await run(inside, 'mknod', ['-m', '0660', device, 'b', dataDisk.major, dataDisk.minor]);
  await run(inside, 'pivot_root', [layout.rootMount, join(layout.rootMount, OLD_ROOT)]);
  await run(inside, 'umount', ['-l', OLD_ROOT]);
}

function join(root: string, path: string): string {
  return path === '/' ? root : `${root}${path}`;
}

function layerFolder(layout: HostLayout, path: string): string {
  return `${layout.systemMount}/layers/${path === '/' ? 'root' : path.slice(1).replaceAll('/', '-')}`;
}

/** The root, and what else of the system is a file system of its own, outer ones first. */
async function findLayers(machine: Host): Promise<readonly string[]> {
  const targets = (await machine.mounts.list()).map((entry) => entry.target);
  return ['/', ...[...new Set(targets)].filter((target) => SYSTEM_FOLDERS.has(target)).toSorted()];
}

/** First boot only: the folders of the overlays, with what this machine has in OWN_FOLDERS hidden. */
async function makeLayers({ inside, layout }: RootRequest, layers: readonly string[]): Promise<void> {
  const done = `${layout.systemMount}/layers-made`;
  if ((await inside.files.stat(done)) !== undefined) return;
  for (const path of layers) {
    await inside.files.makeDirectory(`${layerFolder(layout, path)}/work`);
    // The upper folder's mode is that of the mounted folder.
    await inside.files.makeDirectory(`${layerFolder(layout, path)}/upper`, { mode: 0o755 });
  }
  const upperOf = (path: string) => {
    const layer = layers.findLast((each) => each === '/' || path.startsWith(`${each}/`)) ?? '/';
    return { upper: `${layerFolder(layout, layer)}/upper`, rest: layer === '/' ? path : path.slice(layer.length) };
  };
  const own = [];
  for (const path of OWN_FOLDERS) {
    const { upper, rest } = upperOf(path);
    await makeParents(inside, upper, rest);
    own.push(`${upper}${rest}`);
  }
  // An opaque folder hides what the lower layer has (kernel documentation, overlayfs.rst).
  await run(inside, 'setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', '--', ...own]);
  for (const path of PACKAGED_FOLDERS) {
    if ((await inside.files.stat(path)) === undefined) continue;
    const { upper, rest } = upperOf(path);
    await run(inside, 'cp', ['-a', '-T', '--', path, `${upper}${rest}`]);
  }
  await inside.files.writeText(done, '');
}

/** Folders with the usual mode each, whatever the umask: in an overlay they count instead of the lower ones. */
async function makeParents(inside: Host, upper: string, path: string): Promise<void> {
  let folder = upper;
  for (const part of path.split('/').filter((each) => each !== '')) {
    folder = `${folder}/${part}`;
    await inside.files.makeDirectory(folder, { mode: 0o755 });
  }
}

async function mountRuntime({ inside, lab, layout }: RootRequest): Promise<void> {
  const root = layout.rootMount;
  await inside.files.makeDirectory(`${root}${OLD_ROOT}`, { mode: 0o755 });
  await mount(inside, ['--rbind', '/dev', `${root}/dev`]);
  // A mapping would outlive its host: it is the machine's, and known to no namespace. Without it copies are encrypted by fscrypt.
  if ((await inside.files.stat('/dev/mapper')) !== undefined) {
    await mount(inside, ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', `${root}/dev/mapper`]);
  }
  await mount(inside, ['--rbind', '/proc', `${root}/proc`]);
  await mount(inside, ['-t', 'sysfs', 'sysfs', `${root}/sys`]);
  await mount(inside, ['-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', `${root}/dev/shm`]);
  await mount(inside, ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', `${root}/run`]);
  await mount(inside, ['-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', `${root}/tmp`]);
  await mount(inside, ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', `${root}/mnt`]);
  await mount(inside, ['--bind', layout.bootIdFile, `${root}/proc/sys/kernel/random/boot_id`]);
  for (const folder of ['lock', 'gluster', 'disks', 'system-disk']) {
    await inside.files.makeDirectory(`${root}/run/${folder}`, { mode: 0o755 });
  }
  // Reachable after the change of root, for a power cut has to reach the file system itself.
  await mount(inside, ['--bind', layout.systemMount, `${root}/run/system-disk`]);
  if (lab.installation === undefined) return;
  await inside.files.makeDirectory(`${root}${LAB_PACKAGE_FOLDER}`, { mode: 0o755 });
  await inside.files.writeText(`${root}${LAB_NODE}`, '');
  await mount(inside, ['-o', 'bind,ro', lab.installation.packageFolder, `${root}${LAB_PACKAGE_FOLDER}`]);
  await mount(inside, ['-o', 'bind,ro', lab.installation.node, `${root}${LAB_NODE}`]);
}

async function writeIdentity({ inside, lab, host, layout }: RootRequest): Promise<void> {
  const etc = `${layout.rootMount}/etc`;
  const names = lab.hosts.map((each) => `${each.address} ${each.name}`);
  await inside.files.writeText(`${etc}/hosts`, `${['127.0.0.1 localhost', '::1 localhost', ...names].join('\n')}\n`);
  await inside.files.writeText(`${etc}/hostname`, `${host.name}\n`);
  await inside.files.writeText(`${etc}/machine-id`, `${host.machineId}\n`);
  // What this machine mounts at its start is not for its lab hosts.
  await inside.files.writeText(`${etc}/fstab`, '');
  await run(inside, 'hostname', [host.name]);
}

async function mount(inside: Host, args: readonly string[]): Promise<void> {
  await run(inside, 'mount', args);
}

async function run(inside: Host, file: string, args: readonly string[]): Promise<void> {
  await inside.run({ file, args, timeoutMs: COMMAND_TIMEOUT_MS });
}
