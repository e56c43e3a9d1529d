/** From plain to encrypted storage traffic and back on real GlusterFS: data, proof, those who were away, and outsiders. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ATTACHMENT_FINALIZER } from '../../src/domain/finalizers.ts';
import { enrollAgain } from '../../src/usecases/lab/bring-up-holdfast.ts';
import { GV0, NODES, PATIENCE_MS, type Product, startProduct, type Writer } from './product-fixture.ts';

const VOLUME = GV0.name;
const OUTSIDER = 'kube4';
const RECORDS = 50;

describe('encrypted storage traffic', () => {
  let product: Product;
  let writer: Writer;

  const json = async (...args: readonly string[]) => {
    const result = await product.cli(...args, '-o', 'json');
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return JSON.parse(result.stdout);
  };
  const stopWriter = (host: string) => product.lab.stopDaemon(host, 'writer-data-ledger', { graceMs: 10_000 });
  const mode = (node: string, wanted: string) =>
    product.until('StorageNode', node, (seen) => (seen?.status?.tls?.mode === wanted ? true : undefined));
  const option = async (key: string) =>
    (await product.run('kube1', 'gluster', 'volume', 'info', VOLUME))
      .split('\n')
      .find((line) => line.startsWith(`${key}: `))
      ?.slice(key.length + 2);
  const tryToMount = async (host: string) => {
    await product.attempt(host, 'mkdir', '-p', '/mnt/try');
    await product.attempt(host, 'mount', '-t', 'glusterfs', `kube1:/${VOLUME}`, '/mnt/try');
    return (await product.attempt(host, 'mountpoint', '/mnt/try')).code;
  };

  beforeAll(async () => {
    product = await startProduct({ name: 'tls', hosts: [...NODES, OUTSIDER], nodes: NODES });
    await product.apply([GV0]);
    await product.mounted(VOLUME, NODES);
    await product.redundant(VOLUME);
    writer = await product.startWriter('kube1', '/data/ledger');
    await writer.writeMore(RECORDS);
  });
  afterAll(() => product?.remove());

  it('is not begun without a yes, and says what it would interrupt', async () => {
    const dry = await json('cluster', 'tls', 'enable', '--dry-run');
    expect(dry).toMatchObject({ isDone: false, volumes: [VOLUME], away: [] });
    expect(dry.mounts).toContain(`${VOLUME} at /data on kube1`);
    expect((await product.cli('cluster', 'tls', 'enable')).stderr).toContain('nothing was changed');
    expect((await product.client.get('StorageCluster', 'default'))?.spec.tls).toBeUndefined();
  });

  it('waits for whoever uses a mount, can be taken back, and loses nothing', async () => {
    await json('cluster', 'tls', 'enable', '--yes', '--no-wait');
    await product.until('StorageCluster', 'default', (seen) =>
      seen?.status?.tls?.message?.includes(`${VOLUME} on kube1`) === true ? true : undefined,
    );
    await json('cluster', 'tls', 'disable', '--yes', '--no-wait');
    await product.mounted(VOLUME, NODES);
    const before = writer.acknowledged();
    await writer.writeMore(RECORDS);
    expect(writer.acknowledged()).toBeGreaterThan(before);
    await stopWriter('kube1');
  });

  it('comes with an agent and the controller killed in the middle and a node without power, which follows', async () => {
    // Changes nothing, unless this is the retry of a try that failed in the middle.
    await json('cluster', 'tls', 'disable', '--yes');
    await json('cluster', 'tls', 'enable', '--yes', '--no-wait');
    await product.lab.powerOff('kube3');
    await product.killAgent('kube2');
    await product.killController();
    await product.startController();
    await product.startAgent('kube2');
    // It listens a moment after its start.
    await product.until('StorageCluster', 'default', (seen) => (seen === undefined ? undefined : true));
    const { proof } = await json('cluster', 'tls', 'enable', '--yes');
    expect(new Set(proof.ports.map((port: { from: string; node: string }) => `${port.from} ${port.node}`))).toEqual(
      new Set(['kube1 kube2', 'kube2 kube1']),
    );
    await product.lab.powerOn('kube3');
    await mode('kube3', 'encrypted');
    await product.redundant(VOLUME);
    await product.mounted(VOLUME, NODES);
    await writer.goOn('kube3');
    await writer.writeMore(RECORDS);
  });

  it('is TLS 1.3 on every daemon and brick, and nobody answers a plain question', async () => {
    const { phase, proof } = await json('cluster', 'tls', 'status', '--check');
    expect(phase).toBe('On');
    const serves = (what: string) => proof.ports.filter((port: { serves: string }) => port.serves === what).length;
    expect([serves('glusterd'), serves(`brick of ${VOLUME}`)]).toEqual([6, 6]);
    for (const port of proof.ports) expect(port).toMatchObject({ encrypted: 'TLSv1.3', answersPlain: false });
  });

  it('keeps out a host without a certificate, also one that tries to speak TLS', async () => {
    expect(await tryToMount(OUTSIDER)).not.toBe(0);
    await product.run(OUTSIDER, 'touch', '/var/lib/glusterd/secure-access');
    expect(await tryToMount(OUTSIDER)).not.toBe(0);
    await product.run(OUTSIDER, 'rm', '/var/lib/glusterd/secure-access');
  });

  it('lets a node in that joins later, while the volume is in use', async () => {
    const nodes = [...NODES, OUTSIDER];
    await product.client.patch('StorageCluster', 'default', { spec: { nodes } });
    await mode(OUTSIDER, 'encrypted');
    await expect.poll(() => option('auth.ssl-allow'), { timeout: PATIENCE_MS }).toBe(nodes.join(','));
    await product.client.create('VolumeAttachmentRecord', {
      metadata: { name: `${VOLUME}.${OUTSIDER}`, finalizers: [ATTACHMENT_FINALIZER] },
      spec: { volume: VOLUME, node: OUTSIDER, mountPath: '/data', isReadOnly: false },
    });
    await product.mounted(VOLUME, [OUTSIDER]);
    expect((await product.attempt(OUTSIDER, 'test', '-s', '/data/ledger')).code).toBe(0);
    await writer.writeMore(RECORDS);
  });

  it('lets a machine in that was installed anew under its name, and fills its copy encrypted', async () => {
    await product.lab.reinstall('kube2');
    await product.condition(VOLUME, { type: 'Redundant', status: 'False' });
    await enrollAgain(product.composed, product.lab, 'kube2');
    const rejoined = await product.cli('node', 'rejoin', 'kube2', '--yes');
    expect(rejoined, rejoined.stderr).toMatchObject({ code: 0, stdout: 'node kube2 has rejoined\n' });
    await mode('kube2', 'encrypted');
    await product.redundant(VOLUME);
    await product.mounted(VOLUME, ['kube2']);
    const { proof } = await json('cluster', 'tls', 'status', '--check');
    const there = proof.ports.filter((port: { node: string }) => port.node === 'kube2');
    expect(there).not.toEqual([]);
    for (const port of there) expect(port).toMatchObject({ encrypted: 'TLSv1.3', answersPlain: false });
    await writer.writeMore(RECORDS);
  });

  it('is taken off again, with everything there', async () => {
    await stopWriter('kube3');
    await json('cluster', 'tls', 'disable', '--yes');
    await product.mounted(VOLUME, NODES);
    expect(await option('server.ssl')).toBeUndefined();
    await writer.goOn('kube2');
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, 'kube1');
  });
});
