import { describe, expect, it } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import { snapshotPaths } from '../image/snapshot-paths.ts';
import { keepClientNumbers, keptClientNumbers, readClientNumbers, renameMark } from './client-numbers.ts';

const COPY = '11111111-1111-4111-8111-111111111111';
const OTHER = '33333333-3333-4333-8333-333333333333';
const PATHS = snapshotPaths({ poolPath: '/p', snapshotUid: OTHER, copyUid: COPY });
const brick = (node: string, uid: string) => `${node}:-p-.holdfast-copies-${uid}-mnt-data-brick`;
const VOLS = '/var/lib/glusterd/vols';

/** What glusterd has on disk about gv0, whose first brick was taken out and one added afterwards. */
const FILES = {
  [`${VOLS}/other/bricks/${brick('kube1', OTHER)}`]: 'brick-id=other-client-0\n',
  [`${VOLS}/gv0/info`]: `type=2\nbrick-0=${brick('kube2', OTHER)}\nbrick-1=${brick('kube1', COPY)}\nbrick-2=${brick('kube3', OTHER)}\n`,
  [`${VOLS}/gv0/bricks/${brick('kube1', COPY)}`]: 'hostname=kube1\nbrick-id=gv0-client-2\n',
  [`${VOLS}/gv0/bricks/${brick('kube2', OTHER)}`]: 'hostname=kube2\nbrick-id=gv0-client-1\n',
  [`${VOLS}/gv0/bricks/${brick('kube3', OTHER)}`]: 'hostname=kube3\nbrick-id=gv0-client-3\n',
};

function createHost(given: Readonly<Record<string, string>>): Host {
  const texts = new Map(Object.entries(given));
  const files = {
    list: async (folder: string) => {
      const below = [...texts.keys()].filter((path) => path.startsWith(`${folder}/`));
      return [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''))];
    },
    readText: async (path: string) => {
      const text = texts.get(path);
      if (text === undefined) throw new AppError('notFound', `there is no ${path}`);
      return text;
    },
    writeText: async (path: string, text: string) => void texts.set(path, text),
  };
  return { name: 'kube1', files } as unknown as Host;
}

describe('the numbers by which marks name bricks', () => {
  it('are those of the volume that the copy is a member of, in the order of its bricks', async () => {
    expect(await readClientNumbers(createHost(FILES), COPY)).toEqual([1, 2, 3]);
  });

  it('are not guessed', async () => {
    await expect(readClientNumbers(createHost({}), COPY)).rejects.toMatchObject({ kind: 'unavailable' });
    const odd = { ...FILES, [`${VOLS}/gv0/bricks/${brick('kube3', OTHER)}`]: 'hostname=kube3\n' };
    await expect(readClientNumbers(createHost(odd), COPY)).rejects.toMatchObject({ kind: 'unavailable' });
    const short = { ...FILES, [`${VOLS}/gv0/info`]: `brick-0=${brick('kube2', OTHER)}\n` };
    await expect(readClientNumbers(createHost(short), COPY)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('are kept beside the image', async () => {
    const host = createHost({});
    expect(await keptClientNumbers(host, PATHS)).toBeUndefined();
    await keepClientNumbers(host, PATHS, [1, 2, 3]);
    expect(await keptClientNumbers(host, PATHS)).toEqual([1, 2, 3]);
  });
});

describe('a mark in a clone', () => {
  it.each<[string, readonly number[] | undefined, string | undefined]>([
    ['trusted.afr.gv0-client-1', [0, 1, 2], 'trusted.afr.web-client-1'],
    // About the first of the bricks there are, not about the second.
    ['trusted.afr.gv0-client-1', [1, 2, 3], 'trusted.afr.web-client-0'],
    ['trusted.afr.gv0-client-3', [1, 2, 3], 'trusted.afr.web-client-2'],
    ['trusted.afr.gv0-client-0', [1, 2, 3], undefined],
    ['trusted.afr.a-client-9-client-2', undefined, 'trusted.afr.web-client-2'],
    ['trusted.afr.dirty', [1, 2, 3], 'trusted.afr.dirty'],
  ])('%s of %j is %s', (name, numbers, expected) => {
    expect(renameMark(name, 'web', numbers)).toBe(expected);
  });
});
