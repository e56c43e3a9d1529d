/** The processes that make and delete a volume are killed in the middle of it: it ends whole, or wholly gone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODES, PATIENCE_MS, type Product, residue, startProduct } from './product-fixture.ts';

type Victim = "the anchor's agent" | 'the controller';
type Creation = 'is placed' | 'has one copy' | 'is in GlusterFS';
type Deletion = 'is marked' | 'is out of GlusterFS' | 'has a copy released';

const CASES: readonly (readonly [Victim, Creation, Deletion])[] = [
  ["the anchor's agent", 'is placed', 'has a copy released'],
  ["the anchor's agent", 'has one copy', 'is marked'],
  ["the anchor's agent", 'is in GlusterFS', 'is out of GlusterFS'],
  ['the controller', 'is placed', 'is out of GlusterFS'],
  ['the controller', 'has one copy', 'has a copy released'],
  ['the controller', 'is in GlusterFS', 'is marked'],
];

describe('a volume whose makers are killed', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'crashes' });
    await product.apply([]);
    for (const node of NODES) {
      await product.until('StorageNode', node, (seen) => seen?.status?.pools?.find((pool) => pool.isReady));
    }
  });
  afterAll(() => product?.remove());

  const copiesOf = async (volume: string) => {
    const { items } = await product.client.list('VolumeCopy');
    return items.filter((copy) => copy.spec.volume === volume);
  };
  const created: Readonly<Record<Creation, (volume: string) => Promise<unknown>>> = {
    'is placed': (volume) => product.anchorOf(volume),
    'has one copy': (volume) =>
      expect
        .poll(async () => (await copiesOf(volume)).some((copy) => copy.status?.state === 'Ready'), {
          ...{ timeout: PATIENCE_MS, interval: 5 },
        })
        .toBe(true),
    'is in GlusterFS': (volume) =>
      expect
        .poll(async () => (await product.attempt('kube1', 'gluster', 'volume', 'list')).stdout, {
          ...{ timeout: PATIENCE_MS, interval: 5 },
        })
        .toContain(volume),
  };
  const deleted: Readonly<Record<Deletion, (volume: string) => Promise<unknown>>> = {
    'is marked': (volume) =>
      product.until('Volume', volume, (seen) => (seen?.status?.phase === 'Deleting' ? true : undefined)),
    'is out of GlusterFS': (volume) =>
      product.until('Volume', volume, (seen) =>
        seen === undefined || seen.status?.engine?.state === 'Removed' ? true : undefined,
      ),
    'has a copy released': (volume) =>
      expect
        .poll(async () => (await copiesOf(volume)).every((copy) => copy.spec.isReleased === true), {
          ...{ timeout: PATIENCE_MS, interval: 5 },
        })
        .toBe(true),
  };
  /** Kills, and starts again: the controller at once, the agent once somebody else has been given its work. */
  const crash = async (victim: Victim, volume: string): Promise<void> => {
    if (victim === 'the controller') {
      await product.killController();
      return product.startController();
    }
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

  it.each(CASES)(
    'is made and removed although %s is killed when it %s, and again when it %s',
    async (victim, making, removing) => {
      const volume = `v${CASES.findIndex((each) => each[0] === victim && each[1] === making)}`;
      await add(volume);
      await created[making](volume);
      await crash(victim, volume);
      await product.redundant(volume);
      expect(await copiesOf(volume)).toHaveLength(3);
      const info = await product.run('kube2', 'gluster', 'volume', 'info', volume);
      expect(info).toContain('Status: Started');
      expect(info).toContain('Number of Bricks: 1 x 3 = 3');

      await product.client.delete('Volume', volume);
      await deleted[removing](volume);
      if ((await product.client.get('Volume', volume)) !== undefined) await crash(victim, volume);
      await expectGone(volume);
    },
  );

  it.each<Creation>(['is placed', 'has one copy', 'is in GlusterFS'])(
    'is wholly gone when it is deleted while its anchor is dead, killed when it %s',
    async (making) => {
      await add('unborn');
      await created[making]('unborn');
      const anchor = await product.anchorOf('unborn');
      await product.killAgent(anchor);
      await product.client.delete('Volume', 'unborn');
      await product.until('Volume', 'unborn', (seen) =>
        seen === undefined || seen.status?.engine?.state === 'Removed' ? true : undefined,
      );
      await product.startAgent(anchor);
      await expectGone('unborn');
    },
  );
});
