import { expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import type { Command, Host } from '../../ports/host.ts';
import { RunError } from '../../ports/run-error.ts';
import { createFakeVolumeKeys } from '../../ports/volume-keys.fake.ts';
import {
  closeLuks,
  copyOfMapping,
  findMapping,
  formatLuks,
  hasLuksHeader,
  headerUuid,
  mappingName,
  openLuks,
  renameLuks,
  resizeLuks,
} from './luks.ts';

const UID = '0f3c5d0e-8a51-4a4e-9a39-2f8d6f4b7f11';
const OTHER = 'ffffffff-8a51-4a4e-9a39-2f8d6f4b7f11';
const KEY = 'the-key-of-the-test-has-64-characters-as-those-of-the-controller';
const IMAGE = { copyUid: UID, image: '/pool/brick.img', keySecret: 'secret', signal: new AbortController().signal };

/** A host on which cryptsetup does nothing, or leaves with a code. */
function createWorld({ blkid = 2, code = 0, head = '' } = {}) {
  const ran: Command[] = [];
  const names = new Map<string, string>();
  const host: Pick<Host, 'name'> & { readonly run: unknown; readonly files: unknown } = {
    name: 'kube1',
    run: async (command: Command) => {
      ran.push(command);
      if (command.file === 'blkid') return { stdout: '', stderr: '', code: blkid };
      if (code !== 0 && command.okCodes?.includes(code) !== true) {
        throw new RunError(`cryptsetup left with ${code}`, { failure: 'exit', file: 'cryptsetup', code });
      }
      if (code === 0 && command.args[0] === 'open') names.set(`dm-${names.size}`, `${command.args.at(-1)}`);
      return { stdout: '', stderr: 'said', code };
    },
    files: {
      list: async () => ['loop0', ...names.keys()],
      stat: async () => ({ type: 'file' }),
      readText: async (path: string) => `${names.get(path.split('/')[3] ?? '')}\n`,
      readBytes: async () => Buffer.from(head, 'latin1'),
    },
  };
  const keys = createFakeVolumeKeys();
  keys.keys.set('secret', KEY);
  return { tools: { host: host as Host, keys }, ran, names };
}

test('the key goes into a pipe, and is in no argument', async () => {
  const { tools, ran } = createWorld();
  await formatLuks(tools, IMAGE);
  expect(await openLuks(tools, IMAGE)).toBe('/dev/dm-0');
  await resizeLuks(tools, IMAGE);
  await renameLuks(tools.host, IMAGE);
  await closeLuks(tools.host, UID);
  const asked = ran.filter(({ file }) => file === 'cryptsetup');
  expect(asked.map(({ args: [verb] }) => verb)).toEqual(['luksFormat', 'open', 'resize', 'luksUUID', 'close']);
  expect(asked.map(({ stdin }) => stdin)).toEqual([KEY, KEY, KEY, undefined, undefined]);
  expect(JSON.stringify(asked.map(({ args, env }) => [args, env]))).not.toContain(KEY);
  for (const { args, stdin } of asked) expect(args.includes('--key-file')).toBe(stdin !== undefined);
});

test('nothing lets discards through, and nothing is asked of a person', async () => {
  const { tools, ran } = createWorld();
  await formatLuks(tools, IMAGE);
  await openLuks(tools, IMAGE, true);
  expect(ran.flatMap(({ args }) => args)).not.toContain('--allow-discards');
  expect(ran.find(({ args }) => args[0] === 'luksFormat')?.args).toContain('--batch-mode');
  expect(ran.at(-1)?.args).toContain('--readonly');
});

test('what holds something is not encrypted', async () => {
  const { tools, ran } = createWorld({ blkid: 0 });
  await expect(formatLuks(tools, IMAGE)).rejects.toMatchObject({ kind: 'dataLoss', reason: 'ImageUnknown' });
  expect(ran.map(({ file }) => file)).toEqual(['blkid']);
});

test.each([
  [2, 'precondition', 'WrongKey'],
  [5, 'unavailable', 'ImageHeld'],
  [1, 'unavailable', 'EncryptionFailed'],
])('when cryptsetup leaves with %i', async (code, kind, reason) => {
  const { tools } = createWorld({ code });
  const error = await openLuks(tools, IMAGE).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ kind, reason });
  expect(JSON.stringify(error)).not.toContain(KEY);
});

test('only the mapping of the copy is closed, and none that is in use', async () => {
  const { tools, ran, names } = createWorld({ code: 5 });
  names.set('dm-7', mappingName(OTHER));
  await closeLuks(tools.host, UID);
  expect(ran).toEqual([]);
  names.set('dm-8', mappingName(UID));
  expect(await findMapping(tools.host, UID)).toBe('/dev/dm-8');
  await expect(closeLuks(tools.host, UID)).rejects.toMatchObject({ kind: 'unavailable', reason: 'ImageHeld' });
});

test.each([
  [mappingName(UID), UID],
  ['holdfast-', undefined],
  ['holdfast-data', undefined],
  [`other-${UID}`, undefined],
])('mapping %s is of copy %s', (name, uid) => {
  expect(copyOfMapping(name)).toBe(uid);
});

test.each([
  ['LUKS\xba\xbe', true],
  ['LUKS', false],
  ['XFSB\0\0', false],
])('an image that begins with %j has a header: %s', async (head, isThere) => {
  expect(await hasLuksHeader(createWorld({ head }).tools.host, '/image')).toBe(isThere);
});

test('the header has another UUID than the file system in it, and each copy its own', () => {
  expect(headerUuid(UID)).toBe('0f3c5d0e-8a51-8a4e-9a39-2f8d6f4b7f11');
  expect(headerUuid(OTHER)).not.toBe(headerUuid(UID));
});
