/** A host installed anew under the same name takes its place again, and its copies are filled from the others: facts, 8f. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enrollAgain } from '../../src/usecases/lab/bring-up-holdfast.ts';
import { GV0, MIB, NODES, PATIENCE_MS, type Product, startProduct } from './product-fixture.ts';

const VOLUME = GV0.name;
/** A third of its files on each node, and nowhere else: whichever is installed anew, that cannot be filled. */
const PARTS = { name: 'parts', size: '384Mi', layout: 'distributed', distribution: 3 } as const;
const RECORDS = 40;

describe('a machine that was installed anew', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'rejoin', dataDiskBytes: 1024 * MIB });
    await product.apply([GV0]);
    await product.mounted(VOLUME, NODES);
    await product.redundant(VOLUME);
    // Beside a copy of the other volume a pool has room for one part, so each node gets one.
    await product.apply([GV0, PARTS]);
    await product.condition(PARTS.name, { type: 'Ready', status: 'True' });
  });
  afterAll(() => product?.remove());

  const identityOf = async (node: string) => {
    const info = await product.run(node, 'cat', '/var/lib/glusterd/glusterd.info');
    return /UUID=(\S+)/.exec(info)?.[1];
  };
  /** Disks, identity and certificate are new; then whoever installs it enrolls it. */
  const reinstall = async (node: string) => {
    await product.lab.reinstall(node);
    await product.condition(VOLUME, { type: 'Redundant', status: 'False' });
    await enrollAgain(product.composed, product.lab, node);
    return product.until('StorageNode', node, (seen) => {
      const isReady = seen?.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');
      return isReady === true ? seen?.status?.engines?.find((engine) => engine.isStranger) : undefined;
    });
  };
  const rejoin = (node: string, ...flags: string[]) => product.cli('node', 'rejoin', node, ...flags);
  const copiesOf = async (volume: string, node: string) => {
    const { items } = await product.client.list('VolumeCopy', { fieldSelector: `spec.node=${node}` });
    return items.filter(({ spec }) => spec.volume === volume);
  };
  /** Processes of GlusterFS on the node that serve this. */
  const served = async (node: string, what: string) =>
    (await product.attempt(node, 'pgrep', '--full', `glusterfsd.*${what}`)).stdout.trim();
  const poolsAgree = async () => {
    for (const node of NODES) {
      await expect
        .poll(async () => (await product.attempt(node, 'gluster', 'pool', 'list')).stdout, { timeout: PATIENCE_MS })
        .not.toContain('Disconnected');
    }
  };

  it('is used by nobody until a person lets it rejoin; then its copies are filled, with its agent killed over it', async ({
    task,
  }) => {
    // The anchor of the volume, and of the cluster if it is the same, is the hardest one to lose.
    const node = await product.anchorOf(VOLUME);
    const [other = ''] = NODES.filter((each) => each !== node);
    const writer = await product.startWriter(other, `/data/rejoined-${task.result?.retryCount ?? 0}`);
    await writer.writeMore(RECORDS);
    const before = await identityOf(node);
    const [part] = await copiesOf(PARTS.name, node);
    const stranger = await reinstall(node);
    expect(stranger).toMatchObject({ isBlank: true, message: expect.stringContaining(`holdfast node rejoin ${node}`) });
    expect(await product.cli('explain', 'volume', VOLUME)).toMatchObject({
      stdout: expect.stringContaining(`holdfast node rejoin ${node}`),
    });
    const refused = await rejoin(node, '--yes');
    expect(refused, refused.stderr).toMatchObject({ code: 8, stderr: expect.stringContaining(PARTS.name) });
    const planned = await rejoin(node, '--dry-run', '--force');
    expect(planned, planned.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(`${VOLUME} (from `) });
    expect(await served(node, '')).toBe('');
    expect(await identityOf(node)).not.toBe(before);
    await writer.writeMore(RECORDS);

    expect(await rejoin(node, '--yes', '--force', '--no-wait')).toMatchObject({ code: 0 });
    // In the middle: the identity is written, and what follows it is not done.
    await expect.poll(() => identityOf(node), { timeout: PATIENCE_MS, interval: 20 }).toBe(before);
    await product.killAgent(node);
    await writer.writeMore(RECORDS);
    await product.startAgent(node);
    const rejoined = await rejoin(node, '--yes', '--force');
    expect(rejoined, rejoined.stderr).toMatchObject({ code: 0, stdout: `node ${node} has rejoined\n` });
    expect(await identityOf(node)).toBe(before);

    await product.redundant(VOLUME);
    await product.mounted(VOLUME, NODES);
    await poolsAgree();
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, node);
    expect(await rejoin(node, '--yes', '--force')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is in its place'),
    });
    // What nothing can fill is neither made anew nor served: an empty part would pass for what the files were.
    expect((await copiesOf(PARTS.name, node)).map(({ metadata }) => metadata.uid)).toEqual([part?.metadata.uid]);
    expect(await served(node, part?.metadata.uid ?? PARTS.name)).toBe('');
  });
});
