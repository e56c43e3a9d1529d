/**
 * Reads a file as everybody sees it, through a fresh mount: what GlusterFS lists says nothing of whether it can be read.
 * The path serves to find its gfid; it is read by that, so that no symlink on the way leads elsewhere.
 */
import { AppError, messageOf } from '../../domain/errors.ts';
import { gfidOf } from '../../domain/volume/entry-path.ts';
import type { ReadRequest, SeenEntry } from '../../ports/brick-work.ts';
import type { Host } from '../../ports/host.ts';
import { hashFile } from './inspect-entry.ts';
import { withOwnMount } from './own-mount.ts';

const LOOK_MS = 30_000;

/** As port BrickWork has it. */
export async function readEntry(host: Host, { path, ...mount }: ReadRequest, signal: AbortSignal): Promise<SeenEntry> {
  // aux-gfid-mount: files can be named .gfid/UUID.
  const options = { isReadOnly: true, options: ['aux-gfid-mount'] };
  return withOwnMount(host, { ...mount, ...options }, signal, async (mountPath) => {
    try {
      const gfid = gfidOf(path) ?? (await readIdentity(host, `${mountPath}${path}`, signal));
      return { gfid, sha256: await hashFile(host, `${mountPath}/.gfid/${gfid}`, signal) };
    } catch (error) {
      signal.throwIfAborted();
      throw new AppError('unavailable', `${path} cannot be read through a mount on ${host.name}: ${messageOf(error)}`, {
        resource: `volume ${mount.volume}`,
        reason: 'NotReadable',
        cause: error,
      });
    }
  });
}

async function readIdentity(host: Host, path: string, signal: AbortSignal): Promise<string> {
  const args = ['--no-dereference', '--absolute-names', '--only-values', '--name=glusterfs.gfid.string', '--', path];
  const { stdout } = await host.run({ file: 'getfattr', args, timeoutMs: LOOK_MS, signal });
  const gfid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(stdout)?.[0];
  if (gfid !== undefined) return gfid;
  throw new AppError('internal', `GlusterFS tells no gfid of it but ${JSON.stringify(stdout.slice(0, 80))}`);
}
