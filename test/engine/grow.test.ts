/** Volumes that grow under a writer, and profiles, on real GlusterFS; with deaths in verbs-interrupted.test.ts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GV0, MIB, NODES, type Product, startProduct } from './product-fixture.ts';

const MIRROR = '/data';
const SHARED = '/srv/shared';

describe('volumes in use', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'grow', dataDiskBytes: 3 * 1024 * MIB });
    await product.apply([
      GV0,
      { name: 'folder', size: '150Mi', replicas: 3, brick: 'directory' },
      { name: 'shared', size: '150Mi', replicas: 3, mount: { path: SHARED, nodes: ['kube1', 'kube2'] } },
    ]);
    await product.mounted('gv0', NODES);
    await product.mounted('shared', ['kube1', 'kube2']);
  });
  afterAll(() => product?.remove());

  const cli = async (...args: string[]) => {
    const result = await product.cli(...args);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result;
  };
  const sizeOf = async (node: string, path: string) => (await product.lab.host(node).files.usage(path)).capacityBytes;
  const grown = (volume: string, size: string) =>
    product.until('Volume', volume, (seen) => (seen?.status?.size === size ? seen : undefined));
  const bricks = async () => {
    const { items } = await product.client.list('VolumeCopy');
    return items.map(({ spec }) => `${spec.volume} ${spec.node} ${spec.sizeBytes}`).toSorted();
  };

  it('grow online under a writer, also when it is asked for as kubectl would', async () => {
    const writer = await product.startWriter('kube3', `${MIRROR}/ledger`);
    await writer.writeMore(100);
    const dryRun = await cli('volume', 'grow', 'gv0', '+256Mi', '--dry-run');
    expect(dryRun.stdout).toContain('would grow from 256Mi to 512Mi');
    expect((await product.client.get('Volume', 'gv0'))?.spec.size).toBe('256Mi');

    const growth = await cli('volume', 'grow', 'gv0', '512Mi');
    expect(growth.stdout).toBe('volume gv0 has 512Mi\n');
    expect(growth.stderr).toContain('512 MiB');
    for (const node of NODES) expect(await sizeOf(node, MIRROR)).toBeGreaterThanOrEqual(512 * MIB);
    await writer.writeMore(100);

    await product.client.patch('Volume', 'gv0', { spec: { size: '640Mi' } });
    await grown('gv0', '640Mi');
    for (const node of NODES) expect(await sizeOf(node, MIRROR)).toBeGreaterThanOrEqual(640 * MIB);
    await product.redundant('gv0');
    await writer.writeMore(100);
    await product.expectIntact(writer, 'kube1');
  });

  it('stay as they are where not all copies have room, and never shrink', async () => {
    const before = await bricks();
    const tooMuch = await product.cli('volume', 'grow', 'gv0', '100Gi');
    expect(tooMuch).toMatchObject({ code: 6, stderr: expect.stringMatching(/kube1.*free </s) });
    const smaller = await product.cli('volume', 'grow', 'gv0', '300Mi');
    expect(smaller).toMatchObject({ code: 5, stderr: expect.stringContaining('grow and never shrink') });
    await expect(product.client.patch('Volume', 'gv0', { spec: { size: '300Mi' } })).rejects.toMatchObject({
      kind: 'invalid',
    });

    // Around the command line the controller says it.
    await product.client.patch('Volume', 'gv0', { spec: { size: '100Gi' } });
    const refusal = await product.condition('gv0', { type: 'Sized', status: 'False', reason: 'NoRoomToGrow' });
    expect(refusal.message).toMatch(/kube2: .* free < /);
    expect(await bricks()).toEqual(before);
    await product.client.patch('Volume', 'gv0', { spec: { size: '640Mi' } });
    await product.condition('gv0', { type: 'Sized', status: 'True' });
  });

  it('of plain folders grow by the limit of GlusterFS', async () => {
    await product.redundant('folder');
    await cli('volume', 'grow', 'folder', '200Mi');
    expect(await product.run('kube1', 'gluster', 'volume', 'quota', 'folder', 'list', '/')).toContain('200.0MB');
  });

  it('keep the mounts that they have when their profile changes, say so, and are mounted anew with its options', async () => {
    const set = await cli('volume', 'set-profile', 'shared', 'shared');
    expect(set.stderr).toContain(`kube2 has it mounted at ${SHARED} as before`);
    const old = await product.until('VolumeAttachmentRecord', 'shared.kube2', (seen) => seen?.status?.message);
    expect(old).toContain('mount it anew');
    for (const node of ['kube1', 'kube2']) {
      await product.client.delete('VolumeAttachmentRecord', `shared.${node}`);
      await product.until('VolumeAttachmentRecord', `shared.${node}`, (seen) =>
        seen === undefined ? true : undefined,
      );
    }
    const mount = { path: SHARED, nodes: ['kube1', 'kube2'] };
    await product.apply([{ name: 'shared', size: '150Mi', replicas: 3, profile: 'shared', mount }]);
    for (const node of ['kube1', 'kube2']) {
      await product.until('VolumeAttachmentRecord', `shared.${node}`, (seen) =>
        seen?.status?.profile === 'shared' ? true : undefined,
      );
    }
    expect(await product.run('kube2', 'pgrep', '--list-full', '--exact', 'glusterfs')).toMatch(
      /--acl .*--auto-invalidation=on .*--attribute-timeout=0 --entry-timeout=0 .*\/srv\/shared/,
    );
  });

  it.each([
    ['shorter or longer', 'longer than before'],
    ['exactly as long', 'after!'],
  ])('show at once what another node has written, be it %s (profile shared)', async (_, content) => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const file = `${SHARED}/${content.length}-${attempt}`;
      const write = (text: string) => product.run('kube1', 'sh', '-c', 'printf %s "$1" > "$2"', 'sh', text, file);
      const read = () => product.run('kube2', 'cat', file);
      await write('before');
      expect(await read()).toBe('before');
      await write(content);
      expect(await read()).toBe(content);
    }
  });

  it('take back what another profile has left, and keep their files readable', async () => {
    const info = () => product.run('kube1', 'gluster', 'volume', 'info', 'shared');
    expect(await info()).toContain('performance.stat-prefetch: off');
    await cli('volume', 'set-profile', 'shared', 'database');
    expect(await info()).toContain('performance.strict-o-direct: on');
    expect(await info()).not.toContain('performance.stat-prefetch');
    await cli('volume', 'set-profile', 'shared', 'none');
    expect(await info()).not.toMatch(/performance\.strict-o-direct|network\.remote-dio/);
    const refused = await product.cli('volume', 'set-profile', 'shared', 'large-files');
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('from its creation on') });
    await cli('volume', 'add', '150Mi', 'large', '--profile', 'large-files', '--wait');
    expect(await product.run('kube1', 'gluster', 'volume', 'info', 'large')).toContain('features.shard: on');
    expect(await product.cli('volume', 'set-profile', 'large', 'none')).toMatchObject({ code: 5 });
  });
});
