/** What `install` refuses before it reaches any machine, by both names of the program. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPlanReader } from '../../src/adapters/plan-file/plan-reader.ts';
import { composeInstall } from '../../src/main/compose-install.ts';
import { createFakeClock } from '../../src/ports/clock.fake.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import { createInstallCommand } from '../../src/shells/cli/commands/install.ts';
import type { CliContext } from '../../src/shells/cli/context.ts';
import { runKismatic } from '../../src/shells/cli/kismatic/program.ts';
import { runCli } from '../../src/shells/cli/program.ts';

/** Addresses that belong to nobody (RFC 5737): whoever tried to reach them would wait in vain. */
const PLAN = `storage: { expected_count: 1, nodes: [{ host: kube1, ip: 192.0.2.1 }] }\n`;
let folder: string;
let plan: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-install-'));
  plan = join(folder, 'plan.yaml');
  await writeFile(plan, PLAN);
});
afterEach(() => rm(folder, { recursive: true }));

async function run(program: 'holdfast' | 'kismatic', ...args: readonly string[]) {
  let stderr = '';

  async function* noInput(): AsyncGenerator<string> {}
  const context: CliContext = {
    stdin: noInput(),
    stdout: { write: () => undefined },
    stderr: { write: (text) => (stderr += text) },
    env: {},
    signal: AbortSignal.timeout(10_000),
    clock: createFakeClock(),
    random: createSeededRandom(1),
    version: '1.2.3',
    connect: async () => {
      throw new Error('nothing here speaks to a cluster');
    },
    plans: createPlanReader({ stdin: noInput() }),
  };
  const entry = { name: 'install', summary: '', load: async () => createInstallCommand(composeInstall) };
  const code =
    program === 'kismatic' ? await runKismatic(args, context, composeInstall) : await runCli(args, context, [entry]);
  return { code, stderr, plan: await readFile(plan, 'utf8') };
}

test('a step that there is not', async () => {
  expect(await run('holdfast', 'install', 'step', 'docker', '-f', plan)).toMatchObject({ code: 4 });
  const { code, stderr } = await run('kismatic', 'install', 'step', '_docker.yaml', '-f', plan);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'there is no step _docker.yaml\nhint: the one step is storage: holdfast install step storage\n',
  });
});

test('a node that is in the plan with another address', async () => {
  for (const program of ['holdfast', 'kismatic'] as const) {
    const seen = await run(program, 'install', 'add-node', 'kube1', '192.0.2.9', '-f', plan);
    expect(seen).toMatchObject({ code: program === 'kismatic' ? 1 : 5, plan: PLAN });
    expect(seen.stderr).toContain('the plan has kube1 already, with the address 192.0.2.1');
  }
});

test('a node that would make the plan wrong is not written into it', async () => {
  const seen = await run('holdfast', 'install', 'add-node', 'kube2', '192.0.2.1', '-f', plan);
  expect(seen).toMatchObject({ code: 2, plan: PLAN });
  expect(seen.stderr).toContain('Node #2 has the same IP "192.0.2.1" as node #1');
  expect(await run('holdfast', 'install', 'add-node', 'a b', '192.0.2.2', '-f', plan)).toMatchObject({
    code: 2,
    plan: PLAN,
  });
});

test('roles without storage, a pool without a path, and a plan without machines', async () => {
  const add = ['install', 'add-node', 'kube2', '192.0.2.2', '-f', plan] as const;
  expect(await run('kismatic', ...add, '--roles', 'worker,ingress')).toMatchObject({ code: 1, plan: PLAN });
  expect(await run('holdfast', ...add, '--pool', 'default')).toMatchObject({ code: 2, plan: PLAN });
  await writeFile(plan, '{}\n');
  expect(await run('holdfast', 'install', '-f', plan)).toMatchObject({ code: 2 });
});

test('a plan that somebody else changes meanwhile is not overwritten', async () => {
  const deps = await composeInstall({ assetsFolder: folder, env: {} });
  try {
    const added = await deps.addNode(plan, { host: 'kube2', ip: '192.0.2.2' });
    await writeFile(plan, `${PLAN}# mine\n`);
    await expect(added.write()).rejects.toMatchObject({ kind: 'conflict', reason: 'PlanChanged' });
    expect(await readFile(plan, 'utf8')).toBe(`${PLAN}# mine\n`);
  } finally {
    await deps.close();
  }
});
