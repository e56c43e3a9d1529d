/** Runs in a guest whose kernel has an NFS client: a volume served by real NFS-Ganesha, mounted by that kernel on two machines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportPath } from '../../../src/domain/nfs-export/names.ts';
import type { ServedExport } from '../../../src/domain/nfs-export/served-export.ts';
import type { ProcessId } from '../../../src/ports/host.ts';
import { LAB_NODE, LAB_PACKAGE_FOLDER } from '../../../src/ports/lab.ts';
import { createVolumeSet, settle, type VolumeSet } from '../../contract/engine-harness.ts';
import { type GlusterLab, startGlusterLab } from '../../engine/gluster-fixture.ts';
import { PATIENCE } from './patience.ts';

/** Each is a member of the volume as well; the last one has it mounted through GlusterFS. */
const [SERVER, CLIENT, OTHER] = ['kube1', 'kube2', 'kube3'] as const;
const MOUNT = '/mnt/shop';
const PROGRAM = `${LAB_PACKAGE_FOLDER}/test/vm/guest/export-process.ts`;
const MIB = 1024 ** 2;
const SIZE_BYTES = 160 * MIB;
/** More than the time of grace after a start of the server, in which nobody may write. */
const WAIT = { timeout: 5 * 60_000, interval: 500 };
const COMMAND_MS = 3 * 60_000;
const signal = AbortSignal.timeout(60 * 60_000);
let under: GlusterLab;
let set: VolumeSet;
let path: string;

beforeAll(async () => {
  under = await startGlusterLab('export', PATIENCE, { packageFolder: process.cwd(), node: process.execPath });
  set = await createVolumeSet(under, { layout: 'replicated', brick: 'image', sizeBytes: SIZE_BYTES, signal });
  path = exportPath('shop');
  await set.make();
  await set.mount(OTHER);
  for (const node of [SERVER, CLIENT, OTHER]) await run(node, 'mkdir', '-p', MOUNT);
  await serve();
}, 15 * 60_000);
afterAll(() => under?.stop());

const attempt = (node: string, file: string, ...args: readonly string[]) =>
  under.lab.host(node).run({ file, args, okCodes: [0, 1, 2, 32], timeoutMs: COMMAND_MS });
const run = async (node: string, file: string, ...args: readonly string[]) =>
  (await under.lab.host(node).run({ file, args, timeoutMs: COMMAND_MS })).stdout;
/** What the server says of the exports once it is connected to every copy of each. */
const serveAll = async (wanted: readonly ServedExport[]): Promise<unknown> =>
  JSON.parse(await run(SERVER, LAB_NODE, PROGRAM, SERVER, JSON.stringify(wanted)));
async function serve(isReadOnly = false): Promise<void> {
  const clients = [CLIENT, OTHER].map((node) => under.lab.addressOf(node));
  const wanted: ServedExport = {
    ...{ id: 7, volume: set.volume.name, copies: 3, path, squash: 'none', isReadOnly, clients },
  };
  expect(await serveAll([wanted])).toEqual([{ path, connectedCopies: 3, copies: 3 }]);
}
const mountOn = (node: string, options: string) =>
  run(node, 'mount', '-t', 'nfs', '-o', options, '--', `${under.lab.addressOf(SERVER)}:${path}`, MOUNT);
const unmountOn = (node: string) => run(node, 'umount', MOUNT);
const start = (node: string, file: string, ...args: readonly string[]) =>
  under.lab.host(node).processes.start({ file, args, logFile: '/dev/null' });
const end = (process: ProcessId) => under.lab.host(CLIENT).processes.stop(process, { graceMs: 0 });
const files = (node: string) => under.lab.host(node).files;
const at = (name: string) => `${MOUNT}/${name}`;
const inVolume = (name: string) => `${set.attachment.mountPath}/${name}`;
const sumOf = async (node: string, file: string) => (await run(node, 'sha256sum', '--', file)).slice(0, 64);

/** Appends a line after the other to a file that it keeps open, and tells a file of its own machine of each that was fsynced. */
const WRITER =
  'exec 8>>"$0" 9>>"$1"; n=0; while :; do n=$((n+1)); echo "line $n" >&8 && sync -- "$0" || exit 1; echo "line $n" >&9; done';

