import { describe, expect, it } from 'vitest';
import { parseEngineVolumeName } from '../../domain/names.ts';
import type { Command, Host } from '../../ports/host.ts';
import { putBack } from './put-back.ts';

const UID = (digit: string) => `${digit.repeat(8)}-1111-4111-8111-111111111111`;
const place = (taskUid: string) => ({ poolPath: '/pool', volumeUid: UID('a'), taskUid, copyUid: UID('b') });
const REQUEST = {
  volume: parseEngineVolumeName('gv0'),
  servers: ['kube1'],
  path: '/notes',
  from: place(UID('c')),
  aside: place(UID('d')),
};
const LOST = '1'.repeat(64);
const REPLACED = '2'.repeat(64);
const WRITTEN = '3'.repeat(64);

/** Puts the version back once more, after an agent died that had put aside what it was to replace. */
async function again(current: string) {
  const ran: string[] = [];
  const run = async ({ file, args, cwd }: Command) => {
    if (file !== 'sha256sum') ran.push(file);
    // Only the file itself is named in the folder of the mount.
    const sum = cwd === undefined || args.at(-1) !== './notes' ? LOST : current;
    return { stdout: file === 'stat' ? '7' : `${sum}  x\n`, stderr: '', code: 0 };
  };
  const files = {
    readText: async (path: string) => {
      const sha256 = path.includes(REQUEST.from.taskUid) ? LOST : REPLACED;
      return JSON.stringify({ path: '/notes', sha256, savedIn: '/pool/saved' });
    },
    makeDirectory: async () => undefined,
    remove: async () => undefined,
  };
  const mounts = { list: async () => [], mount: async () => undefined };
  const host = { name: 'kube1', run, files, mounts } as unknown as Host;
  const random = { uuid: () => UID('e'), next: () => 0, secret: () => '' };
  const outcome = await putBack({ host, random }, REQUEST, new AbortController().signal).catch(
    (error: unknown) => error,
  );
  return { outcome, ran };
}

describe('a version that is put back once more', () => {
  it('is left alone when it is back already', async () => {
    const { outcome, ran } = await again(LOST);
    expect(outcome).toMatchObject({ sha256: REPLACED });
    expect(ran).toEqual([]);
  });

  it('is put back when nothing happened since it was begun', async () => {
    const { outcome, ran } = await again(REPLACED);
    expect(outcome).toMatchObject({ sha256: REPLACED });
    expect(ran).toEqual(['cp', 'sync', 'stat', 'stat', 'mv', 'sync']);
  });

  it('replaces nothing that was written since', async () => {
    const { outcome, ran } = await again(WRITTEN);
    expect(outcome).toMatchObject({ kind: 'precondition', reason: 'WrittenMeanwhile' });
    expect(ran).toEqual([]);
  });
});
