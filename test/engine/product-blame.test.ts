/**
 * A copy that falls under a writer who mostly waits. Who is acknowledged while it is away must be told from its copy afterwards,
 * also when the next one falls at once: a copy that nobody blames may be taken for the source of a heal, and what it missed is lost.
 * What becomes of a volume then is in product-faults.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachmentName } from '../../src/domain/plan/diff-plan.ts';
import type { Resource } from '../../src/ports/resource-client.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { NODES, type Product, startProduct } from './product-fixture.ts';

type Copy = Resource<'VolumeCopy'>;

/** A second. Mostly nothing is on its way when a copy falls, and no pause is long enough for what GlusterFS puts off for a second. */
const RATE = 4;
const RECORDS = 6;
const VOLUMES: readonly Omit<PlanVolume, 'size' | 'mount'>[] = [
  { name: 'three', layout: 'replicated', replicas: 3 },
  { name: 'pair', layout: 'arbiter' },
];

describe('a volume one of whose copies falls while nothing is on its way', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'blame' });
    const mount = (name: string) => ({ path: `/srv/${name}`, nodes: 'all' as const });
    await product.apply(VOLUMES.map((volume) => ({ ...volume, size: '160Mi', mount: mount(volume.name) })));
  });
  afterAll(() => product?.remove());

  const whole = async (volume: string) => {
    await product.redundant(volume);
    await product.mounted(volume, NODES);
  };
  /** Where the copies are: two with data first, an arbiter last. */
  const copiesOf = async (volume: string) => {
    const { items } = await product.client.list('VolumeCopy');
    return items
      .filter((copy) => copy.spec.volume === volume)
      .sort((one, other) => Number(one.spec.role !== 'data') - Number(other.spec.role !== 'data'));
  };
  /** What a copy has on it, as a count in hexadecimal digits, against another; getfattr fails where there is nothing. */
  const blame = async (volume: string, on: Copy, whom: Copy) => {
    const key = `trusted.afr.${volume}-client-${whom.spec.index}`;
    const args = ['--absolute-names', '--encoding', 'hex', '--name', key, `${on.status?.path}/chain`];
    return (await product.attempt(on.spec.node, 'getfattr', ...args)).stdout;
  };

  it.each(VOLUMES)(
    '$name: blames a copy that is away while its writer goes on, and loses nothing',
    async ({ name }) => {
      await whole(name);
      const [kept, lost, last] = await copiesOf(name);
      if (kept === undefined || lost === undefined || last === undefined) throw new Error('three copies expected');
      const writer = await product.startWriter(kept.spec.node, `/srv/${name}/chain`, { rate: RATE });
      await writer.writeMore(RECORDS);
      await product.lab.powerOff(lost.spec.node);
      await product.until('VolumeAttachmentRecord', attachmentName(name, kept.spec.node), (seen) =>
        seen?.status?.connectedCopies === 2 ? true : undefined,
      );
      await writer.writeMore(RECORDS);
      // While it goes on writing: what is noted only when a writer pauses is not there when the next copy falls.
      const blames = await Promise.all([kept, last].map((on) => blame(name, on, lost)));
      for (const each of blames) expect(each).toMatch(/=0x(?!0{8})/);
      await product.lab.powerOn(lost.spec.node);
      await writer.writeMore(RECORDS);
      await whole(name);
      await product.expectIntact(writer, lost.spec.node, name);
    },
  );
});
