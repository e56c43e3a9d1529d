/** CSI in a real lab: the volume of a claim comes to a host with a command and goes with it, whoever is killed. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { METRICS_PORTS } from '../../src/usecases/lab/bring-up-holdfast.ts';
import { findPromtool } from '../../tools/monitoring/promtool.ts';
import { NODES, PATIENCE_MS, type Product, residue, startProduct, untilUsable } from './product-fixture.ts';

const PROGRAM = join(import.meta.dirname, 'lab-run-process.ts');

let product: Product;
beforeAll(async () => {
  product = await startProduct({ name: 'csi', hasCsi: true });
  await product.apply([]);
  for (const node of NODES) {
    await untilUsable(product, node);
  }
});
afterAll(() => product?.remove());

const command = (...words: readonly string[]) => ({
  file: process.execPath,
  args: [PROGRAM, join(product.folder, 'labs'), 'lab', 'run', '--name', 'csi', ...words],
});
const run = (...words: readonly string[]) =>
  product.composed.machine.run({
    ...command(...words),
    okCodes: Array.from({ length: 256 }, (_, code) => code),
    timeoutMs: PATIENCE_MS,
  });
const claim = ['--claim', 'data:150Mi:replicas=2,allowSplitBrain=true'];
const volumes = async () => (await product.client.list('Volume')).items.map((volume) => volume.metadata.name);
const mounts = async () => {
  const tables = await Promise.all(NODES.map((node) => product.lab.host(node).mounts.list()));
  return tables.flat().filter(({ target }) => target.startsWith('/var/lib/kubelet'));
};

test('what a run keeps, a later one finds on another host, and its exit code is that of the command', async () => {
  const first = await run(
    ...claim,
    '--host',
    'kube1',
    '--keep-volume',
    '--',
    'sh',
    '-c',
    'echo hello > greeting; exit 7',
  );
  expect(first, first.stderr).toMatchObject({ code: 7 });
  const second = await run(...claim, '--host', 'kube2', '--', 'sh', '-c', 'cat "$HOLDFAST_VOLUME_PATH/greeting"');
  expect(second, second.stderr).toMatchObject({ code: 0, stdout: 'hello\n' });
  expect(await mounts()).toEqual([]);
  expect((await product.client.list('VolumeAttachmentRecord')).items).toEqual([]);
  const [name = ''] = await volumes();
  await product.cli('volume', 'delete', name, '--force');
  expect(await residue(product)).toEqual([]);
});

test('a run that is told to end ends its command and leaves nothing; what a killed one left, the next takes away', async () => {
  const { processes } = product.composed.machine;
  const logFile = join(product.folder, 'run.log');
  const isMounted = () => expect.poll(mounts, { timeout: PATIENCE_MS }).toHaveLength(2);
  const sleeps = () => product.attempt('kube1', 'pgrep', '-f', '^sleep 12345$');

  const told = await processes.start({ ...command(...claim, '--host', 'kube1', '--', 'sleep', '12345'), logFile });
  await isMounted();
  await expect.poll(sleeps, { timeout: PATIENCE_MS }).toMatchObject({ code: 0 });
  await processes.stop(told, { graceMs: PATIENCE_MS });
  expect(await sleeps()).toMatchObject({ code: 1 });
  expect(await mounts()).toEqual([]);
  expect(await residue(product)).toEqual([]);

  const killed = await processes.start({ ...command(...claim, '--host', 'kube1', '--', 'sleep', '12345'), logFile });
  await isMounted();
  await expect.poll(sleeps, { timeout: PATIENCE_MS }).toMatchObject({ code: 0 });
  await processes.stop(killed, { graceMs: 0 });
  const next = await run('--claim', 'other:150Mi:replicas=1', '--host', 'kube2', '--', 'true');
  expect(next, next.stderr).toMatchObject({ code: 0 });
  expect(next.stderr).toContain('taking away what a run of claim data on kube1 has left');
  expect(await sleeps()).toMatchObject({ code: 1 });
  expect(await mounts()).toEqual([]);
  expect(await volumes()).toEqual([]);
  expect(await residue(product)).toEqual([]);
});

/** Both programs have worked by now: calls, mounts, volumes that came and went. */
test('Prometheus would take what controller and agents tell, and finds the nodes and their work in it', async ({
  skip,
}) => {
  const { lab, composed } = product;
  const scrape = async (host: string, port: number): Promise<string> => {
    const answer = await fetch(`http://${host}:${port}/metrics`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    expect(answer.status).toBe(200);
    return answer.text();
  };
  const controller = await scrape(lab.gateway, METRICS_PORTS.controller);
  const agent = await scrape(lab.addressOf('kube1'), METRICS_PORTS.agent);
  for (const line of [
    'holdfast_leader 1',
    ...NODES.map((node) => `holdfast_node_ready{node="${node}"} 1`),
    ...NODES.map((node) => `holdfast_pool_ready{node="${node}",pool="default"} 1`),
  ]) {
    expect(controller.split('\n')).toContain(line);
  }
  expect(controller).toMatch(/^holdfast_csi_call_duration_seconds_count\{method="CreateVolume",code="OK"\} \d+$/m);
  expect(controller).toMatch(/^holdfast_reconcile_duration_seconds_count\{controller="volume",result="ok"\} \d+$/m);
  expect(agent).toMatch(/^holdfast_csi_call_duration_seconds_count\{method="NodePublishVolume",code="OK"\} \d+$/m);
  expect(agent).toMatch(/^holdfast_engine_steps_total\{engine="gluster",step="mountVolume",result="ok"\} \d+$/m);
  expect(agent).toMatch(/^holdfast_command_duration_seconds_count\{program="gluster",result="ok"\} \d+$/m);
  expect(agent).toMatch(
    /^holdfast_certificate_expiry_timestamp_seconds\{certificate="the agent's client certificate"\} /m,
  );
  expect(agent).toContain('\nholdfast_dead_mounts{engine="gluster"} 0\n');
  const promtool = await findPromtool(skip);
  for (const text of [controller, agent]) {
    const check = {
      file: promtool,
      args: ['check', 'metrics'],
      stdin: text,
      okCodes: [0, 1, 3],
      timeoutMs: PATIENCE_MS,
    };
    expect(await composed.machine.run(check)).toEqual({ code: 0, stdout: '', stderr: '' });
  }
});
