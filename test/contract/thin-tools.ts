/** What tests of thin volumes do over and over: write into one, and see what its image takes of the pool. */
import { copyPaths } from '../../src/engines/image/paths.ts';
import type { LocalSet } from './local-engine.contract.ts';
import type { LocalMachine } from './local-machine.ts';

export const MIB = 1024 ** 2;
/** By one {@link ThinTools.write}. */
export const WRITTEN = 64 * MIB;

export interface ThinTools {
  /** Bytes, as the engine tells placement. */
  takenBy(set: LocalSet): Promise<number>;
  path(set: LocalSet, name: string): string;
  /** Writes what no file system makes smaller. */
  write(set: LocalSet, name: string): Promise<void>;
  sumOf(set: LocalSet, name: string): Promise<string | undefined>;
  /** @throws {Error} with what it takes, where that does not come */
  untilTaken(set: LocalSet, isSo: (bytes: number) => boolean): Promise<void>;
  trim(set: LocalSet): Promise<string>;
}

/** Creates them for one machine. */
export function createThinTools(under: LocalMachine, signal: AbortSignal): ThinTools {
  const takenBy = async ({ copy }: LocalSet) =>
    (await under.engine().takenBytes?.([copy], signal))?.get(copy.copyUid) ?? 0;
  const path = ({ attachment }: LocalSet, name: string) => `${attachment.mountPath}/${name}`;
  return {
    takenBy,
    path,
    write: async (set, name) => {
      const args = ['if=/dev/urandom', `of=${path(set, name)}`, 'bs=1M', `count=${WRITTEN / MIB}`, 'conv=fsync'];
      await under.run('dd', ...args, 'status=none');
      await under.run('sync', '--', copyPaths(set.copy).image);
    },
    sumOf: async (set, name) => (await under.run('sha256sum', path(set, name))).split(' ')[0],
    // Freed blocks are discarded after the commit that freed them: each look begins another one.
    untilTaken: async (set, isSo) => {
      for (let tries = 0; tries < 200; tries += 1) {
        await under.run('sync', '--file-system', copyPaths(set.copy).mountPoint);
        if (isSo(await takenBy(set))) return;
      }
      throw new Error(`the image takes ${await takenBy(set)} bytes`);
    },
    trim: (set) => under.run('fstrim', '--', copyPaths(set.copy).mountPoint),
  };
}
