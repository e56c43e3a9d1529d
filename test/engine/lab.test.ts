/** The lab on this machine's kernel: power, cables, disks, and that nothing of it is left behind. */
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CrashError, createInjector } from '../../src/adapters/host/inject.ts';
import { LAB_DATA_DISK, LAB_NODE } from '../../src/ports/lab.ts';
import type { LabRecord } from '../../src/schemas/lab-record.ts';
import type { Lab } from '../../src/usecases/lab/labs.ts';
import { createTestLabs, labsIn, type TestLabs } from './lab-fixture.ts';

const TIMEOUT_MS = 20_000;
const installation = { packageFolder: import.meta.dirname, node: process.execPath };
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const PORT = 7000;

let made: TestLabs;
beforeAll(async () => {
  made = await createTestLabs();
});
afterAll(() => made.remove());

const run = (lab: Lab, host: string, file: string, ...args: string[]) =>
  lab.host(host).run({ file, args, timeoutMs: TIMEOUT_MS });

/** What this machine shows of a lab, seen without any of the code that removes it. */
async function tracesOf(record: LabRecord): Promise<string[]> {
  const { machine, labsFolder } = made;
  const traces: string[] = [];
  const loops = await machine.run({
    file: 'losetup',
    args: ['--list', '--output', 'BACK-FILE'],
    timeoutMs: TIMEOUT_MS,
  });
  const folder = `${labsFolder}/${record.name}`;
  traces.push(...loops.stdout.split('\n').filter((line) => line.includes(`${folder}/`)));
  traces.push(...(await linkOf(record)));
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  traces.push(...mounts.split('\n').filter((line) => line.includes(`${folder}/`)));
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environment.includes(record.mark)) traces.push(`process ${pid}`);
  }
  const left = await readdir(folder).catch(() => []);
  return [...traces, ...left];
}

/** The interface of a lab; by now the name may be that of a lab of another test. */
async function linkOf({ network, mark }: LabRecord): Promise<string[]> {
  const address = await readFile(`/sys/class/net/${network.link}/address`, 'utf8').catch(() => '');
  return address.replaceAll(':', '').slice(2).trim() === mark.replaceAll('-', '').slice(0, 10) ? [network.link] : [];
}

/** Connects from one host to the server that `serve` has started in another. */
async function canReach(lab: Lab, from: string, to: string): Promise<boolean> {
  const program =
    'const [host, port] = process.argv.slice(1); const end = (code) => process.exit(code);' +
    'require("net").connect(port, host).on("connect", () => end(0)).on("error", () => end(1)); setTimeout(end, 700, 1);';
  const args = ['-e', program, lab.addressOf(to), String(PORT)];
  return (await lab.host(from).run({ file: LAB_NODE, args, okCodes: [0, 1], timeoutMs: TIMEOUT_MS })).code === 0;
}

const SERVER = {
  name: 'server',
  argv: [LAB_NODE, '-e', `require("net").createServer().listen(${PORT}, () => console.log("listens"))`],
};

async function whenListening(lab: Lab, host: string): Promise<void> {
  await expect.poll(() => readFile(lab.logOf(host, SERVER.name), 'utf8'), { timeout: TIMEOUT_MS }).toContain('listens');
}

