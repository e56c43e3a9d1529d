/** `holdfast doctor` against faults that are really there: each found by its number, fixed where that is safe, and silence about a healthy lab. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/domain/doctor/finding.ts';
import { GLUSTERD_ARGV } from '../../src/engines/gluster/daemon.ts';
import { GV0, NODES, PATIENCE_MS, type Product, startProduct } from './product-fixture.ts';

interface Report {
  readonly summary: Readonly<Record<Finding['status'], number>>;
  readonly findings: readonly Finding[];
  readonly repairs: readonly { readonly node: string; readonly isDone: boolean; readonly message: string }[];
}

const GLUSTERD_INFO = '/var/lib/glusterd/glusterd.info';
const OLD_OP_VERSION = '90000';

describe('doctor', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'doctor', hosts: NODES });
    await Promise.all(NODES.map(startOldGlusterd));
    await product.apply([GV0]);
    await product.mounted(GV0.name, NODES);
    await product.redundant(GV0.name);
  });
  afterAll(() => product?.remove());

  const doctor = async (...args: readonly string[]): Promise<{ code: number; report: Report; wrong: Finding[] }> => {
    const { code, stdout, stderr } = await product.cli('doctor', '-o', 'json', ...args);
    if (stdout === '') throw new Error(`doctor printed nothing (exit code ${code}): ${stderr}`);
    const report: Report = JSON.parse(stdout);
    return { code, report, wrong: report.findings.filter(({ status }) => status !== 'ok') };
  };
  /** Asks until nothing is wrong: what is being repaired takes its time. */
  const healthy = () =>
    expect.poll(async () => (await doctor()).wrong, { timeout: PATIENCE_MS, interval: 2_000 }).toEqual([]);
  const found = (wrong: readonly Finding[], id: string) => wrong.filter((finding) => finding.id === id);

  it('finds an op-version that nobody has raised, and raises it', async () => {
    const raised = { id: 'HF008', status: 'warning', subject: 'cluster', isFixable: true };
    await expect
      .poll(async () => (await doctor()).wrong, { timeout: PATIENCE_MS, interval: 2_000 })
      .toEqual([expect.objectContaining(raised)]);
    const { report } = await doctor('--fix', '--yes');
    expect(report.repairs).toEqual([expect.objectContaining({ isDone: true })]);
    expect(await product.run('kube3', 'grep', 'operating-version', GLUSTERD_INFO)).not.toContain(OLD_OP_VERSION);
  });

  it('finds nothing wrong in a healthy lab, and says so with exit code 0', async () => {
    await healthy();
    const { code, report } = await doctor();
    expect(code).toBe(0);
    expect(report.summary).toMatchObject({ warning: 0, failed: 0, unknown: 0 });
    const text = await product.cli('doctor');
    expect(text).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('looked at kube1, kube2, kube3: nothing is wrong'),
    });
    // Questions go with their answers; what was done stays to be read.
    const { items } = await product.client.list('Task');
    expect(items.map(({ spec }) => spec.action)).toEqual(['repairNode']);
  });

  it('tells faults of many kinds apart, and fixes only what loses nothing', async () => {
    const { pool } = product;
    const orphan = `${pool}/.holdfast/copies/00000000-0000-4000-8000-000000000000`;
    const volumeId = ['setfattr', '-n', 'trusted.glusterfs.volume-id', '-v', '0x00112233445566778899aabbccddeeff'];
    await product.run('kube1', 'mkdir', orphan);
    await product.run('kube1', 'mkdir', `${pool}/empty`, `${pool}/kept`);
    await product.run('kube1', 'touch', `${pool}/kept/file`);
    await product.run('kube1', ...volumeId, `${pool}/empty`);
    await product.run('kube1', ...volumeId, `${pool}/kept`);
    await product.run('kube2', 'mkdir', '/mnt/hand');
    await product.run('kube2', 'mount', '-t', 'glusterfs', 'kube2:/gv0', '/mnt/hand');
    await product.run('kube2', 'kill', '-KILL', await clientOf('kube2', '/mnt/hand'));
    const free = await product.run('kube3', 'df', '--output=avail', '--block-size=1M', pool);
    await product.run('kube3', 'fallocate', '-l', `${Number(free.split('\n')[1]) - 30}M`, `${pool}/filler`);

    const keys = ({ wrong }: { readonly wrong: readonly Finding[] }) =>
      wrong.map(({ id, status, subject, isFixable }) => [id, status, subject, isFixable]);
    const dead = ['HF015', 'failed', 'mount /mnt/hand on node kube2', true];
    const full = ['HF018', 'failed', 'pool default on node kube3', false];
    const forgotten = ['HF019', 'warning', `${orphan} on node kube1`, false];
    const kept = ['HF020', 'warning', `${pool}/kept on node kube1`, false];
    const empty = ['HF020', 'warning', `${pool}/empty on node kube1`, true];
    // The free room of a pool is reported every 15 s.
    await expect
      .poll(async () => keys(await doctor()), { timeout: PATIENCE_MS, interval: 2_000 })
      .toEqual([dead, full, forgotten, empty, kept]);

    const { code, report, wrong } = await doctor('--fix', '--yes');
    expect(code).toBe(1);
    expect(report.repairs.map(({ node, isDone }) => `${node} ${isDone}`).toSorted()).toEqual([
      'kube1 true',
      'kube2 true',
    ]);
    expect(keys({ wrong })).toEqual([full, forgotten, kept]);
    expect((await product.attempt('kube2', 'mountpoint', '/mnt/hand')).code).not.toBe(0);
    expect(await product.run('kube1', 'ls', `${pool}/kept`)).toBe('file\n');
    expect(await product.run('kube1', 'getfattr', '-d', '-m', 'trusted', `${pool}/empty`)).toBe('');
    await product.run('kube1', 'rm', '-r', orphan, `${pool}/kept`, `${pool}/empty`);
    await product.run('kube3', 'rm', `${pool}/filler`);
  });

  it('finds a mount that hangs, and leaves it alone', async () => {
    const client = await clientOf('kube2', '/data');
    await product.run('kube2', 'kill', '-STOP', client);
    try {
      const { code, wrong } = await doctor();
      expect(code).toBe(1);
      const hung = { status: 'failed', subject: 'mount /data on node kube2', isFixable: false };
      expect(found(wrong, 'HF015')).toEqual([expect.objectContaining(hung)]);
    } finally {
      await product.run('kube2', 'kill', '-CONT', client);
    }
    await healthy();
  });

  it('finds glusterd that is down', async () => {
    await stopGlusterd('kube3');
    const { code, wrong } = await doctor('--node', 'kube3');
    expect(code).toBe(1);
    expect(found(wrong, 'HF003')).toEqual([expect.objectContaining({ status: 'failed', subject: 'node kube3' })]);
    await product.run('kube3', ...GLUSTERD_ARGV);
    await healthy();
  });

  it('says of a node whose cable is cut that it is away, and claims nothing about what is on it', async () => {
    await product.lab.unplug('kube3');
    await product.until('StorageNode', 'kube3', (seen) =>
      seen?.status?.conditions?.some(({ reason }) => reason === 'HeartbeatLost') ? true : undefined,
    );
    // The engines of the others take up to their ping-timeout to count it out, and cannot tell everything until then.
    await expect
      .poll(async () => found((await doctor()).wrong, 'HF002'), { timeout: PATIENCE_MS, interval: 2_000 })
      .toEqual([expect.objectContaining({ status: 'unknown', subject: 'node kube3' })]);
    const { code, wrong } = await doctor();
    expect(code).toBe(1);
    expect(found(wrong, 'HF001')).toEqual([expect.objectContaining({ status: 'failed', subject: 'node kube3' })]);
    expect(wrong.filter(({ id, subject }) => id !== 'HF001' && subject === 'node kube3')).toEqual(
      found(wrong, 'HF002'),
    );
    await product.lab.plug('kube3');
    await healthy();
  });

  it('finds a disk that is dead', async () => {
    await product.run('kube2', 'xfs_io', '-x', '-c', 'shutdown', product.pool);
    const { code, wrong } = await doctor();
    expect(code).toBe(1);
    const dead = { status: 'failed', subject: 'volume gv0 on node kube2', isFixable: false };
    expect(found(wrong, 'HF013')).toEqual([expect.objectContaining(dead)]);
  });

  /** The process behind a mount. */
  async function clientOf(host: string, path: string): Promise<string> {
    const clients = await product.run(host, 'pgrep', '--list-full', '--exact', 'glusterfs');
    const line = clients.split('\n').find((each) => each.includes('--process-name fuse') && each.endsWith(` ${path}`));
    if (line === undefined) throw new Error(`nobody serves ${path} on ${host}:\n${clients}`);
    return line.split(' ')[0] ?? '';
  }

  /** As after an upgrade of the packages: glusterd is new, and works by the op-version of the old one. */
  async function startOldGlusterd(host: string): Promise<void> {
    // It gives itself an identity, and the file with it, only when somebody asks.
    await product.run(host, 'gluster', '--mode=script', 'system::', 'uuid', 'get');
    await stopGlusterd(host);
    const { files } = product.lab.host(host);
    const info = await files.readText(GLUSTERD_INFO);
    await files.writeText(
      GLUSTERD_INFO,
      info.replace(/^operating-version=.*$/m, `operating-version=${OLD_OP_VERSION}`),
    );
    await product.run(host, ...GLUSTERD_ARGV);
  }

  async function stopGlusterd(host: string): Promise<void> {
    await product.run(host, 'kill', '-KILL', (await product.run(host, 'pgrep', '--exact', 'glusterd')).trim());
  }
});
