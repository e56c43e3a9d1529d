/** Runs in a guest whose kernel has dm-crypt: real GlusterFS on three hosts of a lab, with its bricks in LUKS. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findMapping, hasLuksHeader, mappingPath } from '../../../src/engines/image/luks.ts';
import { copyPaths } from '../../../src/engines/image/paths.ts';
import type { DesiredCopy, Observed } from '../../../src/ports/engine.ts';
import { createVolumeSet, settle, type VolumeSet } from '../../contract/engine-harness.ts';
import { type GlusterLab, startGlusterLab } from '../../engine/gluster-fixture.ts';
import { PATIENCE } from './patience.ts';

const MIB = 1024 ** 2;
const SIZE_BYTES = 160 * MIB;
const SECRET = 'key';
const KEY = 'the-key-of-the-test-has-64-characters-as-those-of-the-controller';
const [WORDS, NAME] = ['words-that-nobody-may-read', 'name-of-a-file'];
const NODE = 'kube1';
const WAIT = { timeout: 5 * 60_000, interval: 500 };
const signal = AbortSignal.timeout(60 * 60_000);
let under: GlusterLab;

beforeAll(async () => {
  under = await startGlusterLab('gluster', PATIENCE);
  // Labs hide it: a mapping would outlive a host that is switched off, which none is here.
  for (const node of under.nodes) await under.run(node, 'umount', '/dev/mapper');
}, 15 * 60_000);
afterAll(() => under?.stop());

const host = (node: string) => under.lab.host(node);
const patience = () => ({ ...under.patience, signal });
const write = (set: VolumeSet, name: string, text: string) =>
  host(NODE).files.writeText(`${set.attachment.mountPath}/${name}`, text);
const isHealed = ({ bricks }: Observed<'volume'>) =>
  bricks.every((brick) => brick.isOnline && brick.pendingHeals === 0);
const healed = (set: VolumeSet) =>
  settle<'volume'>(under.engine(set.anchor), set.volume, { ...patience(), fact: isHealed });

/** Whether what was written is to be read on the disk of a copy, past all that is encrypted. */
async function isReadable(node: string, copy: DesiredCopy): Promise<boolean> {
  const { image, mountPoint } = copyPaths(copy);
  await under.run(node, 'sync', '--file-system', mountPoint);
  const args = ['--text', '--quiet', '-e', WORDS, '-e', NAME, '--', image];
  return (await host(node).run({ file: 'grep', args, okCodes: [0, 1], timeoutMs: 60_000 })).code === 0;
}

describe('a volume of three copies in LUKS', () => {
  let set: VolumeSet;
  beforeAll(async () => {
    under.keys.set(SECRET, KEY);
    set = await createVolumeSet(under, {
      ...{ layout: 'replicated', brick: 'image', sizeBytes: SIZE_BYTES, keySecret: SECRET, signal },
    });
  });

  it('has nothing readable on any disk, where its plain twin has all', async () => {
    const twin = await createVolumeSet(under, { layout: 'single', brick: 'image', sizeBytes: SIZE_BYTES, signal });
    for (const each of [twin, set]) {
      await each.make();
      await each.mount(NODE);
      await write(each, NAME, WORDS);
      for (const { node, desired } of each.copies) {
        expect(await isReadable(node, desired), node).toBe(each === twin);
        expect(await hasLuksHeader(host(node), copyPaths(desired).image), node).toBe(each === set);
      }
    }
    await twin.remove();
    for (const { node, desired } of set.copies) {
      expect(await under.engine(node).observe<'copy'>(desired, signal)).toMatchObject({ encryption: 'luks2' });
    }
  });

  it('is left as it is by an agent that comes anew', async () => {
    for (const { node, desired } of set.copies) {
      const engine = under.engine(node);
      expect(engine.plan<'copy'>(desired, await engine.observe<'copy'>(desired, signal))).toEqual([]);
    }
    expect(await host(NODE).files.readText(`${set.attachment.mountPath}/${NAME}`)).toBe(WORDS);
  });

  it('grows in use', async () => {
    const sizeBytes = SIZE_BYTES + 100 * MIB;
    for (const { node, desired } of set.copies) {
      expect(await settle<'copy'>(under.engine(node), { ...desired, sizeBytes }, patience())).toMatchObject({
        sizeBytes,
      });
    }
    const room = async () => (await host(NODE).files.usage(set.attachment.mountPath)).capacityBytes;
    await expect.poll(room, WAIT).toBeGreaterThanOrEqual(sizeBytes);
    await write(set, 'later', WORDS);
    for (const { node, desired } of set.copies) expect(await isReadable(node, desired), node).toBe(false);
  });

  it('is not opened with another key after a start of its machine, and heals with its own', async () => {
    const [, second] = set.copies;
    if (second === undefined) throw new Error('it has no second copy');
    const { node } = second;
    const copy = { ...second.desired, sizeBytes: SIZE_BYTES + 100 * MIB };
    const open = () => settle<'copy'>(under.engine(node), copy, patience());
    await under.killBrick(node, set.volume.name);
    await under.run(node, 'umount', copyPaths(copy).mountPoint);
    await under.run(node, 'cryptsetup', 'close', mappingPath(copy.copyUid));
    await write(set, 'meanwhile', WORDS);
    under.keys.set(SECRET, KEY.toUpperCase());
    await expect(open()).rejects.toMatchObject({ kind: 'precondition', reason: 'WrongKey' });
    expect(await findMapping(host(node), copy.copyUid)).toBeUndefined();
    under.keys.set(SECRET, KEY);
    expect(await open()).toMatchObject({ state: 'ready' });
    await healed(set);
    expect(await host(node).files.readText(`${copyPaths(copy).brick}/meanwhile`)).toBe(WORDS);
  });

  it('goes without a trace', async () => {
    await set.remove();
    expect(await under.residue()).toEqual([]);
    for (const { node, desired } of set.copies) expect(await findMapping(host(node), desired.copyUid)).toBeUndefined();
  });
});
