/** The Debian packages that the engine tests and the demo need, and how to get them. */
import { existsSync } from 'node:fs';
import { runTool } from '../project.ts';

/** Package, and what for: the words shown before it is installed. */
export const NEEDED_PACKAGES: Readonly<Record<string, string>> = {
  'glusterfs-server': 'the storage engine of the lab hosts',
  'glusterfs-client': 'mounting its volumes',
  attr: 'reading what the engine notes about a file (getfattr, setfattr)',
  xfsprogs: 'file systems of the copies (mkfs.xfs, xfs_growfs, xfs_io)',
  iproute2: 'networks of the lab hosts (ip)',
  mount: 'disks of the lab hosts (mount, losetup)',
  tini: 'the first process of a lab host',
  'util-linux': 'namespaces of the lab hosts (unshare, nsenter)',
};

const APT_TIMEOUT_MS = 600_000;
const APT_ENV = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

export type InstallOutcome =
  | { readonly isReady: true; readonly installed: readonly string[] }
  | { readonly isReady: false; readonly reason: string };

/** Installs what is missing; without root or apt it changes nothing and says what is missing. */
export async function installMissing(): Promise<InstallOutcome> {
  const missing = await findMissing();
  if (missing === undefined)
    return { isReady: false, reason: 'this is no Debian or Ubuntu machine (dpkg-query is not there)' };
  if (missing.length === 0) return { isReady: true, installed: [] };
  const names = missing.join(' ');
  if (process.getuid?.() !== 0) return { isReady: false, reason: `not root, and missing: ${names}` };
  if (!existsSync('/usr/bin/apt-get')) return { isReady: false, reason: `no apt-get, and missing: ${names}` };
  for (const name of missing) console.log(`installing ${name}: ${NEEDED_PACKAGES[name]}`);
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...missing]]) {
    const result = await runTool({ file: 'apt-get', args, timeoutMs: APT_TIMEOUT_MS, output: 'capture', env: APT_ENV });
    // An update may fail for one source of several; what counts is whether the packages can be installed.
    if (result.code !== 0) console.log(result.output.trimEnd());
  }
  const still = await findMissing();
  if (still === undefined || still.length > 0)
    return { isReady: false, reason: `apt-get could not install ${still?.join(' ')}` };
  return { isReady: true, installed: missing };
}

/** Names that are not installed; undefined where dpkg is not there to ask. */
async function findMissing(): Promise<readonly string[] | undefined> {
  const result = await runTool({
    file: 'dpkg-query',
    args: ['--show', '--showformat', '${binary:Package} ${db:Status-Status}\\n', ...Object.keys(NEEDED_PACKAGES)],
    timeoutMs: 60_000,
    output: 'capture',
  });
  if (result.code === 127) return undefined;
  const installed = new Set<string>();
  for (const line of result.output.split('\n')) {
    const match = /^([^ :]+)(?::\S+)? installed$/.exec(line);
    if (match?.[1] !== undefined) installed.add(match[1]);
  }
  return Object.keys(NEEDED_PACKAGES).filter((name) => !installed.has(name));
}
