/** `holdfast doctor` as its users meet it, over a cluster in memory whose agents run the real code of their Tasks. */
import { describe, expect, test } from 'vitest';
import { checkNode } from '../../src/controllers/agent/tasks/check-node.ts';
import { repairNode } from '../../src/controllers/agent/tasks/repair-node.ts';
import type { TaskContext } from '../../src/controllers/agent/tasks/task-runner.ts';
import type { Finding } from '../../src/domain/doctor/finding.ts';
import type { Repair } from '../../src/domain/doctor/repair.ts';
import { AppError } from '../../src/domain/errors.ts';
import { createFakeClock } from '../../src/ports/clock.fake.ts';
import { createFakeEngineDoctor, createFakeNodeSenses, healthyEngineFacts } from '../../src/ports/node-doctor.fake.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { Resource } from '../../src/ports/resource-client.ts';
import type { EngineFacts } from '../../src/schemas/node-facts.ts';
import type { PlanFile } from '../../src/schemas/plan-file.ts';
import { createDoctorCommand } from '../../src/shells/cli/commands/doctor.ts';
import type { ComposeInstall } from '../../src/shells/cli/commands/install-context.ts';
import type { CliContext } from '../../src/shells/cli/context.ts';
import { runCli } from '../../src/shells/cli/program.ts';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';

const VERSION = '1.2.3';
const NODES = ['kube1', 'kube2', 'kube3'];

interface Machines {
  readonly cluster: FakeCluster;
  /** What is wrong with the engine of a node. */
  readonly faults: Map<string, Partial<EngineFacts>>;
  readonly repairs: { readonly node: string; readonly repair: Repair }[];
  stop(): void;
}

/** Nodes whose agents answer; `repair` says what a repair changes. */
async function startMachines(repair: (machines: Machines, node: string) => void = () => undefined): Promise<Machines> {
  const cluster = await createFakeCluster([]);
  for (const node of NODES) await cluster.addNode(node, { agentVersion: VERSION });
  await cluster.client.create('StorageCluster', { metadata: { name: 'default' }, spec: { nodes: NODES } });
  const stopped = new AbortController();
  const machines: Machines = { cluster, faults: new Map(), repairs: [], stop: () => stopped.abort() };
  const done = answerTasks(machines, repair, stopped.signal);
  return { ...machines, stop: () => (stopped.abort(), void done) };
}