describe('three hosts', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await made.labs.up({ name: 'three', zones: { kube1: 'a' }, dataDiskBytes: 400 * 2 ** 20, installation });
  });

  test('each is a machine of its own in one network', async () => {
    for (const host of lab.hostNames) {
      expect((await run(lab, host, 'hostname')).stdout.trim()).toBe(host);
      expect((await run(lab, host, 'ip', '-o', 'addr', 'show', 'eth0')).stdout).toContain(`${lab.addressOf(host)}/24`);
      expect((await run(lab, host, 'getent', 'hosts', 'kube2')).stdout).toContain(lab.addressOf('kube2'));
    }
    const read = (path: string) => Promise.all(lab.hostNames.map((host) => lab.host(host).files.readText(path)));
    expect(new Set([...(await read(BOOT_ID)), await readFile(BOOT_ID, 'utf8')]).size).toBe(4);
    expect(new Set(await read('/etc/machine-id')).size).toBe(3);
    expect((await run(lab, 'kube1', 'ps', '-o', 'comm=', '-p', '1')).stdout.trim()).toBe('tini');
    expect((await lab.status()).hosts[0]).toMatchObject({ name: 'kube1', zone: 'a', isOn: true, isPlugged: true });
  });

  test('the data disk comes empty, and what this machine has is not shown', async () => {
    const start = await lab.host('kube1').files.readBytes(LAB_DATA_DISK, 0, 2 ** 18);
    expect(start.length).toBe(2 ** 18);
    expect(start.every((byte) => byte === 0)).toBe(true);
    expect(await lab.host('kube1').files.list('/var/lib/glusterd')).not.toContain('glusterd.info');
    expect(await lab.host('kube1').files.list('/var/lib/holdfast')).toEqual([]);
  });

  test('what a host writes anywhere is its own', async () => {
    await lab.host('kube1').files.makeDirectory('/data/only here');
    expect(await lab.host('kube1').files.list('/data')).toEqual(['only here']);
    expect(await lab.host('kube2').files.list('/data')).not.toContain('only here');
    expect(await made.machine.files.stat('/data/only here')).toBeUndefined();
  });

  test('orphans are reaped', async () => {
    await run(lab, 'kube1', 'setsid', '--fork', 'true');
    await expect.poll(async () => (await run(lab, 'kube1', 'ps', '-e', '-o', 'stat=')).stdout).not.toContain('Z');
  });

  test('power off and on: the disks are kept, the boot is another one', async () => {
    const host = lab.host('kube3');
    await run(lab, 'kube3', 'mkfs.xfs', '-q', LAB_DATA_DISK);
    await host.files.makeDirectory('/disk');
    await host.mounts.mount({ source: LAB_DATA_DISK, target: '/disk', fsType: 'xfs', timeoutMs: TIMEOUT_MS });
    await host.files.writeText('/disk/a', 'kept');
    await host.files.writeText('/etc/b', 'kept too');
    const before = await host.files.readText(BOOT_ID);
    await lab.powerOff('kube3');
    await expect(host.files.readText('/etc/b')).rejects.toMatchObject({ reason: 'HostOff' });
    expect((await lab.status()).hosts[2]).toMatchObject({ isOn: false });
    await lab.powerOff('kube3');
    await lab.powerOn('kube3');
    await lab.powerOn('kube3');
    expect(await host.files.readText(BOOT_ID)).not.toBe(before);
    expect(await host.files.readText('/etc/b')).toBe('kept too');
    await host.mounts.mount({ source: LAB_DATA_DISK, target: '/disk', fsType: 'xfs', timeoutMs: TIMEOUT_MS });
    expect(await host.files.readText('/disk/a')).toBe('kept');
  });

  test('power cut: what was synced is kept, what was not is lost, on both disks', async () => {
    const host = lab.host('kube3');
    for (const folder of ['/disk', '/root']) {
      await run(lab, 'kube3', 'dd', 'if=/dev/urandom', `of=${folder}/synced`, 'bs=1M', 'count=1', 'conv=fsync');
      await run(lab, 'kube3', 'sync', '-f', folder);
      await run(lab, 'kube3', 'dd', 'if=/dev/urandom', `of=${folder}/unsynced`, 'bs=1M', 'count=1');
      expect(await host.files.stat(`${folder}/unsynced`)).toMatchObject({ sizeBytes: 2 ** 20 });
    }
    const digest = async () => (await run(lab, 'kube3', 'sha256sum', '/disk/synced', '/root/synced')).stdout;
    const before = await digest();
    await lab.powerCut('kube3');
    await lab.powerOn('kube3');
    await host.mounts.mount({ source: LAB_DATA_DISK, target: '/disk', fsType: 'xfs', timeoutMs: TIMEOUT_MS });
    expect(await digest()).toBe(before);
    for (const folder of ['/disk', '/root']) {
      expect((await host.files.stat(`${folder}/unsynced`))?.sizeBytes ?? 0).toBe(0);
    }
  });

  test('a loop device that a host has left on its disk does not hold the disk at power off', async () => {
    const host = lab.host('kube3');
    await run(lab, 'kube3', 'truncate', '-s', '20M', '/disk/image');
    await run(lab, 'kube3', 'losetup', '--find', '/disk/image');
    await lab.powerOff('kube3');
    await lab.powerOn('kube3');
    await host.mounts.mount({ source: LAB_DATA_DISK, target: '/disk', fsType: 'xfs', timeoutMs: TIMEOUT_MS });
    expect(await host.files.list('/disk')).toContain('image');
  });

  test('an unplugged host reaches nobody, and stays unplugged over power off', async () => {
    await lab.startDaemon('kube2', SERVER);
    await whenListening(lab, 'kube2');
    expect(await canReach(lab, 'kube1', 'kube2')).toBe(true);
    expect(await reachFromHere(lab, 'kube2')).toBe(true);

    await lab.unplug('kube1');
    expect(await canReach(lab, 'kube1', 'kube2')).toBe(false);
    expect(await canReach(lab, 'kube3', 'kube2')).toBe(true);
    await lab.powerOff('kube1');
    await lab.powerOn('kube1');
    expect(await canReach(lab, 'kube1', 'kube2')).toBe(false);
    await lab.plug('kube1');
    await expect.poll(() => canReach(lab, 'kube1', 'kube2'), { timeout: TIMEOUT_MS }).toBe(true);
  });

  test('a daemon is seen, is not started twice, and ends when it is told to or with its host', async () => {
    const daemons = async () => (await lab.status()).hosts[1]?.daemons;
    expect(await daemons()).toEqual({ server: true });
    await expect(lab.startDaemon('kube2', SERVER)).rejects.toMatchObject({ kind: 'exists' });
    await lab.stopDaemon('kube2', 'server', { graceMs: 2_000 });
    expect(await daemons()).toEqual({ server: false });
    await lab.startDaemon('kube2', SERVER);
    await lab.powerOff('kube2');
    expect(await daemons()).toEqual({});
  });

  test('boot actions run at each power on, and one that fails names host and action', async () => {
    await lab.addBootAction({ name: 'note', kind: 'run', argv: ['mkdir', '/run/noted'], host: 'kube2' });
    await lab.addBootAction({ name: 'server', kind: 'daemon', argv: SERVER.argv });
    await lab.powerOn('kube2');
    expect(await lab.host('kube2').files.stat('/run/noted')).toMatchObject({ type: 'directory' });
    expect((await lab.status()).hosts[1]?.daemons).toEqual({ server: true });
    await lab.addBootAction({ name: 'note', kind: 'run', argv: ['false'], host: 'kube2' });
    await lab.powerOff('kube2');
    await expect(lab.powerOn('kube2')).rejects.toMatchObject({
      message: expect.stringContaining('kube2 is on, but note'),
    });
  });

  test('a reinstalled host is a new machine with empty disks', async () => {
    const host = lab.host('kube3');
    const before = await host.files.readText('/etc/machine-id');
    await lab.reinstall('kube3');
    expect(await host.files.readText('/etc/machine-id')).not.toBe(before);
    expect(await host.files.stat('/etc/b')).toBeUndefined();
    expect((await host.files.readBytes(LAB_DATA_DISK, 0, 2 ** 18)).every((byte) => byte === 0)).toBe(true);
    expect((await run(lab, 'kube3', 'ip', '-o', 'addr', 'show', 'eth0')).stdout).toContain(lab.addressOf('kube3'));
  });

  test('a second lab has another network and its own end', async () => {
    const other = await made.labs.up({ name: 'other', hosts: ['a1'] });
    expect(other.gateway).not.toBe(lab.gateway);
    await expect(made.labs.up({ name: 'other', hosts: 1 })).rejects.toMatchObject({ kind: 'exists' });
    const record = await other.record();
    await other.down();
    expect(await tracesOf(record)).toEqual([]);
    expect((await lab.status()).hosts.every((host) => host.isOn)).toBe(true);
    await expect(made.labs.open('other')).rejects.toMatchObject({ kind: 'notFound' });
    await expect(made.labs.down('other')).rejects.toMatchObject({ kind: 'notFound' });
  });

  test('labs of different folders that are made at once have networks of their own', async () => {
    const folders = await Promise.all([createTestLabs(), createTestLabs(), createTestLabs()]);
    try {
      const labs = await Promise.all(folders.map((each) => each.labs.up({ name: 'same', hosts: 1 })));
      expect(new Set([lab, ...labs].map((each) => each.gateway)).size).toBe(4);
      for (const each of labs) {
        expect((await run(each, 'kube1', 'ip', '-o', 'addr', 'show', 'eth0')).stdout).toContain(
          each.addressOf('kube1'),
        );
        const record = await each.record();
        await each.down();
        expect(await tracesOf(record)).toEqual([]);
      }
      expect((await lab.status()).hosts.every((host) => host.isOn)).toBe(true);
    } finally {
      await Promise.all(folders.map((each) => each.remove()));
    }
  });

  test('down leaves nothing', async () => {
    const record = await lab.record();
    expect((await tracesOf(record)).length).toBeGreaterThan(0);
    await lab.down();
    expect(await tracesOf(record)).toEqual([]);
    expect(await made.labs.list()).toEqual([]);
  });
});

