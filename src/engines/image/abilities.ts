/** What the kernel and the programs of a node can do with images, beyond what every node can. Looks only. */
import { isAppError } from '../../domain/errors.ts';
import type { Ability } from '../../domain/volume/abilities.ts';
import type { Host } from '../../ports/host.ts';

const LOOK_MS = 10_000;

/** Asks kernel and programs; never throws but when it is aborted. */
export async function probeAbilities(host: Host, signal: AbortSignal): Promise<Ability[]> {
  return (await hasBtrfs(host, signal)) ? ['btrfs'] : [];
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