describe.each(['4.0', '4.2'])('a volume that is exported, by NFSv%s', (version) => {
  const options = `nfsvers=${version},hard,timeo=50`;

  it('is mounted by two machines, and each sees what the other has fsynced and renamed', async () => {
    for (const node of [CLIENT, OTHER]) {
      await mountOn(node, options);
      const entry = (await under.lab.host(node).mounts.list()).find(({ target }) => target === MOUNT);
      expect(entry?.options).toContain(`vers=${version}`);
    }
    await expect.poll(() => files(CLIENT).writeText(at(version), 'over the wire'), WAIT).toBeUndefined();
    expect(await files(OTHER).readText(at(version))).toBe('over the wire');
    expect(await files(OTHER).readText(inVolume(version))).toBe('over the wire');
    await run(CLIENT, 'dd', 'if=/bin/bash', `of=${at('made')}`, 'bs=64k', 'conv=fsync', 'status=none');
    const sum = await sumOf(CLIENT, '/bin/bash');
    expect(await sumOf(OTHER, at('made'))).toBe(sum);
    await run(CLIENT, 'mv', '--', at('made'), at('moved'));
    expect(await sumOf(OTHER, at('moved'))).toBe(sum);
    // A client keeps for a while what it knows of a folder.
    await expect.poll(() => files(OTHER).stat(at('made')), WAIT).toBeUndefined();
    // What others write through GlusterFS, who has it by NFS sees.
    await files(OTHER).writeText(inVolume('back'), version);
    expect(await files(CLIENT).readText(at('back'))).toBe(version);
  });

  it('goes on when its server was killed under a file that is open, and a lock that is held', async () => {
    const acknowledged = `/tmp/acknowledged-${version}`;
    const written = async () => (await files(CLIENT).readText(acknowledged)).split('\n').length - 1;
    await files(CLIENT).writeText(acknowledged, '');
    const writer = await start(CLIENT, 'bash', '-c', WRITER, at(`log-${version}`), acknowledged);
    const holder = await start(CLIENT, 'flock', '--', at('lock'), 'tail', '-f', '/dev/null');
    const isLocked = async () => (await attempt(OTHER, 'flock', '--nonblock', '--', at('lock'), 'true')).code === 1;
    await expect.poll(isLocked, WAIT).toBe(true);
    await expect.poll(written, WAIT).toBeGreaterThan(5);
    await run(SERVER, 'pkill', '-KILL', '--exact', 'ganesha.nfsd');
    const before = await written();
    await serve();
    await expect.poll(written, WAIT).toBeGreaterThan(before + 5);
    // The client took its lock up again with the new server.
    expect(await isLocked()).toBe(true);
    await end(holder);
    await expect.poll(isLocked, WAIT).toBe(false);
    await end(writer);
    const lines = (await files(CLIENT).readText(acknowledged)).split('\n').slice(0, -1);
    const found = (await files(OTHER).readText(inVolume(`log-${version}`))).split('\n');
    expect(found.slice(0, lines.length)).toEqual(lines);
    expect(lines).toEqual(lines.map((_line, index) => `line ${index + 1}`));
  });

  it('shows its clients that it has grown', async () => {
    const room = async () => (await files(CLIENT).usage(MOUNT)).capacityBytes;
    const before = await room();
    const sizeBytes = before + 100 * MIB;
    for (const { node, desired } of set.copies) {
      const options = { ...under.patience, signal };
      await settle<'copy'>(under.engine(node), { ...desired, sizeBytes }, options);
    }
    await expect.poll(room, WAIT).toBeGreaterThan(before + 50 * MIB);
    for (const node of [CLIENT, OTHER]) await unmountOn(node);
  });

  it('is only read where that was said, and not mounted by others', async () => {
    await serve(true);
    await mountOn(CLIENT, options);
    expect(await files(CLIENT).readText(at(version))).toBe('over the wire');
    await expect(run(CLIENT, 'touch', at('no'))).rejects.toThrow(/Read-only file system/);
    await unmountOn(CLIENT);
    // Its own address is not among those of the clients.
    await expect(mountOn(SERVER, `${options},retry=0`)).rejects.toThrow(/No such file or directory|denied/);
    expect(await run(SERVER, 'cat', '/proc/self/mounts')).not.toContain(MOUNT);
    await serve();
  });
});

it('leaves nothing when it is no longer exported', async () => {
  expect(await serveAll([])).toEqual([]);
  expect((await attempt(SERVER, 'pgrep', '--exact', 'ganesha.nfsd')).stdout).toBe('');
  await set.remove();
  expect(await under.residue()).toEqual([]);
});
