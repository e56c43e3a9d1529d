/** Volumes that others made by hand, with data and a writer on them, taken over by a plan: on real GlusterFS. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import { makeSshKeys, prepareSshd } from '../sshd.ts';
import { MIB, type Product, startProduct, type Writer } from './product-fixture.ts';

const HOSTS = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
const SSHD_PORT = 22;
/** What the machine's own fstab mounts: one disk, and in it the places where each way of installing keeps its bricks. */
const DISK = '/srv/disk';
const HEKETI = '/var/lib/heketi/mounts/vg_1f/brick_2a';
const PLACES = { recipe: '/mnt/glusterVolume0', kismatic: '/data', heketi: HEKETI, other: '/bricks' } as const;
const MOUNT = '/mnt/gv0';

/** The pool knows it by its address only, and so do the volumes. */
const UNNAMED = 'kube4';

interface Made {
  readonly words: readonly string[];
  readonly path: string;
  readonly hosts: readonly string[];
}

/** By what GlusterFS calls them; the second name is the plan's, where that is another. */
const VOLUMES: Readonly<Record<string, Made>> = {
  gv0: { words: ['replica', '3'], path: PLACES.recipe, hosts: ['kube1', 'kube2', 'kube3'] },
  storage01: { words: ['replica', '2'], path: '/data/storage01', hosts: HOSTS },
  vol_8A7b: { words: ['replica', '3', 'arbiter', '1'], path: `${HEKETI}/brick`, hosts: ['kube2', 'kube3', UNNAMED] },
  spread: { words: ['disperse', '3', 'redundancy', '1'], path: '/bricks/spread', hosts: ['kube1', 'kube2', UNNAMED] },
};
const HEKETI_NAME = 'vol-8a7b';
const NAMES = ['gv0', 'storage01', HEKETI_NAME, 'spread'];

