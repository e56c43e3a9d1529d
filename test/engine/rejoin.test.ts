/** A host installed anew under the same name takes its place again, and its copies are filled from the others: facts, 8f. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enrollAgain } from '../../src/usecases/lab/bring-up-holdfast.ts';
import { GV0, MIB, NODES, PATIENCE_MS, type Product, startProduct } from './product-fixture.ts';

const VOLUME = GV0.name;
const ONLY = { name: 'only', size: '128Mi', layout: 'single' } as const;
const RECORDS = 100;

describe('a machine that was installed anew', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'rejoin', dataDiskBytes: 1024 * MIB });
    await product.apply([GV0, ONLY]);
    await product.mounted(VOLUME, NODES);
    await product.redundant(VOLUME);
    await product.condition(ONLY.name, { type: 'Ready', status: 'True' });
  });
  afterAll(() => product?.remove());

  const identityOf = async (node: string) => {
    const info = await product.run(node, 'cat', '/var/lib/glusterd/glusterd.info');
    return /UUID=(\S+)/.exec(info)?.[1];
  };
  const engineOf = (
    node: string,
    isWanted: (engine: { id?: string | undefined; isStranger?: boolean | undefined }) => boolean,
  ) =>
    product.until('StorageNode', node, (seen) => {
      const isReady = seen?.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');
      const engine = seen?.status?.engines?.[0];
      return isReady === true && engine !== undefined && isWanted(engine) ? engine : undefined;
    });
  const poolsAgree = async () => {
    for (const node of NODES) {
      await expect
        .poll(async () => (await product.attempt(node, 'gluster', 'pool', 'list')).stdout, { timeout: PATIENCE_MS })
        .not.toContain('Disconnected');
    }
  };
  /** Disks, identity and certificate are new; then whoever installs it enrolls it. */
  const reinstall = async (node: string) => {
    await product.lab.reinstall(node);
    await product.condition(VOLUME, { type: 'Redundant', status: 'False' });
    await enrollAgain(product.composed, product.lab, node);
    return engineOf(node, (engine) => engine.isStranger === true);
  };
  const looked = async (node: string) => {
    const { items } = await product.client.list('VolumeCopy', { fieldSelector: `spec.node=${node}` });
    for (const { metadata } of items) {
      await product.until(
        'VolumeCopy',
        metadata.name,
        (seen) => seen?.status?.message?.includes('is lost') || undefined,
      );
    }
  };
  const whole = async () => {
    await product.redundant(VOLUME);
    await product.mounted(VOLUME, NODES);
    await poolsAgree();
  };
  /** The anchor of the volume, and of the cluster if it is the same, is the hardest one to lose. */
  const victim = async () => {
    const anchor = await product.anchorOf(VOLUME);
    const copies = await product.client.list('VolumeCopy', { fieldSelector: `spec.volume=${ONLY.name}` });
    const holder = copies.items[0]?.spec.node;
    return anchor === holder ? (NODES.find((node) => node !== holder) ?? anchor) : anchor;
  };

  it('is used by nobody until a person lets it rejoin; then its copies are filled, under a writer', async ({
    task,
  }) => {
    const node = await victim();
    const [other = ''] = NODES.filter((each) => each !== node);
    const writer = await product.startWriter(other, `/data/rejoined-${task.result?.retryCount ?? 0}`);
    await writer.writeMore(RECORDS);
    const before = await identityOf(node);
    const stranger = await reinstall(node);
    expect(stranger).toMatchObject({ isBlank: true, message: expect.stringContaining(`holdfast node rejoin ${node}`) });
    expect(await identityOf(node)).not.toBe(before);
    await looked(node);
    expect(await product.cli('explain', 'volume', VOLUME)).toMatchObject({
      stdout: expect.stringContaining(`holdfast node rejoin ${node}`),
    });
    await writer.writeMore(RECORDS);

    const planned = await product.cli('node', 'rejoin', node, '--dry-run');
    expect(planned, planned.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(`${VOLUME} (from `) });
    expect(await identityOf(node)).not.toBe(before);

    const rejoined = await product.cli('node', 'rejoin', node, '--yes');
    expect(rejoined, rejoined.stderr).toMatchObject({ code: 0, stdout: `node ${node} has rejoined\n` });
    expect(await identityOf(node)).toBe(before);
    await whole();
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, node);
    expect(await product.cli('node', 'rejoin', node, '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is in its place'),
    });
  });

  it('that held the last copy of a volume is said to; the others are filled all the same, with its agent killed', async ({
    task,
  }) => {
    const copies = await product.client.list('VolumeCopy', { fieldSelector: `spec.volume=${ONLY.name}` });
    const node = copies.items[0]?.spec.node ?? '';
    const [other = ''] = NODES.filter((each) => each !== node);
    const writer = await product.startWriter(other, `/data/killed-${task.result?.retryCount ?? 0}`);
    await writer.writeMore(RECORDS);
    const before = await identityOf(node);
    await reinstall(node);
    await looked(node);
    const refused = await product.cli('node', 'rejoin', node, '--yes');
    expect(refused, refused.stderr).toMatchObject({ code: 8, stderr: expect.stringContaining(ONLY.name) });
    expect(await identityOf(node)).not.toBe(before);

    expect(await product.cli('node', 'rejoin', node, '--yes', '--force', '--no-wait')).toMatchObject({ code: 0 });
    // In the middle: the identity is written, and what follows it is not done.
    await expect.poll(() => identityOf(node), { timeout: PATIENCE_MS, interval: 20 }).toBe(before);
    await product.killAgent(node);
    await writer.writeMore(RECORDS);
    await product.startAgent(node);
    await engineOf(node, ({ id }) => id === before);
    const rejoined = await product.cli('node', 'rejoin', node, '--yes', '--force');
    expect(rejoined, rejoined.stderr).toMatchObject({ code: 0 });
    await whole();
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, node);
    expect((await product.client.get('VolumeCopy', copies.items[0]?.metadata.name ?? ''))?.spec.replacement).toBe(
      undefined,
    );
  });
});