async function answerTasks(
  machines: Machines,
  repair: (machines: Machines, node: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { client } = machines.cluster;
  const { resourceVersion } = await client.list('Task');
  for await (const event of client.watch('Task', { resourceVersion, signal })) {
    if (event.type === 'ADDED') void answer(machines, event.object, repair);
  }
}

/** As agent and controller do it: the part of the node, and the sum of the parts. */
async function answer(
  machines: Machines,
  task: Resource<'Task'>,
  repair: (machines: Machines, node: string) => void,
): Promise<void> {
  const { cluster, faults, repairs } = machines;
  const { client, clock } = cluster;
  const node = task.spec.node ?? '';
  const peers = NODES.filter((other) => other !== node).map((other) => {
    return { uuid: `uuid-of-${other}`, names: [other], isConnected: true, isMember: true, stateText: '' };
  });
  const doctor = createFakeEngineDoctor(() =>
    healthyEngineFacts({ id: `uuid-of-${node}`, peers, ...faults.get(node) }),
  );
  const informers = { StorageNode: { get: () => undefined, list: () => [] } };
  const host = {
    name: node,
    run: async () => ({ stdout: 'mkfs.xfs version 6.1.0', stderr: '', code: 0 }),
    files: { readText: async () => 'nodev\tfuse\n\txfs\n', stat: async () => ({ type: 'device' }) },
  };
  const deps = {
    ...{ client, clock, node, doctor, host, informers, agentVersion: VERSION, senses: createFakeNodeSenses() },
  } as unknown as TaskContext['deps'];
  const runner = task.spec.action === 'checkNode' ? checkNode : repairNode;
  const signal = new AbortController().signal;
  const report = async () => undefined;
  const { part } = await runner.run({ deps, task, volume: undefined, part: undefined, isLead: true, signal, report });
  for (const each of doctor.repairs) repairs.push({ node, repair: each });
  if (doctor.repairs.length > 0) repair(machines, node);
  const status = { state: part.state, message: part.message, parts: { [node]: part } };
  await client.patch('Task', task.metadata.name, { status }, { subresource: 'status' });
}

async function holdfast({ cluster }: Pick<Machines, 'cluster'>, stdin: string, ...args: readonly string[]) {
  const written = { stdout: '', stderr: '' };
  const context: CliContext = {
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    env: {},
    signal: new AbortController().signal,
    clock: cluster.clock,
    random: createSeededRandom(7),
    version: VERSION,
    connect: async () => ({ client: cluster.client, close: () => undefined }),
    plans: { read: async () => PLAN },
  };
  const doctor = { name: 'doctor', summary: 'check', load: async () => createDoctorCommand(composeSsh) };
  const code = await runCli(args, context, [doctor]);
  return { code, ...written };
}

const PLAN: PlanFile = {
  storage: {
    nodes: [
      { host: 'kube1', ip: '10.0.0.1' },
      { host: 'kube2', ip: '10.0.0.2' },
    ],
  },
};

/** A machine that answers, as one where nothing can be read; and one that is off. */
const composeSsh = (async () => ({
  clock: createFakeClock(),
  reach: ({ name }: { readonly name: string }) => ({
    name,
    open: async () => {
      if (name === 'kube2') throw new AppError('unavailable', 'no route to kube2', { hint: 'switch it on' });
    },
    run: async () => Promise.reject(new Error('the disk of kube1 is broken')),
    files: {
      readText: async () => Promise.reject(new Error('the disk of kube1 is broken')),
      usage: async () => ({ capacityBytes: 9e9, freeBytes: 9e9 }),
    },
    close: async () => undefined,
  }),
  close: async () => undefined,
})) as unknown as ComposeInstall;

const DEAD: Partial<EngineFacts> = {
  mounts: [{ path: '/data', source: 'kube1:/gv0', state: 'dead', message: 'gone' }],
};

describe('doctor', () => {
  test('says that nothing is wrong, leaves no question behind, and exits with 0', async () => {
    const machines = await startMachines();
    expect(await holdfast(machines, '', 'doctor')).toEqual({
      code: 0,
      stderr: '',
      stdout: '25 checks, looked at kube1, kube2, kube3: nothing is wrong\n',
    });
    expect((await machines.cluster.client.list('Task')).items).toEqual([]);
    const wide = await holdfast(machines, '', 'doctor', '-o', 'wide');
    expect(wide.stdout).toContain('HF001 ok: Nodes are heard: cluster: nothing is wrong\n');
    machines.stop();
  });

  test('shows what was seen, what it means and what to do, and exits with 1', async () => {
    const machines = await startMachines();
    machines.faults.set('kube2', DEAD);
    expect(await holdfast(machines, '', 'doctor')).toEqual({
      code: 1,
      stderr: '',
      stdout:
        'HF015 failed: Mounts answer: mount /data on node kube2\n' +
        '  Seen:   kube1:/gv0: gone\n' +
        '  Means:  every access to it fails and will never work again: the process behind it is gone\n' +
        '  Do:     on kube2: umount -l /data\n' +
        '  Read:   docs/reference/checks.md#hf015\n' +
        '\n' +
        '25 checks, looked at kube1, kube2, kube3: 1 failed; 1 can be fixed by: holdfast doctor --fix\n',
    });
    const json = await holdfast(machines, '', 'doctor', '-o', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      summary: { failed: 1, warning: 0, unknown: 0 },
      nodes: { kube1: { kernel: { hasXfs: true } }, kube2: {}, kube3: {} },
    });
    const names = await holdfast(machines, '', 'doctor', '-o', 'name');
    expect(names.stdout).toBe('HF015 mount /data on node kube2\n');
    machines.stop();
  });

  test('looks at one node only when told to', async () => {
    const machines = await startMachines();
    machines.faults.set('kube2', DEAD);
    const other = await holdfast(machines, '', 'doctor', '--node', 'kube1');
    expect(other).toMatchObject({ code: 0, stdout: '25 checks, looked at kube1: nothing is wrong\n' });
    expect(await holdfast(machines, '', 'doctor', '--node', 'kube2')).toMatchObject({ code: 1 });
    const unknown = await holdfast(machines, '', 'doctor', '--node', 'kube22');
    expect(unknown).toMatchObject({ code: 4, stderr: expect.stringContaining('did you mean kube2?') });
    machines.stop();
  });

  test('--fix shows, asks, has the agent do it, and looks again', async () => {
    const machines = await startMachines(({ faults }, node) => void faults.delete(node));
    machines.faults.set('kube2', DEAD);
    const refused = await holdfast(machines, 'n\n', 'doctor', '--fix');
    expect(refused.code).toBe(130);
    expect(refused.stderr).toContain('HF015 mount /data on node kube2: on kube2, detach the dead mount at /data\n');
    expect(machines.repairs).toEqual([]);
    const fixed = await holdfast(machines, '', 'doctor', '--fix', '--yes');
    expect(machines.repairs).toEqual([{ node: 'kube2', repair: { repair: 'detachMount', path: '/data' } }]);
    expect(fixed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing is wrong'),
      stderr: expect.stringContaining('kube2: done: detach the dead mount at /data'),
    });
    machines.stop();
  });

  test('--fix does only what the agent finds itself at that moment', async () => {
    const machines = await startMachines();
    machines.faults.set('kube2', DEAD);
    const { client } = machines.cluster;
    const spec = { action: 'repairNode', node: 'kube2', findings: ['HF015 mount /other on node kube2'] };
    await client.create('Task', { metadata: { name: 'forged' }, spec });
    await expect.poll(async () => (await client.get('Task', 'forged'))?.status?.message).toContain('nothing of it');
    expect(machines.repairs).toEqual([]);
    machines.stop();
  });

  test('a node that is away is failed and unknown, with the reason, and nobody waits for it', async () => {
    const machines = await startMachines();
    const conditions = [
      {
        type: 'Ready',
        status: 'Unknown',
        reason: 'HeartbeatLost',
        message: 'no heartbeat for 9 s',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ];
    await machines.cluster.client.patch('StorageNode', 'kube3', { status: { conditions } }, { subresource: 'status' });
    const run = await holdfast(machines, '', 'doctor');
    expect(run.code).toBe(1);
    expect(run.stdout).toContain('HF001 failed: Nodes are heard: node kube3\n');
    expect(run.stdout).toContain(
      'HF002 unknown: Nodes can be examined: node kube3\n  Seen:   its agent is not heard: no heartbeat for 9 s\n',
    );
    machines.stop();
  });

  test('--plan looks at machines over ssh; what cannot be reached or read is a finding', async () => {
    const cluster = await createFakeCluster();
    const run = await holdfast({ cluster }, '', 'doctor', '--plan', 'plan.yaml', '-o', 'json');
    expect(run.code).toBe(1);
    const { findings } = JSON.parse(run.stdout);
    const of = (id: string) => findings.filter((finding: Finding) => finding.id === id);
    expect(of('HF100')).toMatchObject([
      { status: 'ok', subject: 'node kube1' },
      { status: 'failed', subject: 'node kube2', evidence: 'no route to kube2', fix: 'switch it on' },
    ]);
    expect(of('HF101')).toMatchObject([{ status: 'failed', evidence: 'the disk of kube1 is broken' }]);
    expect(of('HF103')).toMatchObject([{ status: 'ok', subject: 'node kube1' }]);
    const both = await holdfast({ cluster }, '', 'doctor', '--plan', 'plan.yaml', '--fix');
    expect(both).toMatchObject({ code: 2, stdout: '' });
  });
});
