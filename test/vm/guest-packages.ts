/** What a guest is made of: Debian's own packages, fetched by apt and unpacked without being installed. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, runTool } from '../../tools/project.ts';

/** Linux as a program of the machine (User-mode Linux): it needs neither a hypervisor nor an emulated processor. */
const KERNEL = 'user-mode-linux';
/** That, the programs that local volumes call, and all the libraries that they and Node are linked with. */
export const GUEST_PACKAGES: readonly string[] = [
  ...[
    KERNEL,
    'attr',
    'bash',
    'btrfs-progs',
    'busybox-static',
    'coreutils',
    'cryptsetup-bin',
    'e2fsprogs',
    'grep',
    'kmod',
  ],
  ...['mount', 'sed', 'util-linux', 'xfsprogs', 'logsave', 'libtinfo6', 'gcc-12-base', 'libreadline8', 'libsmartcols1'],
  ...['libacl1', 'libargon2-1', 'libattr1', 'libaudit1', 'libblkid1', 'libc6', 'libcap-ng0', 'libcap2', 'libcom-err2'],
  ...['libcrypt1', 'libcryptsetup12', 'libdevmapper1.02.1', 'libedit2', 'libext2fs2', 'libgcc-s1', 'libgcrypt20'],
  ...[
    'libgmp10',
    'libgpg-error0',
    'libicu72',
    'libinih1',
    'libjson-c5',
    'libkmod2',
    'liblz4-1',
    'liblzma5',
    'liblzo2-2',
  ],
  ...['libbsd0', 'libmd0', 'libmount1', 'libpam0g', 'libpcre2-8-0', 'libpopt0', 'libselinux1', 'libss2', 'libssl3'],
  ...['libstdc++6', 'libsystemd0', 'libudev1', 'liburcu8', 'libuuid1', 'libzstd1', 'zlib1g'],
  // systemd, and what it is linked with.
  ...['systemd', 'libsystemd-shared', 'libapparmor1', 'libfdisk1', 'libip4tc2', 'libseccomp2'],
];

/** Fetching goes over the network, and a guest has some sixty packages. */
const FETCH_MS = 10 * 60_000;

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

/** Fetches the packages and unpacks them into one folder. @returns that */
export async function unpackPackages(folder: string): Promise<string> {
  const [downloads, tree] = [join(folder, 'downloads'), join(folder, 'tree')];
  for (const each of [downloads, tree]) await mkdir(each);
  // Not as the user that apt fetches with otherwise, who may not write here.
  await demand('apt-get', ['--option', 'APT::Sandbox::User=root', 'download', ...GUEST_PACKAGES], downloads);
  for (const name of await readdir(downloads)) await demand('dpkg', ['--extract', join(downloads, name), tree]);
  return tree;
}
