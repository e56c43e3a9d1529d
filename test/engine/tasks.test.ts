/** Work that people ask for once, through the real command line: heals, rebalances, and files in a real split-brain. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODES, PATIENCE_MS, type Product, startProduct } from './product-fixture.ts';

const VOLUME = 'torn';
const WIDE = 'wide';
/** The versions that were put aside on a node. */
const SAVED = 'cat /mnt/pool-*/.holdfast/saved/*/*/*/content';

describe('work on volumes', () => {
  let product: Product;
  /** The nodes with a copy of the torn volume; each writes its own name into what it writes. */
  let left: string;
  let right: string;

  const json = async (...args: readonly string[]) => {
    const result = await product.cli(...args, '-o', 'json');
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return JSON.parse(result.stdout);
  };
  /** A mount may need a moment to find the file whole again. */
  const expectText = (node: string, file: string, text: string) =>
    expect
      .poll(async () => (await product.attempt(node, 'cat', `/data${file}`)).stdout.trim(), { timeout: PATIENCE_MS })
      .toBe(text);
  const write = (node: string, file: string, text: string) =>
    product.run(node, 'sh', '-c', `printf '%s\\n' '${text}' > /data${file} && sync /data${file}`);
  const paths = async () =>
    (await json('volume', 'split-brain', 'list', VOLUME)).items.map((entry: { path: string }) => entry.path);

  const settled = () => product.redundant(VOLUME);

  beforeAll(async () => {
    product = await startProduct({ name: 'tasks' });
    await product.apply([
      {
        name: VOLUME,
        size: '256Mi',
        layout: 'replicated',
        replicas: 2,
        allowSplitBrain: true,
        mount: { path: '/data', nodes: 'all' },
      },
      {
        name: WIDE,
        size: '256Mi',
        layout: 'distributed',
        distribution: 3,
        mount: { path: '/wide', nodes: 'all' },
      },
    ]);
    await product.mounted(VOLUME, NODES);
    await product.mounted(WIDE, NODES);
    await settled();
    const placement = await product.until('Volume', VOLUME, (seen) => seen?.status?.placement);
    [left = '', right = ''] = placement.map((placed) => placed.node);
    await tear();
  });
  afterAll(() => product?.remove());

  /** Cuts the two nodes with copies apart; each makes the same files, and changes one that was there before. */
  async function tear(): Promise<void> {
    await product.run(left, 'ln', '-s', '/etc', '/data/outside');
    await write(left, '/shared', 'before');
    await product.lab.unplug(right);
    for (const node of [left, right]) {
      // Until the mount has given the other copy up, writes wait; then they go to the copy at hand.
      await write(node, '/notes', `from ${node}`);
      await write(node, '/made', `made by ${node}`);
      await write(node, '/shared', `changed by ${node}`);
    }
    await product.lab.plug(right);
    await product.condition(VOLUME, { type: 'Redundant', reason: 'SplitBrain' });
  }

  it('lists what is in split-brain, and explain names the command', async () => {
    // The volume is called so from its first such entry on; the others are found by the same heal, one after the other.
    await expect.poll(paths, { timeout: PATIENCE_MS }).toEqual(['/made', '/notes', '/shared']);
    // While a copy is not served yet, that is what helps first.
    const explained = async () => (await product.cli('explain', 'volume', VOLUME)).stdout;
    await expect.poll(explained, { timeout: PATIENCE_MS }).toContain(`holdfast volume split-brain list ${VOLUME}`);
  });

  it('shows both versions side by side', async () => {
    const shown = await json('volume', 'split-brain', 'show', VOLUME, '/notes');
    expect(shown).toMatchObject({ isInSplitBrain: true, kind: 'identity' });
    const lines = shown.versions.map((each: { node: string; firstLines: string[] }) => [each.node, each.firstLines]);
    expect(lines.toSorted()).toEqual([left, right].toSorted().map((node) => [node, [`from ${node}`]]));
    const changed = await json('volume', 'split-brain', 'show', VOLUME, '/shared');
    expect(changed).toMatchObject({ isInSplitBrain: true, kind: 'data' });
  });

  it.each([['/outside/passwd'], ['/nothing']])('shows nothing of %s, which is in no copy', async (path) => {
    const result = await product.cli('volume', 'split-brain', 'show', VOLUME, path);
    expect(result).toMatchObject({ code: 4, stdout: '' });
    expect(result.stderr).toContain(`no copy of volume ${VOLUME} holds ${path}`);
  });

  it('keeps the version of one node, with every version put aside', async () => {
    const result = await product.cli('volume', 'split-brain', 'resolve', VOLUME, '/notes', '--keep', left, '--yes');
    expect(result, result.stderr).toMatchObject({ code: 0 });
    for (const node of NODES) await expectText(node, '/notes', `from ${left}`);
    expect(await paths()).toEqual(['/made', '/shared']);
    for (const node of [left, right]) expect(await product.run(node, 'sh', '-c', SAVED)).toContain(`from ${node}`);
  });

  it('puts the version back that lost, and what it replaces aside', async () => {
    await write(left, '/notes', 'written since');
    const result = await product.cli('volume', 'split-brain', 'undo', VOLUME, '/notes', '--yes');
    expect(result, result.stderr).toMatchObject({ code: 0 });
    for (const node of NODES) await expectText(node, '/notes', `from ${right}`);
    expect(await product.run(right, 'sh', '-c', SAVED)).toContain('written since');
    // The mount that it was put back through is gone.
    const listed = await product.run(right, 'findmnt', '--raw', '--noheadings', '-o', 'TARGET', '-t', 'fuse.glusterfs');
    expect(listed.trim().split('\n').toSorted()).toEqual(['/data', '/wide']);
  });

  it('keeps one of two changes of a file, and takes that back', async () => {
    const kept = await product.cli('volume', 'split-brain', 'resolve', VOLUME, '/shared', '--keep', right, '--yes');
    expect(kept, kept.stderr).toMatchObject({ code: 0 });
    for (const node of NODES) await expectText(node, '/shared', `changed by ${right}`);
    const undone = await product.cli('volume', 'split-brain', 'undo', VOLUME, '/shared', '--yes');
    expect(undone, undone.stderr).toMatchObject({ code: 0 });
    for (const node of NODES) await expectText(node, '/shared', `changed by ${left}`);
  });

  it('keeps one of two files that were made at once, and then everything is the same', async () => {
    const result = await product.cli('volume', 'split-brain', 'resolve', VOLUME, '/made', '--keep', right, '--yes');
    expect(result, result.stderr).toMatchObject({ code: 0 });
    for (const node of NODES) await expectText(node, '/made', `made by ${right}`);
    const listed = await product.cli('volume', 'split-brain', 'list', VOLUME);
    expect(listed).toMatchObject({ code: 0, stdout: '' });
    await settled();
    const again = await product.cli('volume', 'split-brain', 'resolve', VOLUME, '/made', '--keep', left, '--yes');
    expect(again.code).not.toBe(0);
    expect(again.stderr).toContain('/made is not in split-brain; nothing was changed');
  });

  it.each([['--full'], ['--timeout=2m']])('heals, and says when all copies are the same (%s)', async (flag) => {
    const result = await product.cli('volume', 'heal', VOLUME, flag);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('all copies are the same');
    const refused = await product.cli('volume', 'rebalance', VOLUME);
    expect(refused.stderr).toContain('has one set of copies');
  });

  it('rebalances: files that were renamed move to where their new names belong', async () => {
    const files = Array.from({ length: 40 }, (_, at) => String(at));
    const script = 'for i in "$@"; do echo "content $i" > /wide/old-$i && mv /wide/old-$i /wide/new-$i; done';
    await product.run(left, 'sh', '-c', script, 'sh', ...files);
    const result = await product.cli('volume', 'rebalance', WIDE, '-o', 'json');
    expect(result, result.stderr).toMatchObject({ code: 0 });
    // Progress, while it runs.
    expect(result.stderr).toContain('lays folders out');
    const { status } = JSON.parse(result.stdout);
    const [part] = Object.values<{ result: { movedFiles: number; lookedAt: number } }>(status.parts);
    expect(part?.result.lookedAt).toBeGreaterThanOrEqual(files.length);
    expect(part?.result.movedFiles).toBeGreaterThan(0);
    const read = await product.run(right, 'sh', '-c', 'cat /wide/new-*');
    expect(read.trim().split('\n').toSorted()).toEqual(files.map((each) => `content ${each}`).toSorted());
  });
});
