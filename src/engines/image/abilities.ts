/** What the kernel and the programs of a node can do with images, beyond what every node can. Looks only. */
import { isAppError } from '../../domain/errors.ts';
import type { Ability } from '../../domain/volume/abilities.ts';
import type { Host } from '../../ports/host.ts';

const LOOK_MS = 10_000;

/** Asks kernel and programs; never throws but when it is aborted. */
export async function probeAbilities(host: Host, signal: AbortSignal): Promise<Ability[]> {
  const encryption = await probeEncryption(host, signal);
  return (await hasBtrfs(host, signal)) ? ['btrfs', ...encryption] : encryption;
}

/** As {@link probeAbilities}, how images can be encrypted alone. */
export async function probeEncryption(host: Host, signal: AbortSignal): Promise<Ability[]> {
  const found: Ability[] = [];
  if (await hasFscrypt(host)) found.push('fscrypt');
  if (await hasLuks(host, signal)) found.push('luks');
  return found;
}

async function hasBtrfs(host: Host, signal: AbortSignal): Promise<boolean> {
  // btrfstune, which clones need, is of the same package.
  if (!(await succeeds(host, { file: 'mkfs.btrfs', args: ['--version'] }, signal))) return false;
  const known = await host.files.readText('/proc/filesystems').catch((error: unknown) => {
    if (isAppError(error)) return '';
    throw error;
  });
  if (/^\s*btrfs$/m.test(known)) return true;
  // The kernel loads it by itself at the first mount, where it has it.
  return succeeds(host, { file: 'modprobe', args: ['--dry-run', '--quiet', 'btrfs'] }, signal);
}

/** The folder is there as soon as the kernel has loaded ext4; before that nobody can tell, and making one tells. */
export async function hasFscrypt({ files }: Pick<Host, 'files'>): Promise<boolean> {
  const features = '/sys/fs/ext4/features';
  return (await files.stat(features)) === undefined || (await files.stat(`${features}/encryption`)) !== undefined;
}

/** Whether images can be encrypted with LUKS: cryptsetup is there, and the kernel has dm-crypt, or would load it. */
export async function hasLuks(host: Host, signal: AbortSignal): Promise<boolean> {
  // In a container, and in a host of a lab, the kernel may have it and not give it away.
  if ((await host.files.stat('/dev/mapper/control')) === undefined) return false;
  if (!(await succeeds(host, { file: 'cryptsetup', args: ['--version'] }, signal))) return false;
  if ((await host.files.stat('/sys/module/dm_crypt')) !== undefined) return true;
  return succeeds(host, { file: 'modprobe', args: ['--dry-run', '--quiet', 'dm_crypt'] }, signal);
}

async function succeeds(
  host: Host,
  { file, args }: { readonly file: string; readonly args: readonly string[] },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await host.run({ file, args, timeoutMs: LOOK_MS, signal });
    return true;
  } catch {
    // Missing or refused, it is of no use here; what is needed is said where it is asked for.
    signal.throwIfAborted();
    return false;
  }
}
