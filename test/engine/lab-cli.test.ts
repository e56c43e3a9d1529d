/** `holdfast lab` on real hosts, as a person types it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApt } from '../../src/adapters/packages/apt.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { type ComposedLab, composeLab } from '../../src/main/compose-lab.ts';
import { composeLabRun } from '../../src/main/compose-lab-run.ts';
import type { CommandEntry } from '../../src/shells/cli/command-entry.ts';
import { createLabCommand } from '../../src/shells/cli/commands/lab.ts';
import type { CliContext } from '../../src/shells/cli/context.ts';
import { runCli } from '../../src/shells/cli/program.ts';

let folder: string;
let composed: ComposedLab;
let entries: readonly CommandEntry[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-lab-cli-'));
  composed = composeLab(join(folder, 'labs'));
  const { machine } = composed;
  const packages = createApt({ host: machine, processes: machine.processes, userId: process.getuid?.() ?? -1 });
  const composeRun = async () => composeLabRun(composed.controllerFolder, join(folder, 'labs'));
  const command = createLabCommand({ ...composed, packages, composeRun });
  entries = [{ name: 'lab', summary: 'Hosts on this machine', load: async () => command }];
});
afterAll(async () => {
  for (const { name } of await composed.labs.list()) await composed.labs.down(name);
  await rm(folder, { recursive: true });
});

async function holdfast(line: string, answer = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const context: CliContext = {
    stdin: (async function* () {
      yield answer;
    })(),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: {},
    signal: new AbortController().signal,
    clock: createSystemClock(),
    random: createSystemRandom(),
    version: '0.0.0',
    connect: () => Promise.reject(new Error('the lab needs no cluster')),
    plans: { read: () => Promise.reject(new Error('the lab needs no plan')) },
  };
  const code = await runCli(line.split(' '), context, entries);
  return { code, stdout, stderr };
}

test('without a lab each verb says how to make one', async () => {
  expect(await holdfast('lab status')).toMatchObject({ code: 0, stdout: '' });
  const { code, stderr } = await holdfast('lab power off kube1');
  expect(code).toBe(4);
  expect(stderr).toContain('holdfast lab up');
});

test('bad arguments make no lab', async () => {
  expect((await holdfast('lab up --hosts a,,b')).code).toBe(2);
  expect((await holdfast('lab up --bare --hosts 0')).code).toBe(2);
  expect((await holdfast('lab up --bare --name ../x')).code).toBe(2);
  expect((await holdfast('lab status -o json')).stdout).toBe('{\n  "items": []\n}\n');
});

test('a lab is made, shown, used, broken, repaired and removed', async () => {
  const up = await holdfast('lab up --bare --hosts one,two');
  expect(up).toMatchObject({ code: 0, stderr: '' });
  expect((await holdfast('lab up --bare')).code).toBe(5);

  const seen = JSON.parse((await holdfast('lab status -o json')).stdout);
  expect(seen.items).toMatchObject([
    { name: 'lab', state: 'running', isKept: true, hosts: [{ name: 'one', isOn: true }, {}] },
  ]);
  expect((await holdfast('lab status -o name')).stdout).toBe('lab/lab\n');

  expect((await holdfast('lab exec one -- test -e /run/disks/vdb')).code).toBe(0);
  expect((await holdfast('lab exec one -- mkdir /etc/mark')).code).toBe(0);
  expect((await holdfast('lab exec one -- test -e /nothing')).code).toBe(1);
  expect((await holdfast('lab exec nobody true')).code).toBe(4);

  expect((await holdfast('lab power off one')).stdout).toMatch(/one .* off /);
  expect((await holdfast('lab exec one true')).code).toBe(7);
  expect((await holdfast('lab status')).stdout).toMatch(/one .* off .*\n.*two .* on /);
  await holdfast('lab power on one');
  expect((await holdfast('lab unplug two')).stdout).toMatch(/two .* unplugged/);
  expect((await holdfast('lab plug two')).stdout).toMatch(/two .* plugged/);
  expect((await holdfast('lab power cut two')).stdout).toMatch(/two .* off /);

  const refused = await holdfast('lab reinstall one', 'n\n');
  expect(refused.code).toBe(130);
  expect(refused.stderr).toContain('Everything on its two disks is lost');
  expect((await holdfast('lab exec one -- test -e /etc/mark')).code).toBe(0);
  expect((await holdfast('lab reinstall one --yes')).code).toBe(0);
  expect((await holdfast('lab exec one -- test -e /etc/mark')).code).toBe(1);

  expect((await holdfast('lab down')).code).toBe(0);
  expect((await holdfast('lab status -o json')).stdout).toBe('{\n  "items": []\n}\n');
});
