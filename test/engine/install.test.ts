/** The real command line installs a plan over ssh onto bare lab hosts, which have no systemd: no agent, no glusterd. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { composeLab } from '../../src/main/compose-lab.ts';
import type { CommandResult } from '../../src/ports/host.ts';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import type { Lab } from '../../src/usecases/lab/labs.ts';
import { makeSshKeys, prepareSshd } from '../sshd.ts';

const ROOT = join(import.meta.dirname, '../..');
const HOSTS = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
const ANY_CODE = Array.from({ length: 256 }, (_, code) => code);
const TIMEOUT_MS = 150_000;
const SSHD_PORT = 22;
/** Loop devices of all labs are seen in each host, so this one's are told by the path. */
const POOL = `/mnt/pool-${createSystemRandom().uuid().slice(0, 8)}`;

let folder: string;
/** For sockets of ssh, whose paths must be short; the killed installation leaves one. */
let sockets: string;
let planFile: string;
let composed: ReturnType<typeof composeLab>;
let lab: Lab;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-install-'));
  sockets = await mkdtemp(join(tmpdir(), 'hf-'));
  planFile = join(folder, 'plan.yaml');
  composed = composeLab(join(folder, 'labs'), ROOT);
  lab = await composed.labs.up({ name: 'install', hosts: HOSTS, dataDiskBytes: 1024 ** 3 });
  const { machine } = composed;
  const keys = await makeSshKeys(machine, folder);
  const known = HOSTS.map((host) => `${lab.addressOf(host)} ${keys.hostPublicKey}\n`).join('');
  await machine.files.writeText(join(folder, 'known_hosts'), known);
  for (const host of HOSTS) {
    const listen = { address: lab.addressOf(host), port: SSHD_PORT };
    const argv = await prepareSshd(lab.host(host), '/etc/test-sshd', keys, listen, (path) =>
      machine.files.readText(path),
    );
    await lab.startDaemon(host, { name: 'sshd', argv });
  }
  await machine.files.writeText(planFile, planText());
});
afterAll(async () => {
  for (const each of await composed.labs.list()) await composed.labs.down(each.name);
  for (const each of [folder, sockets]) await rm(each, { recursive: true });
});

function planText(): string {
  const nodes = HOSTS.slice(0, 3).map((host, index) =>
    [
      `    - host: ${host} # in rack ${index + 1}`,
      `      ip: ${lab.addressOf(host)}`,
      `      pools: [{ name: default, path: ${POOL}, device: ${LAB_DATA_DISK} }]`,
    ].join('\n'),
  );
  return `# The plan of a test.
storage:
  expected_count: 3 # counted by hand
  nodes:
${nodes.join('\n')}
ssh: { user: root, key: ${join(folder, 'user')}, known_hosts: ${join(folder, 'known_hosts')} }
controller: kube2
volumes:
  - { name: gv0, size: 256Mi, layout: replicated, replicas: 3, allow: [192.0.2.9], mount: { path: /data, nodes: all } }
`;
}

function cli(...args: readonly string[]): Promise<CommandResult> {
  return composed.machine.run({
    file: process.execPath,
    args: [join(ROOT, 'bin/holdfast.mjs'), ...args],
    env: { HOLDFAST_KUBECONFIG: join(folder, 'generated/kubeconfig'), TMPDIR: sockets },
    okCodes: ANY_CODE,
    timeoutMs: TIMEOUT_MS,
  });
}

function on(host: string, file: string, ...args: readonly string[]): Promise<CommandResult> {
  return lab.host(host).run({ file, args, okCodes: ANY_CODE, timeoutMs: TIMEOUT_MS });
}

async function expectDone(result: CommandResult): Promise<CommandResult> {
  const log = result.code === 0 ? '' : (await on('kube2', 'sh', '-c', 'tail -n 5 /var/log/holdfast/*.log')).stdout;
  expect({ code: result.code, stderr: result.code === 0 ? '' : result.stderr, log }).toEqual({
    code: 0,
    stderr: '',
    log: '',
  });
  return result;
}

/** Process IDs of what is kept running on a host, by service. */
async function supervised(host: string): Promise<unknown> {
  return JSON.parse(await lab.host(host).files.readText('/run/holdfast/supervisor.json'));
}

test('a disk that holds data stops everything before anything is changed', async () => {
  // All that mkfs writes lies in there.
  const hash = async () => (await on('kube3', 'sh', '-c', `head -c 64M ${LAB_DATA_DISK} | sha256sum`)).stdout;
  await on('kube3', 'mkfs.ext4', '-q', '-L', 'family-photos', LAB_DATA_DISK);
  const before = await hash();
  const refused = await cli('install', '-f', planFile);
  expect(refused.code).toBe(5);
  expect(refused.stderr).toContain('HF104 node kube3: device /run/disks/vdb holds ext4 labelled "family-photos"');
  expect(await hash()).toBe(before);
  for (const host of HOSTS) expect(await lab.host(host).files.list('/opt/holdfast')).toEqual([]);
  // The person says that it can go, in a way that only a person does.
  await on('kube3', 'wipefs', '--all', LAB_DATA_DISK);
  await on('kube3', 'dd', 'if=/dev/zero', `of=${LAB_DATA_DISK}`, 'bs=256K', 'count=1', 'conv=fsync');
});

test('a rehearsal names every step and changes nothing', async () => {
  const { stdout } = await expectDone(await cli('install', '-f', planFile, '--dry-run', '-o', 'json'));
  const { changes } = JSON.parse(stdout) as { changes: { node: string; step: string }[] };
  for (const host of HOSTS.slice(0, 3)) {
    expect(changes.filter((each) => each.node === host).map((each) => each.step)).toEqual([
      'names',
      'glusterd',
      'program',
      'services',
    ]);
    expect(await lab.host(host).files.list('/opt/holdfast')).toEqual([]);
  }
});