function reachFromHere(lab: Lab, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(PORT, lab.addressOf(host));
    const end = (isReached: boolean) => {
      socket.destroy();
      resolve(isReached);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

/** Operations that change something; those that only look are as good as their neighbours to crash at. */
const CHANGES = /^(?:run (?!losetup --list|ip -4)|file (?:writeText|makeDirectory|remove)|processes (?:start|stop))/;

describe('a creator that dies', () => {
  const options = { name: 'crash', hosts: 1, dataDiskBytes: 2 ** 20, installation } as const;

  test('between any two steps leaves nothing that down does not find', async () => {
    const whole = createInjector([]);
    await (await labsIn(made.labsFolder, whole).up(options)).down();
    const steps = whole.trace.filter((operation) => CHANGES.test(operation)).length;
    expect(steps).toBeGreaterThan(40);

    for (let nth = 1; nth <= steps; nth++) {
      const injector = createInjector([{ match: CHANGES, nth, what: 'crash-after' }]);
      const labs = labsIn(made.labsFolder, injector);
      const died = await labs
        .up(options)
        .then((lab) => lab.down())
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      const record = await made.labs.open(options.name).then(
        (lab) => lab.record(),
        () => undefined,
      );
      await made.labs.down(options.name).catch(() => undefined);
      const traces = record === undefined ? [] : await tracesOf(record);
      expect({ nth, at: injector.trace.at(-1), traces }).toMatchObject({ traces: [] });
      expect(await readdir(made.labsFolder)).not.toContain(options.name);
      expect([CrashError, AggregateError].some((kind) => died instanceof kind)).toBe(true);
    }
  }, 240_000);

  test('and did not mean to keep its lab has it removed by the next one', async () => {
    const { machine, labsFolder } = made;
    const creator = await machine.processes.start({
      file: process.execPath,
      args: [`${import.meta.dirname}/lab-creator.ts`, labsFolder],
      logFile: `${labsFolder}/.creator.log`,
    });
    const log = () => machine.files.readText(`${labsFolder}/.creator.log`);
    await expect.poll(log, { timeout: TIMEOUT_MS, interval: 20 }).toContain('abandoned is up');
    const record = await (await made.labs.open('abandoned')).record();
    await machine.processes.stop(creator, { graceMs: 0 });
    expect((await made.labs.list()).map(({ name, state }) => [name, state])).toEqual([
      ['abandoned', 'abandoned'],
      ['kept', 'running'],
    ]);
    const next = await made.labs.up({ name: 'next', hosts: 1 });
    expect((await made.labs.list()).map(({ name }) => name)).toEqual(['kept', 'next']);
    await next.down();
    expect(await tracesOf(record)).toEqual([]);
    await made.labs.down('kept');
  });
});

describe('what cannot be', () => {
  test.each([
    [{ name: '../x' }, 'invalid'],
    [{ name: 'x', hosts: ['a', 'a'] }, 'invalid'],
    [{ name: 'x', hosts: ['-rf'] }, 'invalid'],
    [{ name: 'x', hosts: 0 }, 'range'],
  ])('%j is refused', async (options, kind) => {
    await expect(made.labs.up(options)).rejects.toMatchObject({ kind });
    expect(await made.labs.list()).toEqual([]);
  });

  test('a lab that was stopped while being made is gone', async () => {
    const stop = new AbortController();
    stop.abort(new Error('not any more'));
    await expect(made.labs.up({ name: 'stopped', hosts: 1 }, stop.signal)).rejects.toThrow('not any more');
    expect(await made.labs.list()).toEqual([]);
  });

  test('a lab that is removed while it is being made is gone, and its maker is told', async () => {
    for (const at of [/^processes start unshare --net --mount/, /^run mount -t overlay/, /^run ip link add port2/]) {
      const reached = Promise.withResolvers<void>();
      const removed = Promise.withResolvers<void>();
      const match = (operation: string) => at.test(operation) && (reached.resolve(), true);
      const slow = labsIn(made.labsFolder, createInjector([{ match, nth: 1, what: 'pause', until: removed.promise }]));
      const making = slow.up({ name: 'race', hosts: 2 }).catch((error: unknown) => error);
      expect(await Promise.race([reached.promise, making])).toBeUndefined();
      const record = await (await made.labs.open('race')).record();
      await made.labs.down('race');
      removed.resolve();
      expect(await making).toBeInstanceOf(Error);
      expect(await tracesOf(record)).toEqual([]);
      expect(await readdir(made.labsFolder)).not.toContain('race');
    }
  });

  test('a host that cannot boot takes the lab with it, and the error says why', async () => {
    const injector = createInjector([{ match: /^run pivot_root/, what: 'fail' }]);
    const failing = labsIn(made.labsFolder, injector).up({ name: 'failing', hosts: 2 });
    await expect(failing).rejects.toThrow('pivot_root');
    expect(await made.labs.list()).toEqual([]);
  });
});