describe('a pool of others', () => {
  let product: Product;
  let writer: Writer;
  let planFile: string;
  let adoptArgs: readonly string[];
  let before: string;
  let sums: string;

  const gluster = (...words: string[]) => product.run('kube1', 'gluster', '--mode=script', ...words);
  const cli = async (...args: string[]) => {
    const result = await product.cli(...args);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result;
  };

  /** As the machine's fstab does at each boot. */
  const mountDisk = async (host: string) => {
    await product.run(host, 'mkdir', '-p', DISK, ...Object.values(PLACES));
    await product.run(host, 'mount', '-t', 'xfs', LAB_DATA_DISK, DISK);
    for (const [name, path] of Object.entries(PLACES)) {
      await product.run(host, 'mkdir', '-p', `${DISK}/${name}`);
      await product.run(host, 'mount', '--bind', `${DISK}/${name}`, path);
    }
  };

  /** What is in the volumes, as clients read it. */
  const checksums = async () => {
    const found: string[] = [];
    for (const name of Object.keys(VOLUMES)) found.push(await product.run('kube1', 'sha256sum', `/mnt/${name}/data`));
    return found.join('');
  };

  /** Each brick's marks: whose it is, and which directory. */
  const marks = async () => {
    const found: string[] = [];
    for (const { hosts, path } of Object.values(VOLUMES)) {
      for (const host of hosts) {
        const argv = ['getfattr', '--absolute-names', '-d', '-e', 'hex', '-m', 'volume-id|gfid|dht', path];
        found.push(`${host} ${await product.run(host, ...argv)}`);
      }
    }
    return found.join('');
  };

  beforeAll(async () => {
    product = await startProduct({ name: 'adopt', hosts: HOSTS, nodes: HOSTS, dataDiskBytes: 1024 * MIB });
    planFile = join(product.folder, 'plan.yaml');
    await Promise.all(
      HOSTS.map(async (host) => {
        await product.run(host, 'mkfs.xfs', '-q', LAB_DATA_DISK);
        await mountDisk(host);
      }),
    );
    const called = (host: string) => (host === UNNAMED ? product.lab.addressOf(host) : host);
    for (const host of HOSTS.slice(1)) await gluster('peer', 'probe', called(host));
    for (const [name, { words, path, hosts }] of Object.entries(VOLUMES)) {
      const bricks = hosts.map((host) => `${called(host)}:${path}`);
      await gluster('volume', 'create', name, ...words, ...bricks, 'force');
      await gluster('volume', 'start', name);
      await product.run('kube1', 'mkdir', '-p', `/mnt/${name}`);
      await product.run('kube1', 'mount', '-t', 'glusterfs', `kube1:/${name}`, `/mnt/${name}`);
      await product.run('kube1', 'dd', 'if=/dev/urandom', `of=/mnt/${name}/data`, 'bs=1M', 'count=4', 'conv=fsync');
    }
    await gluster('volume', 'quota', 'storage01', 'enable');
    await gluster('volume', 'quota', 'storage01', 'limit-usage', '/', '300MB');
    await gluster('volume', 'create', 'idle', 'kube1:/bricks/idle', 'force');

    const { machine } = product.composed;
    const keys = await makeSshKeys(machine, product.folder);
    const address = product.lab.addressOf('kube1');
    const listen = { address, port: SSHD_PORT };
    const argv = await prepareSshd(product.lab.host('kube1'), '/etc/test-sshd', keys, listen, (path) =>
      machine.files.readText(path),
    );
    await product.lab.startDaemon('kube1', { name: 'sshd', argv });
    const known = join(product.folder, 'known_hosts');
    await machine.files.writeText(known, `${address} ${keys.hostPublicKey}\n`);
    const login = ['--ssh-user', 'root', '--ssh-key', join(product.folder, 'user'), '--known-hosts', known];
    adoptArgs = ['plan', 'adopt', '-f', planFile, '--pool-of', address, ...login];
    writer = await product.startWriter('kube1', `${MOUNT}/ledger`);
    await writer.writeMore(20);
    before = `${await gluster('volume', 'info')}${await marks()}`;
    sums = await checksums();
  });
  afterAll(() => product?.remove());

  it('is written down as a plan over ssh, with what cannot be taken over and why, and nothing twice', async () => {
    const written = await cli(...adoptArgs);
    expect(written.stdout).toContain(`volumes ${NAMES.toSorted().join(', ')}`);
    expect(written.stderr).toContain('not adopted: volume idle: it is created');
    expect(written.stderr).toContain(`vol_8A7b: is the volume ${HEKETI_NAME} of the plan`);
    expect(written.stderr).toContain('storage01: two plain copies can diverge');
    expect(written.stderr).toContain(`gv0: is mounted at ${MOUNT} on kube1`);
    const text = await readFile(planFile, 'utf8');
    await cli('plan', 'validate', '-f', planFile);
    const again = await cli(...adoptArgs);
    expect(again.stdout).toContain('has everything already');
    expect(await readFile(planFile, 'utf8')).toBe(text);
    expect(`${await gluster('volume', 'info')}${await marks()}`).toBe(before);
  });

  it('is taken over without a touch of data, options or bricks, under a writer', async () => {
    const difference = await product.cli('plan', 'diff', '-f', planFile);
    expect(difference).toMatchObject({ code: 1, stdout: expect.stringMatching(/Volume +gv0 +create/) });
    await cli('plan', 'apply', '-f', planFile);
    for (const name of NAMES) {
      await product.condition(name, { type: 'Ready', status: 'True' });
      await product.redundant(name);
    }
    await writer.writeMore(20);
    const { items } = await product.client.list('VolumeCopy');
    const paths = items.map(({ spec, status }) => `${spec.node}:${status?.path}`).toSorted();
    expect(paths).toEqual(
      Object.values(VOLUMES)
        .flatMap(({ hosts, path }) => hosts.map((host) => `${host}:${path}`))
        .toSorted(),
    );
    expect(`${await gluster('volume', 'info')}${await marks()}`).toBe(before);
    expect(await checksums()).toBe(sums);
    expect((await product.cli('plan', 'diff', '-f', planFile)).code).toBe(0);
    const shown = await cli('volume', 'show', 'gv0');
    expect(shown.stdout).toContain('lacks network.ping-timeout 5');
    expect((await cli('explain', 'volume', 'gv0')).stdout).toContain('network.ping-timeout 5');
  });

  it('heals when a node is back, and writes nothing below a disk that is not mounted', async () => {
    await product.lab.powerOff('kube2');
    await product.condition('gv0', { type: 'Redundant', status: 'False' });
    await writer.writeMore(20);
    await product.lab.powerOn('kube2');
    const copy = (await product.client.list('VolumeCopy')).items.find(
      ({ spec }) => spec.volume === 'gv0' && spec.node === 'kube2',
    );
    await product.until('VolumeCopy', copy?.metadata.name ?? '', (seen) =>
      seen?.status?.state === 'Suspect' && seen.status.message?.includes('see whether its disk is mounted')
        ? true
        : undefined,
    );
    expect((await product.attempt('kube2', 'find', PLACES.recipe, '-mindepth', '1')).stdout).toBe('');
    await mountDisk('kube2');
    for (const name of NAMES) await product.redundant(name);
    expect(await checksums()).toBe(sums);
    await product.expectIntact(writer, 'kube1', 'gv0');
  });

  it('grows by its limit, takes options on when asked, and refuses what would move its bricks', async () => {
    await cli('volume', 'grow', 'storage01', '400Mi');
    expect(await gluster('volume', 'quota', 'storage01', 'list', '/')).toContain('400.0MB');
    const noLimit = await product.cli('volume', 'grow', 'gv0', '100Gi');
    expect(noLimit).toMatchObject({ code: 6, stderr: expect.stringContaining('adopted without a limit') });
    const snapshot = await product.cli('volume', 'snapshot', 'gv0');
    expect(snapshot.stderr).toContain('only image bricks have snapshots');
    const converted = await product.cli('volume', 'convert', 'gv0', '--replicas', '2');
    expect(converted.stderr).toContain('was adopted');
    const drained = await product.cli('node', 'drain', 'kube3', '--dry-run');
    expect(`${drained.stdout}${drained.stderr}`).toContain('gluster volume replace-brick');

    const plan = await readFile(planFile, 'utf8');
    const { engineId } = (await product.client.get('Volume', 'gv0'))?.spec.adopted ?? {};
    const line = `engineId: ${engineId}\n`;
    const taking = plan.includes('takesOptions') ? plan : plan.replace(line, `${line}      takesOptions: true\n`);
    // The limit has grown meanwhile; a plan that says less is refused.
    await product.composed.machine.files.writeText(planFile, taking.replace('size: 300Mi', 'size: 400Mi'));
    await cli('plan', 'apply', '-f', planFile);
    await product.until('Volume', 'gv0', (seen) => (seen?.status?.engine?.lacks?.length === 0 ? true : undefined));
    expect(await gluster('volume', 'info', 'gv0')).toContain('network.ping-timeout: 5');
    expect(await gluster('volume', 'info', 'vol_8A7b')).not.toContain('ping-timeout');
  });

  it('is forgotten, or deleted in GlusterFS, and its directories stay', async () => {
    const forgotten = await cli('volume', 'delete', 'gv0', '--force');
    expect(forgotten.stdout).toBe('volume gv0 forgotten\n');
    expect(await gluster('volume', 'info', 'gv0')).toContain('Status: Started');

    const deleted = await cli('volume', 'delete', HEKETI_NAME, '--force', '--remove-from-engine');
    expect(deleted.stderr).toContain(`these directories keep all data`);
    expect(await gluster('volume', 'list')).not.toContain('vol_8A7b');
    for (const host of ['kube2', 'kube3']) {
      expect(await product.run(host, 'stat', '--format', '%s', `${HEKETI}/brick/data`)).toBe(`${4 * MIB}\n`);
    }
    const { items } = await product.client.list('VolumeCopy');
    expect(items.map(({ spec }) => spec.volume)).not.toContain('gv0');
    expect(await product.run('kube1', 'sha256sum', `${PLACES.recipe}/data`)).toContain(
      (await product.run('kube1', 'sha256sum', `${MOUNT}/data`)).split(' ')[0],
    );
  });
});
