import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyPaths } from './paths.ts';

const UID = '3f1c5a52-9d0e-4d6e-8a3b-0c1d2e3f4a5b';

describe('copyPaths', () => {
  it('keeps everything of an image copy in its own folder, the brick two levels below the mount point', () => {
    expect(copyPaths({ copyUid: UID, poolPath: '/pool', brick: 'image' })).toEqual({
      parents: ['/pool', '/pool/.holdfast', '/pool/.holdfast/copies'],
      folder: `/pool/.holdfast/copies/${UID}`,
      image: `/pool/.holdfast/copies/${UID}/brick.img`,
      newImage: `/pool/.holdfast/copies/${UID}/brick.img.new`,
      cloneMount: `/pool/.holdfast/copies/${UID}/clone`,
      mountPoint: `/pool/.holdfast/copies/${UID}/mnt`,
      brickParent: `/pool/.holdfast/copies/${UID}/mnt/data`,
      brick: `/pool/.holdfast/copies/${UID}/mnt/data/brick`,
    });
  });

  it('puts a directory brick into the folder itself', () => {
    expect(copyPaths({ copyUid: UID, poolPath: '/pool', brick: 'directory' }).brick).toBe(
      `/pool/.holdfast/copies/${UID}/brick`,
    );
  });

  it.each(['', '..', '../../etc', UID.toUpperCase(), `${UID}/x`, `${UID}\n`, 'default'])(
    'refuses the UID %j',
    (copyUid) => {
      expect(() => copyPaths({ copyUid, poolPath: '/pool', brick: 'image' })).toThrow(
        expect.objectContaining({ kind: 'invalid' }),
      );
    },
  );

  it('never gives two copies a path in common, so that create force can not take another copy', () => {
    const kind = fc.constantFrom('image' as const, 'directory' as const);
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), kind, kind, (one, other, brick, otherBrick) => {
        fc.pre(one !== other);
        const a = copyPaths({ copyUid: one, poolPath: '/pool', brick });
        const b = copyPaths({ copyUid: other, poolPath: '/pool', brick: otherBrick });
        for (const path of [a.image, a.newImage, a.mountPoint, a.brick]) {
          expect(path.startsWith(`${a.folder}/`)).toBe(true);
          expect(path.startsWith(`${b.folder}/`)).toBe(false);
        }
      }),
    );
  });

  it('stays below the pool whatever the pool path is, or refuses', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const poolPath = `/${text}`;
        let folder: string;
        try {
          folder = copyPaths({ copyUid: UID, poolPath, brick: 'image' }).folder;
        } catch {
          return; // Refused: nothing was built.
        }
        expect(folder.startsWith(`${poolPath}/.holdfast/copies/`)).toBe(true);
        expect(folder.split('/')).not.toContain('..');
      }),
    );
  });
});
