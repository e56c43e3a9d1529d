/** Nodes that are called by their whole host names, as those of many clusters are: volumes on real GlusterFS, mounted, healed and deleted. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Product, residue, startProduct, untilUsable } from './product-fixture.ts';

/** The last two would be mistaken for each other's, were the names of their records only joined by dots. */
const NODES = ['ip-10-91-0-1.eu-central-1.compute.internal', 'nfs.store.example.com', 'store.example.com'] as const;
const [FIRST, SECOND, THIRD] = NODES;

let product: Product;
beforeAll(async () => {
  product = await startProduct({ name: 'dots', nodes: NODES });
  // A plan says whole host names of nodes that are called by the first part, too: which it is is told by the agents.
  for (const node of NODES) await product.until('StorageNode', node, (seen) => seen);
  await product.apply([]);
  for (const node of NODES) await untilUsable(product, node);
});
afterAll(() => product?.remove());

// Nothing is run once more: a second client may go on seeing for a second what a file of the same name held before.
it('they store and mount volumes, and serve on while one of them is off', { retry: 0 }, async () => {
  const { client, lab } = product;
  expect((await client.list('StorageNode')).items.map(({ metadata }) => metadata.name).toSorted()).toEqual([...NODES]);
  await product.apply([{ name: 'gv0', size: '128Mi', layout: 'replicated', mount: { path: '/data', nodes: 'all' } }]);
  await product.mounted('gv0', NODES);
  const info = await product.run(FIRST, 'gluster', 'volume', 'info', 'gv0');
  for (const node of NODES) expect(info).toContain(`: ${node}:/`);
  await product.run(FIRST, 'dd', 'if=/dev/urandom', 'of=/data/before', 'bs=1M', 'count=4', 'conv=fsync');
  const sum = async (node: string, file: string) => (await product.run(node, 'md5sum', file)).slice(0, 32);
  expect(await sum(SECOND, '/data/before')).toBe(await sum(FIRST, '/data/before'));
  await lab.powerCut(THIRD);
  await product.run(SECOND, 'dd', 'if=/dev/urandom', 'of=/data/while', 'bs=1M', 'count=4', 'conv=fsync');
  await lab.powerOn(THIRD);
  await product.redundant('gv0');
  await product.mounted('gv0', NODES);
  expect(await sum(THIRD, '/data/while')).toBe(await sum(FIRST, '/data/while'));
});

it('nothing of a volume is left on them when it is deleted', async () => {
  const { code, stderr } = await product.cli('volume', 'delete', 'gv0', '--detach', '--force');
  expect(code, stderr).toBe(0);
  expect(await residue(product, NODES)).toEqual([]);
  expect((await product.client.list('VolumeAttachmentRecord')).items).toEqual([]);
});
