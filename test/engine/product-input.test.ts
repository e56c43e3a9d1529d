/** Bad input and bad machines, through the real command line: each a clear error with its exit code, and nothing changed. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GLUSTERD_ARGV } from '../../src/engines/gluster/daemon.ts';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import { MIB, NODES, type Product, residue, startProduct, untilUsable } from './product-fixture.ts';

/** It holds somebody's data. */
const TAKEN = 'kube3';

describe('bad input', () => {
  let product: Product;
  let takenDisk: string;

  const checksum = async () => (await product.run(TAKEN, 'sha256sum', LAB_DATA_DISK)).slice(0, 64);
  const stored = async () =>
    Promise.all((['Volume', 'VolumeCopy'] as const).map(async (kind) => (await product.client.list(kind)).items));

  beforeAll(async () => {
    product = await startProduct({ name: 'input', dataDiskBytes: 1024 * MIB });
    await product.run(TAKEN, 'mkfs.ext4', '-q', '-L', 'photos', LAB_DATA_DISK);
    takenDisk = await checksum();
    await product.apply([]);
    for (const node of NODES.filter((each) => each !== TAKEN)) {
      await untilUsable(product, node);
    }
  });
  afterAll(() => product?.remove());

  it.each([
    ['../x'],
    ['-rf'],
    ['a b'],
    [''],
    ['a'.repeat(300)],
    ['größe'],
    ['ＦＵＬＬ'],
    ['$(id)'],
    ['`id`'],
    ['x;id'],
    ['x\ny'],
    ['.'],
    ['/etc/passwd'],
  ])('refuses a volume called %j, and creates nothing', async (name) => {
    const result = await product.cli('volume', 'add', '1', '--layout', 'single', '--', name);
    expect(result, result.stderr).toMatchObject({ code: 2, stdout: '' });
    // One sentence and what to do, and no more of an endless name than it takes to know it.
    expect(result.stderr).toMatch(/^error: .+\n/);
    expect(result.stderr.length).toBeLessThan(400);
    expect(await stored()).toEqual([[], []]);
  });

  it('refuses a name that is taken for an option', async () => {
    const result = await product.cli('volume', 'add', '1', '-rf');
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(await stored()).toEqual([[], []]);
  });

  it('leaves a pool device alone that holds data, says so, and places nothing there', async () => {
    const pool = await product.until('StorageNode', TAKEN, (seen) => seen?.status?.pools?.find((each) => each.reason));
    expect(pool).toMatchObject({ isReady: false, reason: 'DeviceNotEmpty' });
    const shown = await product.cli('node', 'show', TAKEN);
    expect(shown.stdout).toContain(`${LAB_DATA_DISK} holds ext4 labelled "photos"`);
    const added = await product.cli('volume', 'add', '150Mi', 'three', '-r', '3');
    expect(added).toMatchObject({ code: 6, stderr: expect.stringContaining('only 2 are usable') });
    const status = await product.cli('status');
    expect(status.stdout).toContain('photos');
    expect(await stored()).toEqual([[], []]);
    expect(await checksum()).toBe(takenDisk);
    expect((await product.attempt(TAKEN, 'findmnt', product.pool)).code).toBe(1);
  });

  it('refuses what does not fit, with the numbers', async () => {
    const huge = await product.cli('volume', 'add', '100', 'huge', '--layout', 'single');
    expect(huge).toMatchObject({ code: 6, stderr: expect.stringMatching(/kube1.*MiB free/) });

    // Somebody else fills the pool: the next report tells, and nothing is placed there any more.
    await product.run('kube1', 'fallocate', '--length', `${700 * MIB}`, `${product.pool}/backup`);
    await product.until('StorageNode', 'kube1', (seen) =>
      (seen?.status?.pools?.[0]?.freeBytes ?? Infinity) < 300 * MIB ? true : undefined,
    );
    const added = await product.cli('volume', 'add', '400Mi', 'big', '--layout', 'single', '--wait');
    expect(added, added.stderr).toMatchObject({ code: 0 });
    expect((await product.client.get('Volume', 'big'))?.status?.placement?.map((copy) => copy.node)).toEqual(['kube2']);
    const next = await product.cli('volume', 'add', '400Mi', 'next', '--layout', 'single');
    expect(next).toMatchObject({ code: 6, stderr: expect.stringMatching(/kube1.*MiB free[\s\S]*kube2.*MiB free/) });
    expect((await product.client.list('Volume')).items.map((volume) => volume.metadata.name)).toEqual(['big']);
    expect(await product.cli('volume', 'delete', 'big', '--force')).toMatchObject({ code: 0 });
    await product.run('kube1', 'rm', `${product.pool}/backup`);
    expect(await residue(product)).toEqual([]);
  });

  it('says what is missing on a node, and how to get it', async () => {
    const engineOf = (check: (engine: { isInstalled: boolean; isRunning: boolean }) => boolean) =>
      product.until('StorageNode', 'kube2', (seen) => seen?.status?.engines?.find(check));
    const pids = (await product.run('kube2', 'pgrep', '--exact', 'glusterd')).trim().split('\n');
    await product.run('kube2', 'kill', '-KILL', ...pids);
    await product.run('kube2', 'mv', '/usr/sbin/glusterd', '/usr/sbin/glusterd.away');
    const stopped = await engineOf((engine) => engine.isInstalled && !engine.isRunning);
    expect(stopped.message).toMatch(/glusterd.*kube2.*systemctl start glusterd/);
    expect((await product.cli('node', 'show', 'kube2')).stdout).toContain(stopped.message);

    await product.run('kube2', 'mv', '/usr/sbin/gluster', '/usr/sbin/gluster.away');
    const missing = await engineOf((engine) => !engine.isInstalled);
    expect(missing.message).toBe(
      'GlusterFS is not installed on kube2; install the packages glusterfs-server and glusterfs-client',
    );
    expect((await product.cli('node', 'show', 'kube2')).stdout).toContain(missing.message);

    await product.run('kube2', 'mv', '/usr/sbin/gluster.away', '/usr/sbin/gluster');
    await product.run('kube2', 'mv', '/usr/sbin/glusterd.away', '/usr/sbin/glusterd');
    await product.run('kube2', ...GLUSTERD_ARGV);
    await engineOf((engine) => engine.isRunning);
  });

  it('names the port that another program has', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    try {
      const address = other.address();
      const listen = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
      const folder = `${product.folder}/second`;
      const result = await product.cli('controller', '--embedded', '--data-dir', folder, '--listen', listen);
      expect(result).toMatchObject({ code: 5, stdout: '' });
      const [error] = result.stderr.split('\n').filter((line) => line.startsWith('error:'));
      expect(error).toContain(`${listen} is in use by another process`);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('names a kubeconfig that is missing or is none', async () => {
    const missing = await product.cli('status', '--kubeconfig', '/nowhere/admin.kubeconfig');
    expect(missing).toMatchObject({ code: 4, stderr: expect.stringContaining('/nowhere/admin.kubeconfig') });
    const none = await product.cli('status', '--kubeconfig', '/etc/hostname');
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('/etc/hostname') });
    const agent = await product.cli(
      'node',
      '--name',
      'kube1',
      '--address',
      '127.0.0.1',
      '--kubeconfig',
      '/nowhere/node',
    );
    expect(agent).toMatchObject({ code: 4, stderr: expect.stringContaining('/nowhere/node') });
  });
});
