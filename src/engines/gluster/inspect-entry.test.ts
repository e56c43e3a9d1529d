import { describe, expect, it } from 'vitest';
import type { Command, CommandResult, FileInfo, Host } from '../../ports/host.ts';
import { findEntry } from './inspect-entry.ts';

const BRICK = '/pool/.holdfast/copies/c/mnt/data/brick';
const GFID = '01234567-89ab-4cde-8f01-23456789abcd';
const BY_GFID = `${BRICK}/.glusterfs/01/23/${GFID}`;
const GFID_LINE = `# file: ${BRICK}/notes\ntrusted.gfid=0x${GFID.replaceAll('-', '')}\n`;

interface Brick {
  readonly paths: Readonly<Record<string, FileInfo['type']>>;
  /** What getfattr(1) answers about the gfid of the entry. */
  readonly attribute: Partial<CommandResult>;
}

function find({ paths, attribute }: Brick, path = '/notes') {
  const run = async ({ file, args }: Command): Promise<CommandResult> => {
    const none = { stdout: '', stderr: `${args.at(-1)}: trusted.gfid: No such attribute\n`, code: 1 };
    if (file === 'getfattr') return args.includes('--name=trusted.gfid') ? { ...none, ...attribute } : none;
    return { stdout: '9\n2026-01-01\n0:0\n644', stderr: '', code: 0 };
  };
  const files = {
    stat: async (wanted: string) => {
      const type = paths[wanted];
      return type === undefined ? undefined : { type, sizeBytes: 9, mode: 0o644, deviceId: 1, inode: 1 };
    },
  };
  const host = { name: 'kube1', run, files } as unknown as Host;
  return findEntry(host, { brickPath: BRICK, path }, new AbortController().signal);
}

const WHOLE = { [`${BRICK}/.glusterfs`]: 'directory', [BY_GFID]: 'file' } as const;
const HAS_GFID = { stdout: GFID_LINE, stderr: '', code: 0 };

describe('a version of an entry', () => {
  it('is found by its gfid', async () => {
    const found = await find({ paths: WHOLE, attribute: HAS_GFID });
    expect(found).toMatchObject({ safePath: BY_GFID, version: { type: 'file', gfid: GFID, sizeBytes: 9 } });
  });

  it.each(['No such file or directory', 'Not a directory'])('is none where a whole brick says: %s', async (words) => {
    const attribute = { stdout: '', stderr: `getfattr: ${BRICK}/notes: ${words}\n`, code: 1 };
    expect(await find({ paths: WHOLE, attribute })).toBeUndefined();
  });

  it.each(['/notes', `gfid:${GFID}`])(
    '(%s) is not said to be none while the brick itself is out of sight',
    async (path) => {
      const attribute = { stdout: '', stderr: `getfattr: ${BRICK}/notes: No such file or directory\n`, code: 1 };
      await expect(find({ paths: {}, attribute }, path)).rejects.toMatchObject({ kind: 'unavailable' });
    },
  );

  it('is not said to be none where the disk does not answer', async () => {
    const attribute = { stdout: '', stderr: `getfattr: ${BRICK}/notes: Input/output error\n`, code: 1 };
    await expect(find({ paths: WHOLE, attribute })).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('is not said to be none where it has a name, and GlusterFS has lost its own link to it', async () => {
    const paths = { [`${BRICK}/.glusterfs`]: 'directory' } as const;
    await expect(find({ paths, attribute: HAS_GFID })).rejects.toMatchObject({ kind: 'precondition' });
  });
});