test('an installation that was killed goes on when it is started again, to a volume mounted everywhere', async () => {
  const id = await composed.machine.processes.start({
    file: process.execPath,
    args: [join(ROOT, 'bin/holdfast.mjs'), 'install', '-f', planFile],
    logFile: join(folder, 'killed.log'),
    env: { TMPDIR: sockets },
  });
  // In the middle: the program is being copied onto a machine.
  await expect
    .poll(() => lab.host('kube1').files.list('/opt/holdfast'), { timeout: TIMEOUT_MS, interval: 20 })
    .not.toEqual([]);
  const second = await cli('install', '-f', planFile);
  expect(second, second.stderr).toMatchObject({
    code: 5,
    stderr: expect.stringContaining(' is installing on kube2, since '),
  });
  await composed.machine.processes.stop(id, { graceMs: 0 });
  await expectDone(await cli('install', '-f', planFile));
  // A command that was under way on a machine when its sender was killed ends there by itself, maybe only now.
  await expectDone(await cli('install', '-f', planFile));
  await on('kube1', 'sh', '-c', 'echo hello > /data/greeting && sync /data/greeting');
  for (const host of HOSTS.slice(0, 3)) {
    expect((await on(host, 'findmnt', '--noheadings', '--output', 'FSTYPE', '/data')).stdout.trim()).toBe(
      'fuse.glusterfs',
    );
    expect((await on(host, 'cat', '/data/greeting')).stdout).toBe('hello\n');
    expect(await lab.host(host).files.readText('/etc/fstab')).toMatch(
      new RegExp(`^UUID=\\S+ ${POOL} xfs \\S*nofail\\S* 0 0$`, 'm'),
    );
    expect((await on(host, 'mount', '--fake', '--all')).code).toBe(0);
  }
});

test('a second run changes nothing', async () => {
  const before = await Promise.all(HOSTS.slice(0, 3).map(supervised));
  const { stdout } = await expectDone(await cli('install', 'step', '_storage.yaml', '-f', planFile, '-o', 'json'));
  expect(JSON.parse(stdout)).toMatchObject({ changes: [], isDryRun: false });
  expect(await Promise.all(HOSTS.slice(0, 3).map(supervised))).toEqual(before);
});

test('a service that is killed comes back, and so does a supervisor with the services it left', async () => {
  const { services } = (await supervised('kube1')) as { services: Record<string, { pid: number }> };
  await on('kube1', 'kill', '-KILL', String(services['agent']?.pid));
  await expect
    .poll(async () => JSON.stringify(await supervised('kube1')), { timeout: TIMEOUT_MS })
    .not.toContain(`{"pid":${services['agent']?.pid},`);
  const left = (await supervised('kube1')) as { supervisor: { pid: number }; services: unknown };
  await on('kube1', 'kill', '-KILL', String(left.supervisor.pid));
  await expectDone(await cli('install', '-f', planFile));
  expect((await supervised('kube1')) as object).not.toMatchObject({ supervisor: left.supervisor });
  expect((await on('kube1', 'pgrep', '--exact', 'glusterd')).stdout.trim().split('\n')).toHaveLength(1);
});

test('a node is added to the plan, its comments kept, and to every allow list', async () => {
  const pool = `default=${POOL},${LAB_DATA_DISK}`;
  await expectDone(await cli('install', 'add-node', 'kube4', lab.addressOf('kube4'), '--pool', pool, '-f', planFile));
  const text = await composed.machine.files.readText(planFile);
  for (const kept of ['# The plan of a test.', 'expected_count: 4 # counted by hand', '# in rack 3'])
    expect(text).toContain(kept);
  expect((await on('kube4', 'cat', '/data/greeting')).stdout).toBe('hello\n');
  const allowed = async () => (await on('kube1', 'gluster', 'volume', 'get', 'gv0', 'auth.allow')).stdout;
  await expect.poll(allowed, { timeout: TIMEOUT_MS }).toContain(lab.addressOf('kube4'));
  expect(await allowed()).toContain('192.0.2.9');
  for (const host of HOSTS)
    expect(await lab.host(host).files.readText('/etc/hosts')).toContain(`${lab.addressOf('kube4')} kube4`);
});

test('an uninstallation says what would be lost, and refuses while a volume is there that was not named', async () => {
  const { stdout } = await expectDone(await cli('uninstall', '--plan', '-f', planFile, '-o', 'json'));
  expect(JSON.parse(stdout)).toMatchObject({ nodes: [...HOSTS], volumes: [{ name: 'gv0', mountedOn: [...HOSTS] }] });
  const refused = await cli('uninstall', '--yes', '-f', planFile);
  expect(refused).toMatchObject({ code: 5 });
  expect(refused.stderr).toContain('there is 1 volume: gv0; nothing was changed');
  expect((await on('kube1', 'cat', '/data/greeting')).stdout).toBe('hello\n');
});

test('Holdfast goes, and the data and its mounts stay', async () => {
  await expectDone(await cli('uninstall', '--yes', '--abandon', 'gv0', '-f', planFile));
  for (const host of HOSTS) {
    const { files } = lab.host(host);
    expect((await on(host, 'cat', '/data/greeting')).stdout).toBe('hello\n');
    expect(await files.list('/opt/holdfast')).toEqual([]);
    expect(await files.readText('/etc/hosts')).not.toContain('holdfast');
    expect((await on(host, 'pgrep', '-f', '^/opt/holdfast')).stdout).toBe('');
    expect((await on(host, 'gluster', 'volume', 'list')).stdout).toBe('gv0\n');
  }
});
