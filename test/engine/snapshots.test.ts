/**
 * Snapshots and clones of a volume that is being written, and what becomes of one when a node dies over it; when a program
 * does, see verbs-interrupted.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { createLedgerCheck, type LedgerVerdict } from '../../src/domain/ledger/check.ts';
import type { LedgerEntry } from '../../src/domain/ledger/entry.ts';
import { LAB_NODE } from '../../src/ports/lab.ts';
import { GV0, NODES, type Product, startProduct } from './product-fixture.ts';

const VOLUME = GV0.name;
const RECORDS = 60;
const GIB = 1024 ** 3;
const ROWS = '/tmp/rows-committed';
/** Commits row after row to a database on the volume, and says outside of it how many are safe. */
const DATABASE_WRITER = `
  const { DatabaseSync } = require('node:sqlite');
  const { writeFileSync } = require('node:fs');
  const database = new DatabaseSync('/data/rows.db');
  database.exec('pragma synchronous = full; create table rows (id integer primary key, text text)');
  const insert = database.prepare('insert into rows (text) values (?)');
  for (let row = 1; ; row += 1) {
    insert.run('x'.repeat(3000));
    writeFileSync('${ROWS}', String(row));
  }`;
const DATABASE_CHECK = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync('/mnt/clone/rows.db');
  const { integrity_check: integrity } = database.prepare('pragma integrity_check').get();
  const { rows } = database.prepare('select count(*) as rows from rows').get();
  console.log(JSON.stringify({ integrity, rows }));`;

describe('snapshots of a replicated volume', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'snapshots', dataDiskBytes: 4 * GIB });
    await product.apply([GV0]);
    await product.mounted(VOLUME, NODES);
    await product.redundant(VOLUME);
  });
  afterAll(() => product?.remove());

  const cast = async (): Promise<readonly [anchor: string, second: string, third: string]> => {
    const anchor = await product.anchorOf(VOLUME);
    const [second = '', third = ''] = NODES.filter((node) => node !== anchor);
    return [anchor, second, third];
  };
  const cli = async (...args: string[]) => {
    const result = await product.cli(...args);
    expect(`${result.stderr} ${result.code}`).toMatch(/ 0$/);
    return result.stdout;
  };
  const snapshot = (name: string) =>
    product.until('VolumeSnapshotRecord', name, (seen) => {
      const { phase, barrier } = seen?.status ?? {};
      const isOver = phase === 'Ready' || phase === 'Failed';
      return isOver && (barrier?.state === 'Held' || barrier?.state === 'Failed') ? seen?.status : undefined;
    });
  const barrierIsUp = (name: string) =>
    product.until('VolumeSnapshotRecord', name, (seen) => (seen?.status?.barrier === undefined ? undefined : true));
  /** Standard output of a command while the volume is mounted at /mnt/other. */
  const mountedAs = async (host: string, volume: string, ...argv: readonly string[]): Promise<string> => {
    await product.run(host, 'mkdir', '-p', '/mnt/other');
    await product.run(host, 'mount', '-t', 'glusterfs', `${host}:/${volume}`, '/mnt/other');
    const said = await product.run(host, ...argv);
    await product.run(host, 'umount', '/mnt/other');
    return said;
  };
  const leftovers = async () => {
    const lines = NODES.map((node) => product.run(node, 'find', product.pool, '-path', '*/snapshots*'));
    return (await Promise.all(lines)).join('');
  };
  const barrierOption = async (node: string) =>
    (await product.attempt(node, 'gluster', 'volume', 'get', VOLUME, 'features.barrier')).stdout;
  const checkClone = async (host: string, path: string, expected: readonly LedgerEntry[]): Promise<LedgerVerdict> => {
    const check = createLedgerCheck(expected, sha256);
    const { files } = product.lab.host(host);
    const size = (await files.stat(path))?.sizeBytes ?? 0;
    check.read(await files.readBytes(path, 0, size));
    return check.finish();
  };

  it('hold every record acknowledged before, whole, and become volumes of their own', async () => {
    const [anchor, second] = await cast();
    const writer = await product.startWriter(second, '/data/written');
    await product.lab.startDaemon(anchor, { name: 'rows', argv: [LAB_NODE, '-e', DATABASE_WRITER] });
    await writer.writeMore(RECORDS);
    await expect
      .poll(async () => (await product.attempt(anchor, 'cat', ROWS)).stdout, { timeout: 30_000 })
      .not.toBe('');

    const before = writer.acknowledged();
    const rowsBefore = Number(await product.run(anchor, 'cat', ROWS));
    await cli('volume', 'snapshot', VOLUME, 'moment');
    await writer.writeMore(RECORDS);
    await product.lab.stopDaemon(anchor, 'rows', { graceMs: 0 });
    await cli('volume', 'clone', VOLUME, 'twin', '--snapshot', 'moment');
    await cli('volume', 'snapshot', 'delete', 'moment', '--force');
    expect(await leftovers()).toBe('');

    await product.run(anchor, 'mkdir', '/mnt/clone');
    await product.run(anchor, 'mount', '-t', 'glusterfs', `${anchor}:/twin`, '/mnt/clone');
    const { arrivals } = await writer.finish(second);
    expect(arrivals.length).toBeGreaterThan(before);
    const verdict = await checkClone(anchor, '/mnt/clone/written', arrivals.slice(0, before));
    expect(verdict).toMatchObject({ isIntact: true, found: before, torn: { count: 0 }, hasUnacknowledgedTail: false });
    const database = JSON.parse(await product.run(anchor, LAB_NODE, '-e', DATABASE_CHECK)) as Record<string, unknown>;
    expect(database['integrity']).toBe('ok');
    expect(database['rows']).toBeGreaterThanOrEqual(rowsBefore);

    await product.run(anchor, 'rm', '/mnt/clone/written');
    expect(await product.run(second, 'ls', '/data')).toContain('written');
    expect(await product.run(anchor, 'ls', '/mnt/clone')).not.toContain('written');
    await product.run(anchor, 'umount', '/mnt/clone');
    await product.redundant('twin');
    await cli('volume', 'delete', 'twin', '--force');
  });

  it('are put in the place of their volume, and what it held is kept', async () => {
    const [anchor] = await cast();
    const inside = (...argv: readonly string[]) => mountedAs(anchor, 'today', ...argv);
    const isOver = () =>
      product.until('Volume', 'today', (seen) => {
        const { phase, safetySnapshot } = seen?.status?.restore ?? {};
        return phase === 'Done' ? safetySnapshot : undefined;
      });
    await cli('volume', 'clone', VOLUME, 'today');
    expect((await product.client.get('PersistentVolume', 'today'))?.spec.capacity).toEqual({ storage: GV0.size });
    await product.redundant('today');
    await inside('mkdir', '/mnt/other/early');
    await cli('volume', 'snapshot', 'today', 'early');
    await cli('volume', 'grow', 'today', '+64Mi');
    await inside('mv', '/mnt/other/early', '/mnt/other/late');
    await product.redundant('today');

    await cli('volume', 'restore', 'today', 'early', '--force');
    const late = await isOver();
    expect(await inside('ls', '/mnt/other')).toMatch(/early/);
    expect(await inside('ls', '/mnt/other')).not.toMatch(/late/);
    const blocks = Number(await inside('stat', '--file-system', '--format=%b', '/mnt/other'));
    expect(blocks * 4096).toBeGreaterThan(290 * 1024 ** 2);
    await product.redundant('today');
    await cli('volume', 'restore', 'today', late, '--force');
    expect(await inside('ls', '/mnt/other')).toMatch(/late/);
    expect(await inside('ls', '/mnt/other')).not.toMatch(/early/);
    await cli('volume', 'delete', 'today', '--force');
    for (const { metadata } of (await product.client.list('VolumeSnapshotRecord')).items) {
      await cli('volume', 'snapshot', 'delete', metadata.name, '--force');
    }
    expect(await leftovers()).toBe('');
  });

  it('hold a moment of a volume in coded fragments', async () => {
    const [anchor] = await cast();
    const file = '/mnt/other/file';
    await cli('volume', 'add', '200Mi', 'coded', '--layout', 'dispersed', '--wait');
    await mountedAs(anchor, 'coded', 'dd', 'if=/dev/urandom', `of=${file}`, 'bs=1M', 'count=8', 'conv=fsync');
    const sum = await mountedAs(anchor, 'coded', 'sha256sum', file);
    await product.redundant('coded');
    await cli('volume', 'snapshot', 'coded', 'fragments');
    await mountedAs(anchor, 'coded', 'rm', file);
    await cli('volume', 'clone', 'coded', 'decoded', '--snapshot', 'fragments');
    expect(await mountedAs(anchor, 'decoded', 'sha256sum', file)).toBe(sum);
    for (const volume of ['coded', 'decoded']) await cli('volume', 'delete', volume, '--force');
    await cli('volume', 'snapshot', 'delete', 'fragments', '--force');
    expect(await leftovers()).toBe('');
  });

  it('fail or are whole when a node loses its power, and writers go on', async () => {
    const [anchor, second, third] = await cast();
    const writer = await product.startWriter(second, '/data/power-cut');
    await writer.writeMore(RECORDS);
    await cli('volume', 'snapshot', VOLUME, 'dark', '--no-wait');
    await barrierIsUp('dark');
    await product.lab.powerCut(third);
    await writer.writeMore(RECORDS);
    await product.lab.powerOn(third);
    const status = await snapshot('dark');
    const states = Object.values(status.copies ?? {}).map((copy) => copy.state);
    if (status.phase === 'Ready') expect(states).toEqual(['Taken', 'Taken', 'Taken']);
    await product.redundant(VOLUME);
    expect(await barrierOption(anchor)).toMatch(/disable/);
    await cli('volume', 'snapshot', 'delete', 'dark', '--force');
    expect(await leftovers()).toBe('');
    await product.expectIntact(writer, anchor);
  });
});
