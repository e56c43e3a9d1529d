/**
 * The nine kinds of volumes of GlusterFS's documents, and the arbiter, on real GlusterFS: made from a plan or the command
 * line, written, read elsewhere, and used on while a node is off where the layout survives that. The striped four are made
 * with shard, since GlusterFS 6 removed stripe.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { type Product, startProduct, untilUsable } from './product-fixture.ts';

const FOUR = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
const [WRITER, READER, LOST] = ['kube1', 'kube4', 'kube3'];

/** One volume of each kind, and what `gluster volume info` says of it. */
const KINDS: readonly (Omit<PlanVolume, 'size' | 'mount'> & { readonly type: string; readonly bricks: string })[] = [
  { name: 'dist', layout: 'distributed', distribution: 4, type: 'Distribute', bricks: '4' },
  { name: 'repl', layout: 'replicated', replicas: 3, type: 'Replicate', bricks: '1 x 3 = 3' },
  { name: 'stri', layout: 'striped', shard: '4Mi', type: 'Distribute', bricks: '2' },
  { name: 'dist-stri', layout: 'distributed-striped', distribution: 3, shard: '4Mi', type: 'Distribute', bricks: '3' },
  { name: 'dist-repl', layout: 'distributed-replicated', type: 'Distributed-Replicate', bricks: '2 x 3 = 6' },
  {
    ...{ name: 'dist-stri-repl', layout: 'distributed-striped-replicated', replicas: 3, shard: '4Mi' },
    ...{ type: 'Distributed-Replicate', bricks: '2 x 3 = 6' },
  },
  {
    ...{ name: 'stri-repl', layout: 'striped-replicated', replicas: 2, shard: '4Mi' },
    ...{ type: 'Distributed-Replicate', bricks: '2 x (2 + 1) = 6' },
  },
  { name: 'disp', layout: 'dispersed', type: 'Disperse', bricks: '1 x (2 + 1) = 3' },
  { name: 'dist-disp', layout: 'distributed-dispersed', type: 'Distributed-Disperse', bricks: '2 x (2 + 1) = 6' },
];
const isRedundant = ({ type }: { readonly type: string }) => type !== 'Distribute';
const REDUNDANT = KINDS.filter(isRedundant);

describe('every layout', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'layouts', nodes: FOUR });
    await product.apply([]);
    for (const node of FOUR) {
      await untilUsable(product, node);
    }
  });
  afterAll(() => product?.remove());

  const pathOf = ({ name }: { readonly name: string }) => `/srv/${name}`;
  const sumOn = async (host: string, path: string) => (await product.run(host, 'md5sum', path)).slice(0, 32);
  /** Written on one node, it is read with the same content on another. */
  const expectKept = async (volume: { readonly name: string }, file: string) => {
    const path = `${pathOf(volume)}/${file}`;
    // 20 MiB: five pieces of a volume with shard.
    await product.run(WRITER, 'dd', 'if=/dev/urandom', `of=${path}`, 'bs=1M', 'count=20', 'conv=fsync');
    const written = await sumOn(WRITER, path);
    sums.set(path, written);
    expect(await sumOn(READER, path)).toBe(written);
  };
  const sums = new Map<string, string>();

  it('is made as asked for, takes data, and gives it back on another node', async () => {
    await product.apply(
      KINDS.map(({ type: _type, bricks: _bricks, ...volume }) => {
        return { ...volume, size: '160Mi', mount: { path: pathOf(volume), nodes: [WRITER, READER] } };
      }),
    );
    for (const kind of KINDS) {
      await product.mounted(kind.name, [WRITER, READER]);
      const info = await product.run('kube1', 'gluster', 'volume', 'info', kind.name);
      expect(info).toContain(`Type: ${kind.type}\n`);
      expect(info).toContain(`Number of Bricks: ${kind.bricks}\n`);
      expect(info.includes('features.shard: on')).toBe(kind.shard !== undefined);
      await expectKept(kind, 'first');
    }
  });

  it('lies with no two copies of a set on one node, and in pieces where it was to be striped', async () => {
    const { items } = await product.client.list('Volume');
    for (const { status } of items) {
      const places = (status?.placement ?? []).map(({ set = 0, node }) => `${set} ${node}`);
      expect(new Set(places).size).toBe(places.length);
    }
    const { items: copies } = await product.client.list('VolumeCopy');
    const pieces = await Promise.all(
      copies
        .filter((copy) => copy.spec.volume === 'stri')
        .map((copy) => product.run(copy.spec.node, 'find', `${copy.status?.path}/.shard`, '-name', '*.[0-9]')),
    );
    // The first of five pieces is the file itself. Which brick a piece goes to is by a hash of its name: any, also all to one.
    expect(
      pieces
        .join('')
        .split('\n')
        .filter((line) => line !== ''),
    ).toHaveLength(4);
  });

  it('goes on without one node where it can, says so where it cannot, and heals', async () => {
    for (const { name } of REDUNDANT) await product.redundant(name);
    await product.condition('dist', { type: 'Redundant', reason: 'SingleCopy' });
    await product.lab.powerOff(LOST);
    await product.condition('dist', { type: 'Ready', status: 'False', reason: 'NoQuorum' });
    for (const kind of REDUNDANT) await expectKept(kind, 'second');
    await product.lab.powerOn(LOST);
    for (const kind of REDUNDANT) {
      await product.redundant(kind.name);
      for (const file of ['first', 'second']) {
        const path = `${pathOf(kind)}/${file}`;
        expect(await sumOn(READER, path)).toBe(sums.get(path));
      }
    }
    await product.condition('dist', { type: 'Ready', status: 'True' });
  });

  it('is added from the command line too, and a wrong count gets the arithmetic', async () => {
    const planned = await product.cli(
      ...['volume', 'add', '160Mi', 'from-cli', '--layout', 'distributed-dispersed', '-d', '2', '--dry-run'],
    );
    expect(planned, planned.stderr).toMatchObject({ code: 0 });
    expect(planned.stderr).toContain('2 x (2 data + 1 redundancy)');
    const striped = await product.cli('volume', 'add', '160Mi', 'striped-cli', '--layout', 'striped', '--wait');
    expect(striped.stderr).toContain('GlusterFS 6 removed stripe');
    expect(await product.run('kube1', 'gluster', 'volume', 'info', 'striped-cli')).toContain('features.shard: on');
    const tooWide = await product.cli(
      ...['volume', 'add', '160Mi', 'wide', '--layout', 'dispersed', '--disperse-data', '4', '--redundancy', '2'],
    );
    expect(tooWide.code).not.toBe(0);
    expect(tooWide.stderr).toContain('requires 4 data + 2 redundancy = 6 nodes, but only 4 are usable');
    expect(await product.cli('volume', 'delete', 'striped-cli', '--force')).toMatchObject({ code: 0 });
  });
});
