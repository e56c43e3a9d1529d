/**
 * The agent that makes or deletes a volume is killed and stays dead: others are given its work, and the volume ends whole, or
 * wholly gone. Whoever is started again at once is in verbs-interrupted.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODES, PATIENCE_MS, type Product, residue, startProduct, untilUsable } from './product-fixture.ts';

describe('a volume whose maker is killed', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'crashes' });
    await product.apply([]);
    for (const node of NODES) {
      await untilUsable(product, node);
    }
  });
  afterAll(() => product?.remove());

  const copiesOf = async (volume: string) => {
    const { items } = await product.client.list('VolumeCopy');
    return items.filter((copy) => copy.spec.volume === volume);
  };
  const isListed = (volume: string) =>
    expect
      .poll(async () => (await product.attempt('kube1', 'gluster', 'volume', 'list')).stdout, {
        ...{ timeout: PATIENCE_MS, interval: 5 },
      })
      .toContain(volume);
  const isRemoved = (volume: string) =>
    product.until('Volume', volume, (seen) =>
      seen === undefined || seen.status?.engine?.state === 'Removed' ? true : undefined,
    );
  /** Kills the anchor's agent, and starts it again once somebody else has been given its work. */
  const crash = async (volume: string): Promise<void> => {
    const anchor = await product.anchorOf(volume);
    await product.killAgent(anchor);
    await product.until('StorageNode', anchor, (seen) =>
      seen?.status?.conditions?.find((each) => each.type === 'Ready' && each.reason === 'HeartbeatLost'),
    );
    return product.startAgent(anchor);
  };
  const expectGone = async (volume: string) => {
    await product.until('Volume', volume, (seen) => (seen === undefined ? true : undefined));
    expect(await copiesOf(volume)).toEqual([]);
    expect(await residue(product)).toEqual([]);
  };
  const add = (volume: string) =>
    product.client.create('Volume', { metadata: { name: volume }, spec: { size: '150Mi', replicas: 3 } });

  it('is made although the agent of its anchor dies in the middle, and removed although that of the next one does', async () => {
    const volume = 'taken-over';
    await add(volume);
    await isListed(volume);
    await crash(volume);
    await product.redundant(volume);
    expect(await copiesOf(volume)).toHaveLength(3);
    const info = await product.run('kube2', 'gluster', 'volume', 'info', volume);
    expect(info).toContain('Status: Started');
    expect(info).toContain('Number of Bricks: 1 x 3 = 3');

    await product.client.delete('Volume', volume);
    await isRemoved(volume);
    if ((await product.client.get('Volume', volume)) !== undefined) await crash(volume);
    await expectGone(volume);
  });

  it('is wholly gone when it is deleted while its anchor is dead', async () => {
    await add('unborn');
    await isListed('unborn');
    const anchor = await product.anchorOf('unborn');
    await product.killAgent(anchor);
    await product.client.delete('Volume', 'unborn');
    await isRemoved('unborn');
    await product.startAgent(anchor);
    await expectGone('unborn');
  });
});
