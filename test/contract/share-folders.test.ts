/** Folders of a share on a real file system, also while somebody puts symlinks in their places; and the whole engine over it. */
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createShareFolders } from '../../src/adapters/host/share-folders.ts';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { isAppError } from '../../src/domain/errors.ts';
import { ownEngineName } from '../../src/domain/volume/engine-name.ts';
import { createNfsEngine } from '../../src/engines/nfs/index.ts';
import type { DesiredVolume } from '../../src/ports/engine.ts';
import type { Host } from '../../src/ports/host.ts';

const signal = AbortSignal.timeout(5 * 60_000);
const host = createLocalHost({ clock: createSystemClock() }, { name: 'kube1' });
const folders = createShareFolders({ hostName: 'kube1', run: (command) => host.run(command) });
let folder: string;
let root: string;
let outside: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-share-')));
  [root, outside] = [join(folder, 'share'), join(folder, 'outside')];
  await mkdir(root);
  await mkdir(join(outside, 'inner'), { recursive: true });
  await writeFile(join(outside, 'precious'), 'mine');
});
afterEach(() => rm(folder, { recursive: true }));

const at = (...parts: readonly string[]) => ({ root, parts });
const untouched = async () => {
  expect(await readdir(outside)).toEqual(['inner', 'precious']);
  expect(await readdir(join(outside, 'inner'))).toEqual([]);
  expect((await stat(outside)).mode & 0o777).toBe(0o755);
};
async function reasonOf(act: Promise<unknown>): Promise<string | undefined> {
  try {
    await act;
    return undefined;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.reason ?? error.kind;
  }
}

