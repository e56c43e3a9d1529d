/** What Tasks left on a node is removed when nobody can want it any more, with the real find(1) and rm(1). */
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { tidyUp } from '../../src/engines/gluster/tidy-up.ts';
import type { MountEntry } from '../../src/ports/host.ts';

const VOLUME = '11111111-1111-4111-8111-111111111111';
const KNOWN = '22222222-2222-4222-8222-222222222222';
const GONE = '33333333-3333-4333-8333-333333333333';
const FRESH = '44444444-4444-4444-8444-444444444444';
const LONE = '55555555-5555-4555-8555-555555555555';
const NOW = Date.parse('2026-01-31T00:00:00Z');
const OLD = new Date('2026-01-01T00:00:00Z');
const SIGNAL = new AbortController().signal;

describe('tidyUp', () => {
  let base: string;
  let pool: string;
  let saved: string;
  let mounts: MountEntry[];
  let detached: string[];

  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'holdfast-tidy-'));
  });
  afterAll(() => rm(base, { recursive: true }));
  beforeEach(async () => {
    pool = await mkdtemp(join(base, 'pool-'));
    saved = join(pool, '.holdfast/saved');
    mounts = [];
    detached = [];
  });

  const put = async (folder: string, at = OLD) => {
    await mkdir(join(saved, folder, 'copy'), { recursive: true });
    await writeFile(join(saved, folder, 'copy/content'), 'saved');
    await utimes(join(saved, folder), at, at);
  };
  const tidy = (openTasks: readonly string[] = []) => {
    const local = createLocalHost({ clock: createSystemClock() });
    const unmount = async (target: string) => void detached.push(target);
    const host = { ...local, mounts: { ...local.mounts, list: async () => mounts, unmount } };
    const tasks = { knownTasks: new Set([KNOWN, ...openTasks]), openTasks: new Set(openTasks) };
    return tidyUp(host, { poolPaths: [pool], savedBefore: NOW, ...tasks }, SIGNAL);
  };

  it('removes what is old and of no Task that is known, and the folder of a volume with the last of it', async () => {
    await put(`${VOLUME}/${KNOWN}`);
    await put(`${VOLUME}/${GONE}`);
    await put(`${VOLUME}/${FRESH}`, new Date(NOW + 1000));
    await put(`${LONE}/${GONE}`);
    const removed = await tidy();
    expect(removed.toSorted()).toEqual([join(saved, VOLUME, GONE), join(saved, LONE, GONE)]);
    expect((await readdir(join(saved, VOLUME))).toSorted()).toEqual([KNOWN, FRESH]);
    expect(await readdir(saved)).toEqual([VOLUME]);
    expect(await tidy()).toEqual([]);
  });

  it('removes the folders above with the last of what is in them, and no other', async () => {
    await put(`${VOLUME}/${GONE}`);
    await mkdir(join(pool, '.holdfast/copies/one'), { recursive: true });
    await tidy();
    expect(await readdir(join(pool, '.holdfast'))).toEqual(['copies']);
    await rm(join(pool, '.holdfast/copies'), { recursive: true });
    await put(`${VOLUME}/${GONE}`);
    await tidy();
    expect(await readdir(pool)).toEqual([]);
  });

  it('leaves alone whatever has another name or is no folder', async () => {
    const outside = join(pool, 'outside');
    await mkdir(join(outside, GONE), { recursive: true });
    await put(`${VOLUME}/notes`);
    await put(`other/${GONE}`);
    await symlink(join(outside, GONE), join(saved, VOLUME, GONE));
    await symlink(outside, join(saved, LONE));
    expect(await tidy()).toEqual([]);
    expect(await readdir(outside)).toEqual([GONE]);
  });

  it('has nothing to do in a pool where nothing was ever put aside', async () => {
    expect(await tidy()).toEqual([]);
  });

  it('unmounts what an agent left that died over a Task, and no mount of a Task that goes on', async () => {
    const mount = (target: string) => ({ source: 'kube1:/gv0', target, fsType: 'fuse.glusterfs', options: [] });
    mounts = [`/run/holdfast/task/${GONE}`, `/run/holdfast/task/${KNOWN}`, '/data'].map(mount);
    await tidy([KNOWN]);
    expect(detached).toEqual([`/run/holdfast/task/${GONE}`]);
  });
});
