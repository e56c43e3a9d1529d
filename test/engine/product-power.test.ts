/** Power cuts, a dying disk and a machine installed anew under a writer: facts of GlusterFS, section 8 e and f. */
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GV0, NODES, PATIENCE_MS, type Product, startProduct } from './product-fixture.ts';

const VOLUME = GV0.name;
const RECORDS = 40;
const NODE_KUBECONFIG = '/etc/holdfast/node.kubeconfig';

describe('a replicated volume whose hosts lose their power', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'power' });
    await product.apply([GV0]);
    await product.mounted(VOLUME, NODES);
    await product.redundant(VOLUME);
  });
  afterAll(() => product?.remove());

  const cast = async (): Promise<readonly [anchor: string, second: string, third: string]> => {
    const anchor = await product.anchorOf(VOLUME);
    const [second = '', third = ''] = NODES.filter((node) => node !== anchor);
    return [anchor, second, third];
  };
  const down = () => product.condition(VOLUME, { type: 'Redundant', reason: 'CopiesDown' });
  const whole = async () => {
    await product.redundant(VOLUME);
    await product.mounted(VOLUME, NODES);
  };
  const copyOn = async (node: string) => {
    const { items } = await product.client.list('VolumeCopy', { fieldSelector: `spec.node=${node}` });
    const copy = items.find((each) => each.spec.volume === VOLUME);
    const brick = copy?.status?.path;
    if (copy === undefined || brick === undefined) throw new Error(`no copy on ${node}`);
    return { name: copy.metadata.name, brick, mountPoint: dirname(dirname(brick)) };
  };
  /** How many bricks heal info, which asks the bricks themselves, could read. */
  const servedBricks = async (node: string) => {
    const summary = await product.run(node, 'gluster', 'volume', 'heal', VOLUME, 'info', 'summary');
    return summary.match(/^Status: Connected$/gm)?.length ?? 0;
  };
  it('goes on when a storage node loses its power, the one that does the engine work', async () => {
    const [anchor, second] = await cast();
    const writer = await product.startWriter(second, '/data/storage-cut');
    await writer.writeMore(RECORDS);
    await product.lab.powerCut(anchor);
    await writer.writeMore(RECORDS);
    expect((await down()).message).toBe(`down: ${anchor}`);
    await product.lab.powerOn(anchor);
    await whole();
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, anchor);
  });

  it("has everything that was acknowledged when the writer's own node loses its power", async () => {
    const [anchor, second] = await cast();
    const writer = await product.startWriter(anchor, '/data/writer-cut');
    await writer.writeMore(RECORDS);
    await product.lab.powerCut(anchor);
    await down();
    // Elsewhere, while the node is still away.
    await writer.goOn(second);
    await writer.writeMore(RECORDS);
    await product.lab.powerOn(anchor);
    await whole();
    await product.expectIntact(writer, anchor);
  });

  it('comes back with everything that was acknowledged when all three lose their power at once', async () => {
    const [anchor, second] = await cast();
    const writer = await product.startWriter(anchor, '/data/all-cut');
    await writer.writeMore(RECORDS);
    await Promise.all(NODES.map((node) => product.lab.powerCut(node)));
    await product.condition(VOLUME, { type: 'Ready', status: 'False', reason: 'NoQuorum' });
    await Promise.all(NODES.map((node) => product.lab.powerOn(node)));
    await whole();
    await writer.goOn(second);
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, anchor);
  });

  it('notices a copy whose file system has shut down, though GlusterFS calls it online, and repairs it', async () => {
    const [anchor, , third] = await cast();
    const writer = await product.startWriter(anchor, '/data/dead-disk');
    await writer.writeMore(RECORDS);
    const { brick, mountPoint } = await copyOn(third);
    await product.run(third, 'xfs_io', '-x', '-c', 'shutdown', mountPoint);
    expect(await product.attempt(third, 'ls', brick)).toMatchObject({
      stderr: expect.stringContaining('Input/output error'),
    });
    expect(await product.run(anchor, 'gluster', 'volume', 'status', VOLUME, 'detail')).not.toMatch(/Online\s*: N/);
    await writer.writeMore(RECORDS);
    // Mounted anew, and what is on it is served again.
    await expect.poll(() => product.attempt(third, 'ls', brick), { timeout: PATIENCE_MS }).toMatchObject({ code: 0 });
    await expect.poll(() => servedBricks(anchor), { timeout: PATIENCE_MS }).toBe(NODES.length);
    await whole();
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, third);
  });

  it('reports the copy of a machine that was installed anew as missing, and nothing else breaks', async () => {
    const [anchor, second] = await cast();
    const writer = await product.startWriter(second, '/data/reinstalled');
    await writer.writeMore(RECORDS);
    // Whoever installs the machine gives it its certificate again.
    const kubeconfig = await product.lab.host(anchor).files.readText(NODE_KUBECONFIG);
    await product.lab.reinstall(anchor);
    expect((await down()).message).toBe(`down: ${anchor}`);
    await product.lab.host(anchor).files.makeDirectory(dirname(NODE_KUBECONFIG));
    await product.lab.host(anchor).files.writeText(NODE_KUBECONFIG, kubeconfig, { mode: 0o600 });
    // Without it the agent has ended by itself, or is about to.
    await product.killAgent(anchor);
    await product.startAgent(anchor);
    await product.until('StorageNode', anchor, (seen) =>
      seen?.status?.conditions?.find((each) => each.type === 'Ready' && each.status === 'True'),
    );
    const cluster = await product.until('StorageCluster', 'default', (seen) =>
      seen?.status?.conditions?.find((each) => each.type === 'Ready' && each.status === 'False'),
    );
    expect(cluster.message).toContain(anchor);
    await writer.writeMore(RECORDS);
    await product.until('VolumeCopy', (await copyOn(anchor)).name, (seen) =>
      seen?.status?.state === 'Suspect' && seen.status.message?.includes('is lost') ? true : undefined,
    );
    // Seen with the agent of the new machine at work: it neither counts as a copy nor gets to speak for the volume.
    const brick = await product.until('Volume', VOLUME, (seen) => {
      const found = seen?.status?.engine?.bricks.find((each) => each.node === anchor);
      return found?.nodeReadySince !== undefined && !found.isOnline ? found : undefined;
    });
    expect(brick).toMatchObject({ isOnline: false, isReadable: false });
    expect((await down()).message).toBe(`down: ${anchor}`);
    await product.condition(VOLUME, { type: 'Ready', status: 'True' });
    expect(await product.anchorOf(VOLUME)).not.toBe(anchor);
    await writer.writeMore(RECORDS);
    expect(await writer.finish(second)).toMatchObject({ isIntact: true });
  });
});
