/** Work that people ask for once, through the real command line: heals, rebalances, and files in a real split-brain. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NODES, PATIENCE_MS, type Product, startProduct } from './product-fixture.ts';

const VOLUME = 'torn';
/**
 * Without these both sides of a partition could not go on writing; Holdfast sets them back when its agents return. Then
 * GlusterFS lists files that were made on both sides, but none that was only changed on both: with a client quorum it
 * answers ENOTCONN for those, and not EIO (10.3).
 */
const NO_QUORUM = ['cluster.quorum-type', 'none', 'cluster.server-quorum-type', 'none'];

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

  /** Two plain copies are never more than needed, so their volume is not called redundant. */
  const settled = () =>
    product.until('Volume', VOLUME, (seen) => {
      const redundant = seen?.status?.conditions?.find((each) => each.type === 'Redundant');
      return redundant?.reason === 'NoSpareCopy' ? true : undefined;
    });

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
    ]);
    await product.mounted(VOLUME, NODES);
    await settled();
    const placement = await product.until('Volume', VOLUME, (seen) => seen?.status?.placement);
    [left = '', right = ''] = placement.map((placed) => placed.node);
    await tear();
  });
  afterAll(() => product?.remove());

  /** Cuts the two nodes with copies apart, and makes the same files on both sides. */
  async function tear(): Promise<void> {
    await product.run(left, 'ln', '-s', '/etc', '/data/outside');
    for (const node of NODES) await product.killAgent(node);
    await product.run(left, 'gluster', '--mode=script', 'volume', 'set', VOLUME, ...NO_QUORUM);
    await product.lab.unplug(right);
    for (const node of [left, right]) {
      // Until the mount has given the other copy up, writes wait; then they go to the copy at hand.
      await write(node, '/notes', `from ${node}`);
      await write(node, '/made', `made by ${node}`);
    }
    await product.lab.plug(right);
    for (const node of NODES) await product.startAgent(node);
    await product.condition(VOLUME, { type: 'Redundant', reason: 'SplitBrain' });
  }

  it('lists what is in split-brain, and explain names the command', async () => {
    expect(await paths()).toEqual(['/made', '/notes']);
    await product.condition(VOLUME, { type: 'Ready', status: 'True' });
    const explained = await product.cli('explain', 'volume', VOLUME);
    expect(explained.stdout).toContain(`holdfast volume split-brain list ${VOLUME}`);
  });

  it('shows both versions side by side', async () => {
    const shown = await json('volume', 'split-brain', 'show', VOLUME, '/notes');
    expect(shown).toMatchObject({ isInSplitBrain: true, kind: 'identity' });
    const lines = shown.versions.map((each: { node: string; firstLines: string[] }) => [each.node, each.firstLines]);
    expect(lines.toSorted()).toEqual([left, right].toSorted().map((node) => [node, [`from ${node}`]]));
  });

  it.each([['/outside/passwd'], ['/nothing']])('shows nothing of %s, which is in no copy', async (path) => {
    const result = await product.cli('volume', 'split-brain', 'show', VOLUME, path);
    expect(result).toMatchObject({ code: 4, stdout: '' });
    expect(result.stderr).toContain(`no copy of volume ${VOLUME} holds ${path}`);
  });

  it('keeps one of two files that were made at once, and then everything is the same', async () => {
    const result = await product.cli('volume', 'split-brain', 'resolve', VOLUME, '/made', '--keep', right, '--yes');
    expect(result, result.stderr).toMatchObject({ code: 0 });
    for (const node of NODES) await expectText(node, '/made', `made by ${right}`);
    const other = await product.cli('volume', 'split-brain', 'resolve', VOLUME, '/notes', '--keep', right, '--yes');
    expect(other, other.stderr).toMatchObject({ code: 0 });
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
    const removed = await product.cli('volume', 'rebalance', VOLUME);
    expect(removed.stderr).toContain('has one set of copies');
  });
});
