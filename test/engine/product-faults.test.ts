/** Nodes that fall and links that are cut under a writer, in a lab with all of Holdfast: facts of GlusterFS, section 8 a to d. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GLUSTERD_ARGV } from '../../src/engines/gluster/daemon.ts';
import { LAB_NODE } from '../../src/ports/lab.ts';
import { findBrick, loseBrickPort } from './lose-brick-port.ts';
import { GV0, glusterPids, NODES, PATIENCE_MS, type Product, startProduct } from './product-fixture.ts';

const VOLUME = GV0.name;
const RECORDS = 40;
const DISCONNECTED = 'Transport endpoint is not connected';

/** Holds one file open for ever and writes to it; says on standard output how that went, whenever it changes. */
const HOLDER = `
const fs = require('node:fs');
const fd = fs.openSync('/data/held', 'w');
let said = '';
const say = (word) => { if (word !== said) console.log(word); said = word; };
setInterval(() => {
  try { fs.writeSync(fd, 'x', 0); fs.fsyncSync(fd); say('written'); } catch (error) { say(error.code); }
}, 100);
`;

describe('a replicated volume under a writer', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'faults' });
    await product.apply([GV0]);
    await product.mounted(VOLUME, NODES);
    await product.redundant(VOLUME);
  });
  afterAll(() => product?.remove());

  /** The node that does the engine's work, as the hardest one to lose, and the two others. */
  const cast = async (): Promise<readonly [anchor: string, second: string, third: string]> => {
    const anchor = await product.anchorOf(VOLUME);
    const [second = '', third = ''] = NODES.filter((node) => node !== anchor);
    return [anchor, second, third];
  };
  const served = () => product.condition(VOLUME, { type: 'Ready', status: 'True' });
  const nodeReady = (node: string, reason: string) =>
    product.until('StorageNode', node, (seen) =>
      seen?.status?.conditions?.find((each) => each.type === 'Ready' && each.reason === reason),
    );
  const write = (node: string, file: string) =>
    product.attempt(node, 'dd', `of=/data/${file}`, 'if=/dev/zero', 'bs=1', 'count=1', 'conv=fsync', 'status=none');
  const whole = async () => {
    await product.redundant(VOLUME);
    await product.mounted(VOLUME, NODES);
    const volume = await product.client.get('Volume', VOLUME);
    expect(volume?.status?.engine?.bricks.map((brick) => brick.splitBrainEntries)).toEqual([0, 0, 0]);
  };

  it('goes on when all processes of GlusterFS on a node are killed, and says so until they are back', async () => {
    const [anchor, second] = await cast();
    const writer = await product.startWriter(second, '/data/killed');
    await writer.writeMore(RECORDS);
    await product.run(anchor, 'kill', '-KILL', ...(await glusterPids(product, anchor)));
    await writer.writeMore(RECORDS);
    const engine = await product.until('StorageNode', anchor, (seen) =>
      seen?.status?.engines?.find((each) => each.name === 'gluster' && !each.isRunning),
    );
    expect(engine).toMatchObject({ isInstalled: true, message: expect.stringContaining('glusterd') });
    const down = await product.condition(VOLUME, { type: 'Redundant', reason: 'CopiesDown' });
    expect(down.message).toContain(anchor);
    await served();
    // As systemd would.
    await product.run(anchor, ...GLUSTERD_ARGV);
    await whole();
    expect((await write(anchor, 'killed-here')).code).toBe(0);
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, anchor);
  });

  it('ends a brick process that GlusterFS sends no client to, and has it served anew', async () => {
    const [, node, other] = await cast();
    const writer = await product.startWriter(other, '/data/lost');
    await writer.writeMore(RECORDS);
    const lost = await loseBrickPort(product, node, VOLUME);
    await whole();
    expect((await findBrick(product, node, VOLUME)).pid).not.toBe(lost);
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, node);
  });

  it('goes on when the node that does its engine work is powered off, and takes it back', async () => {
    const [anchor, second] = await cast();
    const before = await product.client.get('Volume', VOLUME);
    const writer = await product.startWriter(second, '/data/off');
    await writer.writeMore(RECORDS);
    await product.lab.powerOff(anchor);
    await writer.writeMore(RECORDS);
    await nodeReady(anchor, 'HeartbeatLost');
    const down = await product.condition(VOLUME, { type: 'Redundant', reason: 'CopiesDown' });
    expect(down.message).toBe(`down: ${anchor}`);
    const moved = await product.client.get('Volume', VOLUME);
    expect(moved?.status?.anchor).not.toBe(anchor);
    expect(moved?.status?.epoch).toBe((before?.status?.epoch ?? 0) + 1);
    const status = await product.cli('status');
    expect(status.stdout).toContain(anchor);
    await product.lab.powerOn(anchor);
    await whole();
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, anchor);
  });

  it('lets the majority write when a node is unplugged, refuses the cut-off node, and heals after the plug', async () => {
    const [anchor, , third] = await cast();
    const writer = await product.startWriter(anchor, '/data/unplugged');
    await writer.writeMore(RECORDS);
    await product.lab.unplug(third);
    await writer.writeMore(RECORDS);
    await nodeReady(third, 'HeartbeatLost');
    await product.condition(VOLUME, { type: 'Redundant', reason: 'CopiesDown' });
    await served();
    const refused = await write(third, 'from-the-minority');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(DISCONNECTED) });
    await product.lab.plug(third);
    await whole();
    await nodeReady(third, 'HeartbeatFresh');
    await writer.writeMore(RECORDS);
    await product.expectIntact(writer, third);
  });

  it('refuses the writer whose own node is unplugged, lets the others write, and loses nothing of either', async () => {
    const [anchor, second] = await cast();
    const cut = await product.startWriter(anchor, '/data/cut-off');
    await cut.writeMore(RECORDS);
    await product.lab.unplug(anchor);
    const other = await product.startWriter(second, '/data/majority');
    await other.writeMore(RECORDS);
    const frozen = cut.acknowledged();
    await expect
      .poll(async () => (await write(anchor, 'from-the-minority')).stderr, { timeout: PATIENCE_MS })
      .toContain(DISCONNECTED);
    await nodeReady(anchor, 'HeartbeatLost');
    await product.condition(VOLUME, { type: 'Redundant', reason: 'CopiesDown' });
    expect(await product.anchorOf(VOLUME)).not.toBe(anchor);
    await other.writeMore(RECORDS);
    expect(cut.acknowledged()).toBe(frozen);
    await product.lab.plug(anchor);
    await cut.writeMore(RECORDS);
    await whole();
    await product.expectIntact(cut, second);
    await product.expectIntact(other, anchor);
  });

  it('stops without its quorum, says so, and comes back by itself with the file that was open', async () => {
    const [anchor, second, third] = await cast();
    const writer = await product.startWriter(anchor, '/data/alone');
    await product.lab.startDaemon(anchor, { name: 'holder', argv: [LAB_NODE, '-e', HOLDER] });
    const held = async () => (await readFile(product.lab.logOf(anchor, 'holder'), 'utf8')).trim().split('\n');
    await writer.writeMore(RECORDS);
    await expect.poll(held, { timeout: PATIENCE_MS }).toEqual(['written']);
    await product.lab.powerOff(second);
    await product.lab.powerOff(third);
    await expect.poll(async () => (await held()).at(-1), { timeout: PATIENCE_MS }).toBe('ENOTCONN');
    expect(await product.attempt(anchor, 'df', '/data')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(DISCONNECTED),
    });
    const without = await product.condition(VOLUME, { type: 'Ready', status: 'False', reason: 'NoQuorum' });
    expect(without.message).toContain(second);
    expect(without.message).toContain(third);
    expect((await product.client.get('Volume', VOLUME))?.status?.phase).toBe('Unavailable');
    const frozen = writer.acknowledged();
    await Promise.all([product.lab.powerOn(second), product.lab.powerOn(third)]);
    await writer.writeMore(RECORDS);
    expect(writer.acknowledged()).toBeGreaterThan(frozen);
    await expect.poll(async () => (await held()).at(-1), { timeout: PATIENCE_MS }).toBe('written');
    await product.lab.stopDaemon(anchor, 'holder', { graceMs: 0 });
    await whole();
    await product.expectIntact(writer, second);
  });

  it('writes nothing of a node once it is said to be fenced, while the others go on, and takes it in again', async () => {
    const [fenced, second] = await cast();
    const [own, other] = [
      await product.startWriter(fenced, '/data/fenced'),
      await product.startWriter(second, '/data/beside-fenced'),
    ];
    await own.writeMore(RECORDS);
    const fence = await product.cli('node', 'fence', fenced, '--yes', '--reason', 'a test');
    const last = own.acknowledged();
    expect(fence).toMatchObject({ code: 0, stdout: expect.stringContaining('is cut off from 1 volume') });
    await other.writeMore(RECORDS);
    expect(own.acknowledged()).toBe(last);
    // GlusterFS itself names nobody of that node any more, on any copy.
    const clients = () => product.run(second, 'gluster', 'volume', 'status', VOLUME, 'clients');
    const connected = async () => (await clients()).split('\n').filter((line) => line.startsWith(`${address}:`)).length;
    const address = product.lab.addressOf(fenced);
    expect(await connected()).toBe(0);
    await served();
    // Its client ends when it is refused, and nothing is mounted anew.
    await product.until('StorageNode', fenced, (seen) => (seen?.status?.fence?.mounts.length === 0 ? true : undefined));
    const unfence = await product.cli('node', 'unfence', fenced);
    expect(unfence).toMatchObject({ code: 0 });
    await whole();
    await own.writeMore(RECORDS);
    // Its mount and its self-heal daemon, on each of three copies.
    await expect.poll(connected, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(6);
    await product.expectIntact(own, second);
    await product.expectIntact(other, fenced);
  });
});
