/** The cluster that verbs are interrupted in: a volume that is written all the time, and what else a verb needs. */
import { expect } from 'vitest';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { createInterrupter, type Interrupter } from './interrupter.ts';
import { type Product, residue, startProduct, type Writer } from './product-fixture.ts';

export const HOSTS = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
/** Where the writer is: its mount is to stay. */
export const WRITER_HOST = 'kube1';
const GV0: PlanVolume = {
  ...{ name: 'gv0', size: '256Mi', layout: 'arbiter' },
  mount: { path: '/data', nodes: 'all' },
};

export interface VerbsWorld {
  readonly product: Product;
  readonly interrupter: Interrupter;
  readonly writer: Writer;
  /** Makes volumes as in a plan; what is not in it stays as it is. */
  apply(volumes: readonly PlanVolume[]): Promise<void>;
  /** A command in which nobody dies; its standard output. */
  undisturbed(line: string): Promise<string>;
  /** `gluster volume info` of a volume. */
  info(volume: string): Promise<string>;
  /** A name that nothing has had yet. */
  freshName(kind: string): string;
  /** Nodes of the copies that gv0 keeps once no more of them are let go, as GlusterFS and the API say it alike. */
  settled(): Promise<readonly string[]>;
  /** A node with a copy of gv0 that the writer is not on. */
  someMember(): Promise<string>;
  /** Deletes everything but gv0. */
  clear(): Promise<void>;
  /** Everything that was acknowledged is there and the copies are equal; then all is deleted, and nothing is left behind. */
  expectWholeAndGone(): Promise<void>;
}

/** Starts it: four nodes, an arbiter volume on three of them, and its writer. */
export async function openVerbsWorld(): Promise<VerbsWorld> {
  const product = await startProduct({ name: 'verbs', hosts: HOSTS, dataDiskBytes: 12 * 1024 ** 3 });
  try {
    return await furnish(product);
  } catch (error) {
    await product.remove();
    throw error;
  }
}

async function furnish(product: Product): Promise<VerbsWorld> {
  const { lab, pool, client } = product;
  const nodes = HOSTS.map((host) => ({
    host,
    ip: lab.addressOf(host),
    pools: [{ name: 'default', path: pool, device: LAB_DATA_DISK }],
  }));
  const apply: VerbsWorld['apply'] = async (volumes) =>
    void (await applyPlan({ client }, { storage: { nodes }, volumes: [...volumes] }));
  await apply([GV0]);
  const interrupter = await createInterrupter(product, HOSTS);
  await product.redundant('gv0');
  await product.mounted('gv0', HOSTS);
  const writer = await product.startWriter(WRITER_HOST, '/data/interrupted');
  await writer.writeMore(10);

  const undisturbed: VerbsWorld['undisturbed'] = async (line) => {
    const done = await product.cli(...line.split(' '));
    expect(done, `${line}: ${done.stderr}`).toMatchObject({ code: 0 });
    return done.stdout;
  };
  const info: VerbsWorld['info'] = (volume) => product.run(WRITER_HOST, 'gluster', 'volume', 'info', volume);
  let names = 0;
  const settled = async (): Promise<readonly string[]> => {
    const copies = async () => (await client.list('VolumeCopy')).items.filter(({ spec }) => spec.volume === 'gv0');
    for (const { metadata, spec } of await copies()) {
      if (spec.isReleased !== true) continue;
      await product.until('VolumeCopy', metadata.name, (seen) => (seen === undefined ? true : undefined));
    }
    await product.redundant('gv0');
    const kept = (await copies()).map(({ spec }) => spec.node).toSorted();
    const bricks = [...(await info('gv0')).matchAll(/^Brick\d+: (?<node>[^:]+):/gm)];
    expect(bricks.map((brick) => brick.groups?.['node'] ?? '').toSorted()).toEqual(kept);
    return kept;
  };
  const namesOf = async (kind: 'Volume' | 'VolumeSnapshotRecord') =>
    (await client.list(kind)).items.map(({ metadata }) => metadata.name);
  const clear = async (): Promise<void> => {
    const volumes = (await namesOf('Volume')).filter((name) => name !== 'gv0');
    await Promise.all(volumes.map((name) => undisturbed(`volume delete ${name} --force --detach`)));
    const snapshots = await namesOf('VolumeSnapshotRecord');
    await Promise.all(snapshots.map((name) => undisturbed(`volume snapshot delete ${name} --force`)));
  };
  return {
    ...{ product, interrupter, writer, apply, undisturbed, info, settled, clear },
    freshName: (kind) => `${kind}${(names += 1)}`,
    someMember: async () => {
      const node = (await settled()).find((each) => each !== WRITER_HOST);
      if (node === undefined) throw new Error(`gv0 has no copy but on ${WRITER_HOST}`);
      return node;
    },
    expectWholeAndGone: async () => {
      await product.expectIntact(writer, WRITER_HOST);
      await clear();
      await undisturbed('volume delete gv0 --force --detach');
      expect((await client.list('VolumeCopy')).items).toEqual([]);
      // A machine that was replaced is no member any more: it serves nothing, but what its GlusterFS remembers is its own.
      const members = (await client.get('StorageCluster', 'default'))?.spec.nodes ?? [];
      expect(members.length).toBeGreaterThanOrEqual(HOSTS.length - 1);
      // What a choice in a split-brain has put aside is kept for days, in case that it is taken back.
      const left = (await residue(product, members)).filter((line) => !/\/\.holdfast(?:\/saved.*)?$/.test(line));
      expect(left).toEqual([]);
    },
  };
}

/** As after an exchange of the disk while the node ran: the copy of gv0 is gone, and nothing is there that it could be made of. */
export async function loseDisk({ product }: VerbsWorld, node: string): Promise<void> {
  const { items } = await product.client.list('VolumeCopy');
  const copy = items.find(({ spec }) => spec.node === node && spec.volume === 'gv0');
  const folder = `${product.pool}/.holdfast/copies/${copy?.metadata.uid}`;
  const serving = async () => {
    const found = await product.attempt(node, 'pgrep', '--full', `brick-name ${folder}`);
    return found.stdout.split('\n').filter((pid) => pid !== '');
  };
  // The anchor starts bricks that have ended at any moment, and its own agent mounts what is not mounted: in this order
  // what they start has nothing to serve, and what they could mount is not there.
  await product.killAgent(node);
  await product.run(node, 'rm', '--force', `${folder}/brick.img`);
  await product.run(node, 'umount', '--lazy', `${folder}/mnt`);
  await expect
    .poll(async () => {
      const pids = await serving();
      if (pids.length > 0) await product.attempt(node, 'kill', '-KILL', ...pids);
      return pids;
    })
    .toEqual([]);
  await product.run(node, 'rm', '--recursive', '--force', '--one-file-system', folder);
  await product.startAgent(node);
  await product.until('VolumeCopy', copy?.metadata.name ?? '', (seen) =>
    seen?.status?.state === 'Suspect' ? true : undefined,
  );
}
