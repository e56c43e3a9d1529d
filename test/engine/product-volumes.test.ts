/** Volumes from the command line and from a plan on real GlusterFS: layouts, limits, who may mount, and deletion without residue. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIB, NODES, PATIENCE_MS, type Product, residue, startProduct, untilUsable } from './product-fixture.ts';

const OUTSIDER = 'client1';
const FULL_IMAGE = 'No space left on device';
const FULL_DIRECTORY = 'Disk quota exceeded';

describe('volumes', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'volumes', hosts: [...NODES, OUTSIDER] });
    await product.apply([]);
    // A machine that Holdfast does not know: it has GlusterFS, and no part in anything.
    await product.killAgent(OUTSIDER);
    await product.client.delete('StorageNode', OUTSIDER);
    for (const node of NODES) {
      await untilUsable(product, node);
    }
  });
  afterAll(() => product?.remove());

  const cli = async (...args: string[]) => {
    const result = await product.cli(...args);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result;
  };
  const remove = async (...volumes: string[]) => {
    await Promise.all(volumes.map((volume) => cli('volume', 'delete', volume, '--detach', '--force')));
    expect(await residue(product)).toEqual([]);
    expect((await product.client.list('VolumeCopy')).items).toEqual([]);
    expect((await product.client.list('VolumeAttachmentRecord')).items).toEqual([]);
  };
  const info = (volume: string) => product.run('kube1', 'gluster', 'volume', 'info', volume);
  const sizeOf = async (node: string, path: string) =>
    Number(await product.run(node, 'stat', '--file-system', '--format=%b', path)) *
    Number(await product.run(node, 'stat', '--file-system', '--format=%S', path));
  /** Writes until the volume takes no more. */
  const fill = async (node: string, path: string) => {
    const full = await product.attempt(node, 'dd', `of=${path}`, 'if=/dev/zero', 'bs=1M', 'count=600', 'conv=fsync');
    return { ...full, bytes: Number(await product.run(node, 'stat', '--format=%s', path)) };
  };
  const mountOn = (node: string, volume: string) =>
    product.attempt(node, 'mount', '-t', 'glusterfs', `kube1:/${volume}`, '/mnt');

  it('makes each layout as asked for, and from two copies with an arbiter on the third node', async () => {
    // There are none, unless this is the retry of a try that failed in the middle.
    await remove(...(await product.client.list('Volume')).items.map(({ metadata }) => metadata.name));
    const [arbiter] = await Promise.all([
      cli('volume', 'add', '150Mi', 'arb', '-r', '2', '--wait'),
      cli('volume', 'add', '150Mi', 'one', '--layout', 'single', '--wait'),
      cli('volume', 'add', '150Mi', 'rep', '-r', '3', '--wait'),
    ]);
    expect(arbiter.stderr).toContain('arbiter');
    expect(await info('arb')).toContain('Number of Bricks: 1 x (2 + 1) = 3');
    expect(await info('one')).toMatch(/Number of Bricks: 1\n/);
    expect(await info('rep')).toContain('Number of Bricks: 1 x 3 = 3');
    for (const volume of ['arb', 'rep']) await product.redundant(volume);
    await product.condition('one', { type: 'Redundant', status: 'False', reason: 'SingleCopy' });

    const again = await product.cli('volume', 'add', '150Mi', 'rep');
    expect(again).toMatchObject({ code: 5, stderr: expect.stringContaining('volume rep exists already') });
    await remove('arb', 'one', 'rep');
  });

  it('holds what was asked for, and no more than the copies have room for', async () => {
    const size = 150 * MIB;
    const mount = (path: string) => ({ path, nodes: ['kube1', 'kube2'] });
    await product.apply([
      { name: 'image', size: '150Mi', replicas: 3, mount: mount('/srv/image') },
      { name: 'folder', size: '150Mi', replicas: 3, brick: 'directory', mount: mount('/srv/folder') },
    ]);
    await product.mounted('image', ['kube1', 'kube2']);
    await product.mounted('folder', ['kube1', 'kube2']);

    expect(await sizeOf('kube1', '/srv/image')).toBeGreaterThanOrEqual(size);
    const image = await fill('kube1', '/srv/image/fill');
    expect(image).toMatchObject({ code: 1, stderr: expect.stringContaining(FULL_IMAGE) });
    expect(image.bytes).toBeGreaterThanOrEqual(size);
    expect(image.bytes).toBeLessThan(300 * MIB);

    expect(await sizeOf('kube2', '/srv/folder')).toBe(size);
    const folder = await fill('kube2', '/srv/folder/fill');
    expect(folder).toMatchObject({ code: 1, stderr: expect.stringContaining(FULL_DIRECTORY) });
    expect(folder.bytes).toBeGreaterThan(size - 2 * MIB);
    expect(folder.bytes).toBeLessThan(size + 5 * MIB);

    // Full is not for ever. GlusterFS itself looks at the free space only every few seconds, and a brick that could not
    // write at all may have to be started anew first (seen once: its clients had no connection for a moment).
    const soon = (...argv: readonly string[]) =>
      expect.poll(() => product.attempt('kube1', ...argv), { timeout: PATIENCE_MS }).toMatchObject({ code: 0 });
    await soon('rm', '--force', '/srv/image/fill');
    await soon('dd', 'of=/srv/image/more', 'if=/dev/zero', 'bs=1M', 'count=20', 'conv=fsync');
    await remove('image', 'folder');
  });

  it('lets nobody mount but who is allowed to, and the nodes always', async () => {
    const nobody = product.lab.gateway.replace(/\d+$/, '250');
    const mount = { path: '/srv/closed', nodes: [...NODES] };
    await product.apply([
      { name: 'closed', size: '150Mi', replicas: 3, allow: [nobody], mount },
      { name: 'open', size: '150Mi', replicas: 3, allow: [nobody, product.lab.addressOf(OUTSIDER)] },
    ]);
    await product.mounted('closed', NODES);
    await product.redundant('closed');
    await product.redundant('open');
    await product.run('kube2', 'touch', '/srv/closed/by-a-node');

    await mountOn(OUTSIDER, 'closed');
    // mount.glusterfs may return 0 all the same; what counts is whether anything is to be seen.
    expect((await product.attempt(OUTSIDER, 'stat', '/mnt/by-a-node')).code).toBe(1);
    await product.attempt(OUTSIDER, 'umount', '--lazy', '/mnt');

    // The same machine may where the list has its address.
    expect(await mountOn(OUTSIDER, 'open')).toMatchObject({ code: 0 });
    await product.run(OUTSIDER, 'touch', '/mnt/by-a-client');
    await product.run(OUTSIDER, 'umount', '/mnt');
    await remove('closed', 'open');
  });

  it('deletes nothing that is mounted, leaves nothing behind, and gives the name free', async () => {
    await product.apply([{ name: 'again', size: '150Mi', replicas: 3, mount: { path: '/srv/again', nodes: 'all' } }]);
    await product.mounted('again', NODES);
    await product.run('kube1', 'touch', '/srv/again/precious');
    const refused = await product.cli('volume', 'delete', 'again', '--force');
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('kube2 at /srv/again') });
    // Around the command line too: the volume is marked, and goes on serving until its last mount is gone.
    await product.client.delete('Volume', 'again');
    await product.condition('again', { type: 'Ready', reason: 'InUse' });
    expect(await product.run('kube3', 'ls', '/srv/again')).toBe('precious\n');

    const uid = (await product.client.get('Volume', 'again'))?.metadata.uid;
    for (const node of NODES) await product.client.delete('VolumeAttachmentRecord', `again.${node}`);
    await product.until('Volume', 'again', (seen) => (seen === undefined ? true : undefined));
    expect(await residue(product)).toEqual([]);

    await product.apply([{ name: 'again', size: '150Mi', replicas: 3, mount: { path: '/srv/again', nodes: 'all' } }]);
    await product.mounted('again', NODES);
    expect((await product.client.get('Volume', 'again'))?.metadata.uid).not.toBe(uid);
    expect(await product.run('kube1', 'ls', '/srv/again')).toBe('');
    await remove('again');
  });
});
