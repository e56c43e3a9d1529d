/** What a volume is made of changes under a writer: nothing that was acknowledged is lost, and the copies are equal. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { type Product, startProduct, type Writer } from './product-fixture.ts';

const HOSTS = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
const MEMBERS: PlanVolume = {
  ...{ name: 'gv0', size: '256Mi', layout: 'arbiter' },
  mount: { path: '/data', nodes: 'all' },
};

let product: Product;
let writer: Writer;

beforeAll(async () => {
  product = await startProduct({ name: 'members', hosts: HOSTS });
  const { lab, pool, client } = product;
  const nodes = HOSTS.map((host) => ({
    host,
    ip: lab.addressOf(host),
    pools: [{ name: 'default', path: pool, device: LAB_DATA_DISK }],
  }));
  await applyPlan({ client }, { storage: { nodes }, volumes: [MEMBERS] });
  await product.redundant('gv0');
  await product.mounted('gv0', HOSTS);
});
afterAll(() => product.remove());

/** The nodes of the volume's copies, as it is made now, in the engine's own words. */
async function bricks(): Promise<readonly string[]> {
  const info = await product.run('kube1', 'gluster', 'volume', 'info', 'gv0');
  return [...info.matchAll(/^Brick\d+: (?<node>[^:]+):/gm)].map((match) => match.groups?.['node'] ?? '');
}

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await product.cli(...args);
  expect(stderr + stdout, args.join(' ')).toSatisfy(() => code === 0);
  return stdout;
}

/** The copies of the volume that are kept, each node once. */
async function settled(): Promise<readonly string[]> {
  const { items } = await product.client.list('VolumeCopy');
  for (const { metadata, spec } of items) {
    if (spec.isReleased !== true) continue;
    await product.until('VolumeCopy', metadata.name, (seen) => (seen === undefined ? true : undefined));
  }
  await product.redundant('gv0');
  const kept = (await product.client.list('VolumeCopy')).items.map((copy) => copy.spec.node).toSorted();
  expect((await bricks()).toSorted()).toEqual(kept);
  return kept;
}

describe('under a writer', () => {
  beforeAll(async () => {
    writer = await product.startWriter('kube1', '/data/members');
    await writer.writeMore(20);
  });

  it('an arbiter makes way for a third copy', async () => {
    await succeed('volume', 'convert', 'gv0', '--replicas', '3');
    await writer.writeMore(20);
    expect(await settled()).toHaveLength(3);
  });

  it('a node is emptied', async () => {
    const full = (await settled()).find((node) => node !== 'kube1') ?? '';
    await succeed('node', 'drain', full);
    await writer.writeMore(20);
    expect(await settled()).not.toContain(full);
    await succeed('node', 'undrain', full);
  });

  it('a disk that was emptied is filled anew on the same node', async () => {
    const node = (await settled()).find((each) => each !== 'kube1') ?? '';
    const [copy] = (await product.client.list('VolumeCopy')).items.filter(({ spec }) => spec.node === node);
    const name = copy?.metadata.name ?? '';
    // As after an exchange of the disk: the brick is gone, and nothing is there that it could be made of.
    const { uid } = copy?.metadata ?? {};
    const served = `brick-name ${product.pool}/.holdfast/copies/${uid}`;
    const pid = (await product.run(node, 'pgrep', '--full', served)).trim();
    await product.run(node, 'kill', '-KILL', pid);
    await product.run(node, 'umount', `${product.pool}/.holdfast/copies/${uid}/mnt`);
    await product.run(node, 'rm', '-rf', `${product.pool}/.holdfast/copies/${uid}`);
    await product.until('VolumeCopy', name, (seen) => (seen?.status?.state === 'Suspect' ? true : undefined));
    await succeed('disk', 'replace', node, '--yes');
    await writer.writeMore(20);
    expect(await settled()).toContain(node);
  });

  it('a node that is gone for good is replaced, and serves nothing when it comes back', async () => {
    const lost = (await settled()).find((node) => node !== 'kube1') ?? '';
    // Nothing but this node has a copy of it.
    await succeed('volume', 'add', '128Mi', 'only', '--layout', 'single', '--node', lost);
    await product.condition('only', { type: 'Ready', status: 'True' });
    await product.lab.powerOff(lost);
    await product.until('StorageNode', lost, (seen) => {
      const ready = seen?.status?.conditions?.find((each) => each.type === 'Ready');
      return ready?.status === 'True' ? undefined : true;
    });
    await writer.writeMore(20);
    const refused = await product.cli('node', 'replace', lost, '--yes');
    expect(refused, refused.stderr).toMatchObject({ code: 5, stderr: expect.stringContaining('delete only') });
    await product.client.delete('Volume', 'only');
    await succeed('node', 'replace', lost, '--yes');
    await product.until('Volume', 'only', (seen) => (seen === undefined ? true : undefined));
    await writer.writeMore(20);
    expect(await settled()).not.toContain(lost);
    // GlusterFS lets go of it too, or it would count it in its quorum, and delete no volume without it.
    await product.until('StorageCluster', 'default', (seen) => {
      const { ids = {}, leaving } = seen?.status?.peers ?? {};
      return ids[lost] === undefined && leaving === undefined ? true : undefined;
    });
    expect(await product.run('kube1', 'gluster', 'pool', 'list')).not.toContain(lost);
    expect((await product.run('kube1', 'gluster', 'volume', 'list')).split('\n')).not.toContain('only');
    await product.lab.powerOn(lost);
    await writer.writeMore(50);
    // Neither a brick nor a self-heal daemon, which would take what it has for current.
    expect((await product.attempt(lost, 'pgrep', '--full', '--list-full', 'glusterfsd|glustershd')).stdout).toBe('');
    expect(await product.run('kube1', 'gluster', 'pool', 'list')).not.toContain(lost);
    await product.expectIntact(writer, 'kube1');
  });
});