describe('folders of a share', () => {
  it('are made with their mode whatever the umask, moved, and erased with all that is in them', async () => {
    await folders.makeFolder(at('a', 'b', 'c'), 0o2777);
    expect((await stat(join(root, 'a/b/c'))).mode & 0o7777).toBe(0o2777);
    expect((await stat(join(root, 'a/b'))).mode & 0o7777).toBe(0o755);
    await folders.makeFolder(at('a', 'b', 'c'), 0o700);
    const seen = await folders.stat(at('a', 'b', 'c'));
    expect(seen).toMatchObject({ type: 'directory', mode: 0o2777 });
    await folders.move(at('a', 'b', 'c'), at('a', 'd'));
    expect((await folders.stat(at('a', 'd')))?.inode).toBe(seen?.inode);
    await mkdir(join(root, 'a/d/deep/-rf'), { recursive: true });
    await symlink(outside, join(root, 'a/d/deep/link'));
    await folders.erase(at('a', 'd'), signal);
    await folders.erase(at('a', 'd'), signal);
    expect(await readdir(join(root, 'a'))).toEqual(['b']);
    await untouched();
  });

  it('have a handle that no other one gets, whatever is done in them and wherever they go', async () => {
    await folders.makeFolder(at('a', 'b'), 0o755);
    const handle = await folders.handle(at('a', 'b'), signal);
    expect(handle).toMatch(/^[0-9a-f]+:[0-9a-f]{8,}$/);
    await folders.createText(at('a', 'b', 'text'), 'x');
    await folders.move(at('a', 'b'), at('c'));
    expect(await folders.handle(at('c'), signal)).toBe(handle);
    await folders.erase(at('c'), signal);
    expect(await reasonOf(folders.handle(at('c'), signal))).toBe('ShareAccessFailed');
    // Many file systems give it the inode of the one that is gone.
    const later = new Set<string | undefined>();
    for (let nth = 0; nth < 5; nth += 1) {
      await folders.makeFolder(at('a', 'b'), 0o755);
      later.add(await folders.handle(at('a', 'b'), signal));
      await folders.remove(at('a', 'b'));
    }
    expect(later.size).toBe(5);
    expect(later).not.toContain(handle);
    await symlink(outside, join(root, 'link'));
    expect(await reasonOf(folders.handle(at('link'), signal))).toBe('NotAFolder');
  });

  it('are not written over: neither a text, nor a folder with something in it', async () => {
    await folders.createText(at('mark'), 'first\n');
    expect((await stat(join(root, 'mark'))).mode & 0o777).toBe(0o600);
    expect(await reasonOf(folders.createText(at('mark'), 'second\n'))).toBe('ShareAccessFailed');
    expect(await folders.readText(at('mark'))).toBe('first\n');
    expect(await folders.readText(at('none'))).toBeUndefined();
    await folders.makeFolder(at('one'), 0o755);
    await folders.makeFolder(at('two', 'full'), 0o755);
    await expect(folders.move(at('one'), at('two'))).rejects.toMatchObject({ kind: 'exists' });
    await folders.remove(at('none'));
    await expect(folders.remove(at('two'))).rejects.toMatchObject({ kind: 'exists' });
    expect(await folders.list(at(), 3)).toEqual({ names: ['mark', 'one', 'two'], hasMore: false });
    expect((await folders.list(at(), 2)).names).toHaveLength(2);
    expect((await folders.list(at(), 2)).hasMore).toBe(true);
    await expect(folders.list(at('none'), 2)).rejects.toMatchObject({ kind: 'notFound' });
  });

  it('are never reached through a symlink, wherever on the way it is', async () => {
    await symlink(outside, join(root, 'link'));
    await mkdir(join(root, 'real'));
    await symlink('/etc', join(root, 'real/link'));
    for (const parts of [
      ['link', 'inner'],
      ['link', 'new'],
      ['real', 'link', 'passwd'],
    ]) {
      expect(await reasonOf(folders.stat(at(...parts)))).toBe('NotAFolder');
      expect(await reasonOf(folders.makeFolder(at(...parts), 0o777))).toBe('NotAFolder');
      expect(await reasonOf(folders.createText(at(...parts), 'x'))).toBe('NotAFolder');
      expect(await reasonOf(folders.readText(at(...parts)))).toBe('NotAFolder');
      expect(await reasonOf(folders.remove(at(...parts)))).toBe('NotAFolder');
      expect(await reasonOf(folders.erase(at(...parts), signal))).toBe('NotAFolder');
      expect(await reasonOf(folders.move(at(...parts), at('moved')))).toBe('NotAFolder');
      expect(await reasonOf(folders.move(at('real'), at(...parts)))).toBe('NotAFolder');
    }
    expect(await reasonOf(folders.makeFolder(at('link'), 0o777))).toBe('NotAFolder');
    expect(await reasonOf(folders.readText(at('link')))).toBe('NotAFolder');
    expect(await reasonOf(folders.list(at('link'), 9))).toBe('NotAFolder');
    expect(await folders.stat(at('link'))).toMatchObject({ type: 'symlink' });
    await folders.erase(at('link'), signal);
    await untouched();
  });

  it.each(['..', '.', '', 'a/b', '/etc', 'a\0', 'a\nb', 'x'.repeat(256)])('have no part called %j', async (part) => {
    for (const act of [folders.stat, folders.readText, folders.remove]) {
      expect(await reasonOf(act(at(part)))).toBe('InvalidPath');
      expect(await reasonOf(act(at(part, 'inner')))).toBe('InvalidPath');
    }
    expect(await reasonOf(folders.makeFolder(at('a', part), 0o755))).toBe('InvalidPath');
    expect(await reasonOf(folders.erase(at(part), signal))).toBe('InvalidPath');
  });

  it('stay in the share while somebody swaps a folder for a symlink all the time', async () => {
    await mkdir(join(root, 'way'));
    await symlink(outside, join(root, 'lure'));
    let isOver = false;
    const swapping = (async () => {
      while (!isOver) {
        await rename(join(root, 'way'), join(root, 'aside'));
        // In between the folder may have been made anew.
        await rename(join(root, 'lure'), join(root, 'way')).catch(() => undefined);
        // What is being made in it just then makes that fail, and it is gone a moment later.
        await rm(join(root, 'way'), { recursive: true, maxRetries: 100, retryDelay: 1 });
        await rename(join(root, 'aside'), join(root, 'way')).catch(() =>
          rm(join(root, 'way'), { recursive: true, maxRetries: 100, retryDelay: 1 }),
        );
        await mkdir(join(root, 'way'), { recursive: true });
        await symlink(outside, join(root, 'lure')).catch(() => undefined);
      }
    })();
    const tries = { made: 0, refused: 0 };
    for (let nth = 0; nth < 300; nth += 1) {
      const name = `n${nth}`;
      try {
        await folders.makeFolder(at('way', name), 0o777);
        await folders.createText(at('way', name, 'text'), 'x');
        await folders.remove(at('way', name, 'text'));
        if (nth % 10 === 0) await folders.erase(at('way', name), signal);
        tries.made += 1;
      } catch (error) {
        if (!isAppError(error)) throw error;
        tries.refused += 1;
      }
    }
    isOver = true;
    await swapping;
    expect(tries.made).toBeGreaterThan(0);
    expect(tries.refused).toBeGreaterThan(0);
    await untouched();
  });

  it('say that another file system in the share is none of it', async () => {
    await mkdir(join(root, 'other'));
    await host.run({ file: 'mount', args: ['-t', 'tmpfs', 'other', join(root, 'other')], timeoutMs: 20_000 });
    try {
      expect(await reasonOf(folders.makeFolder(at('other', 'x'), 0o755))).toBe('NotAFolder');
    } finally {
      await host.run({ file: 'umount', args: [join(root, 'other')], timeoutMs: 20_000 });
    }
  });
});

