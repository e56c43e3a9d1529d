/** Holdfast's own processes killed while a volume is in use: the data path needs none of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubeClient } from '../../src/adapters/kube/client.ts';
import { loadKubeconfig } from '../../src/adapters/kube/kubeconfig.ts';
import { messageOf } from '../../src/domain/errors.ts';
import { GV0, glusterPids, NODES, PATIENCE_MS, type Product, startProduct } from './product-fixture.ts';

const VOLUME = GV0.name;
const RECORDS = 40;
const COUNTER = 'test.holdfast.dev/acknowledged';

describe('a volume in use while processes of Holdfast die', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'processes' });
    await product.apply([GV0]);
    await product.mounted(VOLUME, NODES);
    await product.redundant(VOLUME);
  });
  afterAll(() => product?.remove());

  const nodeReady = (node: string, reason: string) =>
    product.until('StorageNode', node, (seen) =>
      seen?.status?.conditions?.find((each) => each.type === 'Ready' && each.reason === reason),
    );
  /** Everything on a host that an agent could have touched: processes, mounts, and what GlusterFS was told. */
  const stateOf = async (node: string) => ({
    processes: await glusterPids(product, node),
    mounts: await product.run(
      node,
      'findmnt',
      '--raw',
      '--noheadings',
      '--output',
      'ID,SOURCE,TARGET',
      '-t',
      'xfs,fuse.glusterfs',
    ),
    volume: await product.run(node, 'gluster', 'volume', 'info', VOLUME),
  });
  const leaseOf = async (node: string) => (await product.client.get('Lease', node))?.spec.renewTime;
  const heardAgain = async (node: string) => {
    const before = await leaseOf(node);
    await product.until('Lease', node, (seen) => (seen?.spec.renewTime !== before ? true : undefined));
  };

  it('keeps mounts, bricks and options as they are when an agent is killed and started again', async () => {
    const anchor = await product.anchorOf(VOLUME);
    const writer = await product.startWriter(anchor, '/data/agent-killed');
    await writer.writeMore(RECORDS);
    const before = await stateOf(anchor);
    await product.killAgent(anchor);
    await writer.writeMore(RECORDS);
    await nodeReady(anchor, 'HeartbeatLost');
    await product.until('Volume', VOLUME, (seen) => (seen?.status?.anchor === anchor ? undefined : true));
    expect(await stateOf(anchor)).toEqual(before);
    await product.startAgent(anchor);
    await nodeReady(anchor, 'HeartbeatFresh');
    await product.redundant(VOLUME);
    await product.mounted(VOLUME, NODES);
    await writer.writeMore(RECORDS);
    expect(await stateOf(anchor)).toEqual(before);
    await product.expectIntact(writer, anchor);
  });

  it('goes on without any agent', async () => {
    const writer = await product.startWriter('kube1', '/data/no-agents');
    await writer.writeMore(RECORDS);
    await Promise.all(NODES.map((node) => product.killAgent(node)));
    for (const node of NODES) await nodeReady(node, 'HeartbeatLost');
    await writer.writeMore(RECORDS);
    await Promise.all(NODES.map((node) => product.startAgent(node)));
    await product.redundant(VOLUME);
    await product.expectIntact(writer, 'kube2');
  });

  it('loses nothing that the API has acknowledged when the controller is killed, and agents go on with it', async () => {
    const writer = await product.startWriter('kube1', '/data/controller-killed');
    await writer.writeMore(RECORDS);
    const before = await stateOf('kube1');
    let acknowledged = 0;
    const counting = (async () => {
      for (let count = 1; ; count += 1) {
        await product.client.patch('Volume', VOLUME, { metadata: { annotations: { [COUNTER]: String(count) } } });
        acknowledged = count;
      }
    })().catch(messageOf);
    await expect.poll(() => acknowledged, { timeout: PATIENCE_MS }).toBeGreaterThan(20);
    await product.killController();
    expect(await counting).toContain('cannot be reached');
    await writer.writeMore(RECORDS);
    expect(await product.cli('status')).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('cannot be reached'),
    });

    await product.startController();
    const found = await product.until('Volume', VOLUME, (seen) => seen?.metadata.annotations?.[COUNTER]);
    // The one under way when it was killed may have been stored too.
    expect([acknowledged, acknowledged + 1]).toContain(Number(found));
    for (const node of NODES) await heardAgain(node);
    await product.redundant(VOLUME);
    const added = await product.cli('volume', 'add', '150Mi', 'afterwards', '--wait');
    expect(added, added.stderr).toMatchObject({ code: 0 });
    expect(await product.cli('volume', 'delete', 'afterwards', '--force')).toMatchObject({ code: 0 });
    expect(await stateOf('kube1')).toEqual(before);
    await product.expectIntact(writer, 'kube2');
  });

  it('brings the copies of a node that was restarted without the API back when the API is', async () => {
    const writer = await product.startWriter('kube1', '/data/no-api');
    await writer.writeMore(RECORDS);
    const before = (await product.client.get('StorageNode', 'kube3'))?.status?.bootId;
    await product.killController();
    await product.lab.powerOff('kube3');
    await writer.writeMore(RECORDS);
    await product.lab.powerOn('kube3');
    // What is known without the API: GlusterFS joins its pool again. Which pools and copies to mount is in the API.
    await expect
      .poll(async () => (await product.attempt('kube1', 'gluster', 'pool', 'list')).stdout, { timeout: PATIENCE_MS })
      .toMatch(/kube3\s+Connected/);
    expect((await product.attempt('kube3', 'findmnt', product.pool)).code).toBe(1);
    await writer.writeMore(RECORDS);
    await product.startController();
    // What is stored is of before, and says that all is well, until somebody who was not there has spoken.
    await product.until('VolumeAttachmentRecord', `${VOLUME}.kube3`, (seen) =>
      seen?.status?.state === 'Mounted' && seen.status.bootId !== before ? true : undefined,
    );
    await nodeReady('kube3', 'HeartbeatFresh');
    await product.redundant(VOLUME);
    await product.mounted(VOLUME, NODES);
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, 'kube3');
  });

  it("lets a node's certificate speak for that node only", async () => {
    const text = await product.lab.host('kube1').files.readText('/etc/holdfast/node.kubeconfig');
    const path = `${product.folder}/kube1.kubeconfig`;
    await product.composed.machine.files.writeText(path, text, { mode: 0o600 });
    const kube1 = createKubeClient(await loadKubeconfig(path), { userAgent: 'test' });
    try {
      const status = { status: { agentVersion: 'forged' } };
      const scope = { subresource: 'status' } as const;
      await expect(kube1.patch('StorageNode', 'kube2', status, scope)).rejects.toMatchObject({ kind: 'denied' });
      await expect(kube1.patch('Lease', 'kube2', { spec: { holderIdentity: 'kube1' } })).rejects.toMatchObject({
        kind: 'denied',
      });
      const { items } = await product.client.list('VolumeCopy', { fieldSelector: 'spec.node=kube2' });
      for (const { metadata } of items) {
        const lost = { status: { state: 'Lost' } };
        await expect(kube1.patch('VolumeCopy', metadata.name, lost, scope)).rejects.toMatchObject({ kind: 'denied' });
      }
      expect(items).toHaveLength(1);
      expect((await product.client.get('StorageNode', 'kube2'))?.status?.agentVersion).not.toBe('forged');
    } finally {
      kube1.close();
    }
    const refused = await product.cli('volume', 'delete', VOLUME, '--detach', '--force', '--kubeconfig', path);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('holdfast:node:kube1') });
    expect((await product.client.get('Volume', VOLUME))?.metadata.deletionTimestamp).toBeUndefined();
  });
});
