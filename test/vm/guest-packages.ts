/** What a guest is made of: Debian's own packages, fetched by apt and unpacked without being installed. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, runTool } from '../../tools/project.ts';

/** Linux as a program of the machine (User-mode Linux): it needs neither a hypervisor nor an emulated processor. */
const KERNEL = 'user-mode-linux';
/** That, the programs that Holdfast and its tests call there, and systemd. What these need apt finds by itself. */
export const GUEST_PACKAGES: readonly string[] = [
  ...[
    KERNEL,
    'bash',
    'busybox-static',
    'coreutils',
    'findutils',
    'grep',
    'hostname',
    'kmod',
    // getent, by which Holdfast knows the addresses of a brick's machine.
    'libc-bin',
    'mount',
    'procps',
    'psmisc',
    'sed',
  ],
  ...['systemd', 'util-linux', 'util-linux-extra'],
  ...['attr', 'btrfs-progs', 'cryptsetup-bin', 'e2fsprogs', 'xfsprogs'],
  ...['glusterfs-client', 'glusterfs-server', 'iproute2', 'openssl', 'tini'],
  ...['nfs-common', 'nfs-ganesha', 'nfs-ganesha-gluster', 'nfs-kernel-server', 'rpcbind'],
  // Of Node.
  'libstdc++6',
];

/** Fetching goes over the network, and a guest has some two hundred packages. */
const FETCH_MS = 15 * 60_000;

/** @throws {Error} with what the program said */
export async function demand(file: string, args: readonly string[], cwd = ROOT): Promise<string> {
  const { code, output } = await runTool({ file, args, cwd, timeoutMs: FETCH_MS, output: 'capture' });
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} left with ${code}: ${output}`);
  return output;
}

/** Version of the kernel that apt would fetch. @throws {Error} where it knows none */
export async function kernelVersion(): Promise<string> {
  const version = /Candidate: (\d\S*)/.exec(await demand('apt-cache', ['policy', KERNEL]))?.[1];
  if (version === undefined)
    throw new Error(`apt knows no ${KERNEL}: is Debian among its sources? See "apt-get update"`);
  return version;
}

/** All that apt would install for these on a machine that has nothing. */
async function resolvePackages(): Promise<readonly string[]> {
  const options = ['Dir::State::status=/dev/null', 'APT::Install-Recommends=false'];
  const args = [...options.flatMap((each) => ['--option', each]), '--simulate', 'install', ...GUEST_PACKAGES];
  return [...(await demand('apt-get', args)).matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
}

/** Fetches the packages and unpacks them into one folder. @returns that */
export async function unpackPackages(folder: string): Promise<string> {
  const [downloads, tree] = [join(folder, 'downloads'), join(folder, 'tree')];
  for (const each of [downloads, tree]) await mkdir(each);
  // Not as the user that apt fetches with otherwise, who may not write here.
  const options = ['--option', 'APT::Sandbox::User=root'];
  await demand('apt-get', [...options, 'download', ...(await resolvePackages())], downloads);
  for (const name of await readdir(downloads)) await demand('dpkg', ['--extract', join(downloads, name), tree]);
  return tree;
}