/** Mounts of NFS shown as binds of folders here: this kernel may have no client. */
function withShares(source: string): Host {
  const real = (asked: string) => (asked === source ? root : join(root, asked.slice(source.length + 1)));
  const mounts: Host['mounts'] = {
    ...host.mounts,
    list: async () => (await host.mounts.list()).filter(({ target }) => target.startsWith('/var/lib/holdfast/shares/')),
    mount: async ({ source: asked, target, timeoutMs }) => {
      await host.mounts.mount({ source: real(asked), target, options: ['bind'], timeoutMs });
    },
  };
  return { ...host, mounts };
}

describe('the nfs engine over a real file system', () => {
  it('leaves everything as it was outside of its own folder, whatever happens in the share in between', async () => {
    const share = { server: `files-${Date.now()}`, path: '/export', mountOptions: [], volumeUid: 'uid-1' } as const;
    const machine = withShares(`${share.server}:/export`);
    const engine = createNfsEngine({ host: machine, folders, hash: sha256 });
    const settle = async (desired: DesiredVolume) => {
      try {
        for (const step of engine.plan(desired, await engine.observe(desired, signal)))
          await engine.apply(step, signal);
      } catch (error) {
        if (!isAppError(error)) throw error;
      }
    };
    const name = fc.constantFrom('a', 'b');
    const path = fc.array(name, { minLength: 1, maxLength: 2 }).map((parts) => parts.join('/'));
    const onDelete = fc.constantFrom('delete', 'retain', 'archive');
    const act = fc.oneof(
      fc.record({ is: fc.constant('volume'), subDir: path, onDelete, isPresent: fc.boolean(), uid: fc.nat(1) }),
      fc.record({ is: fc.constantFrom('link', 'file', 'swap'), path }),
    );
    const others = ['keep/file', 'a/file', 'file'];
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 2, maxLength: 10 }), async (acts) => {
        await rm(root, { recursive: true, force: true });
        await mkdir(join(root, 'keep'), { recursive: true });
        await mkdir(join(root, 'a'));
        for (const other of others) await writeFile(join(root, other), other);
        for (const each of acts) {
          if ('uid' in each) {
            const wanted = {
              ...share,
              subDir: each.subDir,
              onDelete: each.onDelete,
              volumeUid: `uid-${each.uid}`,
            } as const;
            const base = { subject: 'volume', layout: 'single', bricks: [], options: {} } as const;
            await settle({ ...base, name: ownEngineName('db'), isPresent: each.isPresent, share: wanted });
          } else {
            await disturb(each.is, join(root, each.path));
          }
        }
        await untouched();
        expect(await readFile(join(root, 'keep/file'), 'utf8')).toBe('keep/file');
        expect(await readFile(join(root, 'file'), 'utf8')).toBe('file');
        const left = await host.mounts.list();
        expect(left.filter(({ target }) => target.startsWith('/var/lib/holdfast/shares/'))).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

/** What another client of the share may do at any time. */
async function disturb(how: string, path: string): Promise<void> {
  try {
    if ((await lstat(dirname(path))).isSymbolicLink()) return;
    if (how === 'swap') await rename(path, `${path}-away`);
    if (how === 'file') await writeFile(path, 'of another', { flag: 'wx' });
    else await symlink(outside, path);
  } catch (error) {
    // Where it cannot be done just then, nothing is.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
