/** `lab run` against the driver over real sockets: what comes is taken away again, however the command ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createLabRuns } from '../../src/adapters/lab/runs.ts';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { parseClaim } from '../../src/domain/csi/claims.ts';
import type { AttachedCommand } from '../../src/ports/host.ts';
import { createDriverClient } from '../../src/shells/csi/driver-client.ts';
import { describeRun } from '../../src/usecases/lab/describe-run.ts';
import { type RunDeps, type RunLab, type RunRequest, runWithClaim } from '../../src/usecases/lab/run-with-claim.ts';
import { type CsiWorld, startCsiWorld } from './csi-world.ts';

const CLAIM = parseClaim('data:1Gi:replicas=2', 'RWX');
const { signal } = new AbortController();

let world: CsiWorld;
let folder: string;
let deps: RunDeps;
let said: string[];
beforeEach(async () => {
  world = await startCsiWorld();
  folder = await mkdtemp(join(tmpdir(), 'holdfast-runs-'));
  said = [];
  const clock = createSystemClock();
  const machine = createLocalHost({ clock });
  deps = {
    ...{ clock, sha256, random: createSystemRandom(), processes: machine.processes },
    runs: createLabRuns({ clock, machine, labsFolder: folder }),
    controllerOf: async () => createDriverClient(world.controllerSocket),
    nodeOf: async () => createDriverClient(world.nodeSocket),
  };
});
afterEach(async () => {
  await world.stop();
  await rm(folder, { recursive: true });
});

type Program = (command: AttachedCommand) => Promise<number>;

const labWith = (runAttached: Program): RunLab => ({
  name: 'lab',
  host: () => ({ ...world.host, processes: deps.processes, runAttached }),
});
const run = (program: Program, more: Partial<RunRequest> = {}, talk = {}, by: RunDeps = deps) =>
  runWithClaim(
    by,
    {
      ...{ lab: labWith(program), host: 'kube1', claim: CLAIM, command: { file: 'cmd', args: ['-x'] } },
      ...{ isVolumeKept: false, timeoutMs: 20_000, ...more },
    },
    { signal, say: (line: string) => void said.push(line), ...talk },
  );
const targets = () => world.host.mountTable().map((mount) => mount.target);
const volumes = async () => (await world.client.list('Volume')).items.map((volume) => volume.metadata.name);
/** Everything that a run makes anywhere; the folders above are kubelet's own. */
const left = async () => ({
  mounts: targets(),
  volumes: await volumes(),
  attachments: (await world.client.list('VolumeAttachmentRecord')).items.length,
  records: (await deps.runs.list('lab')).length,
  folders: [...world.host.entries.keys()].filter((path) => /globalmount|\/pods\/./.test(path)),
});
const NOTHING = { mounts: [], volumes: [], attachments: 0, records: 0, folders: [] };

describe('a command', () => {
  test('starts in the mounted volume, and nothing is left when it has ended', async () => {
    const seen: AttachedCommand[] = [];
    const code = await run(async (command) => {
      seen.push(command);
      expect(targets()).toHaveLength(3);
      return 7;
    });
    expect(code).toBe(7);
    expect(seen[0]).toMatchObject({ file: 'tini', args: ['-s', '--', 'cmd', '-x'] });
    expect(seen[0]?.cwd).toMatch(
      /^\/var\/lib\/kubelet\/pods\/[0-9a-f-]{36}\/volumes\/kubernetes\.io~csi\/pvc-[0-9a-f-]{36}\/mount$/,
    );
    expect(seen[0]?.env?.['HOLDFAST_VOLUME_PATH']).toBe(seen[0]?.cwd);
    expect(await left()).toEqual(NOTHING);
  });

  test('is told beforehand what will be called, in the order in which it is', async () => {
    const planned = await describeRun(
      deps,
      { host: 'kube1', claim: CLAIM, command: ['cmd'], isVolumeKept: false },
      signal,
    );
    expect(await left()).toEqual(NOTHING);
    await run(async () => 0);
    const made = world.log.entries
      .filter(({ message }) => message === 'CSI call')
      .map(({ fields }) => fields?.['method']);
    expect(made.filter((method) => method !== 'ListVolumes')).toEqual(
      planned.map(({ call }) => call).filter((call) => call !== 'run'),
    );
    expect(planned.find(({ call }) => call === 'CreateVolume')?.request).toMatchObject({
      requiredBytes: 2 ** 30,
      parameters: {
        replicas: '2',
        'csi.storage.k8s.io/pvc/name': 'data',
        'csi.storage.k8s.io/pvc/namespace': 'default',
      },
    });
  });

  test('finds the volume of an earlier one again, which no later one deletes', async () => {
    const uids: (string | undefined)[] = [];
    const look = async () => {
      uids.push((await world.client.list('Volume')).items[0]?.metadata.uid);
      return 0;
    };
    await run(look, { isVolumeKept: true });
    expect(await left()).toMatchObject({ ...NOTHING, volumes: [expect.stringMatching(/^pvc-/)] });
    await run(look);
    expect(uids[1]).toBe(uids[0]);
    expect(await volumes()).toHaveLength(1);
  });

  test('beside another one of the same claim has the volume until the last of both ends', async () => {
    const [first, second] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const wait = (nth: 0 | 1, end: Promise<number>) => async () => {
      begun[nth]?.resolve();
      return end;
    };
    const one = run(wait(0, first.promise));
    await begun[0]?.promise;
    const two = run(wait(1, second.promise));
    await begun[1]?.promise;
    expect(targets()).toHaveLength(4);
    first.resolve(0);
    await one;
    expect(targets()).toHaveLength(3);
    expect(await volumes()).toHaveLength(1);
    second.resolve(0);
    await two;
    expect(await left()).toEqual(NOTHING);
  });
});

describe('nothing is left', () => {
  test('of a run whose class is refused', async () => {
    await expect(run(async () => 0, { claim: parseClaim('data:1Gi:replica=3') })).rejects.toThrow(
      expect.objectContaining({ kind: 'invalid', message: expect.stringContaining('CreateVolume') }),
    );
    expect(await left()).toEqual(NOTHING);
  });

  test('of one that is interrupted while its volume is made', async () => {
    const letGo = world.holdBack();
    const stop = new AbortController();
    const cut = run(async () => 0, {}, { signal: stop.signal });
    await expect.poll(volumes).toHaveLength(1);
    stop.abort();
    letGo();
    await expect(cut).rejects.toThrow('aborted');
    expect(await left()).toEqual(NOTHING);
  });

  test('of one that was killed, when another begins, whatever it had come to', async () => {
    // To whom nobody is alive, the first is one that was killed; this test goes on in its place.
    const later = { ...deps, processes: { ...deps.processes, isAlive: async () => false } };
    const other = parseClaim('other:1Gi');
    await run(async () => {
      const [record] = await deps.runs.list('lab');
      if (record === undefined) throw new Error('the run left no record');
      // As if it had been killed before CreateVolume answered, at first.
      const { volumeId: _volume, nodeId: _node, ...begun } = record;
      await run(async () => 0, { claim: other }, {}, later);
      expect(await left()).toEqual(NOTHING);
      await deps.runs.write('lab', { ...begun, id: '00000000-0000-4000-8000-000000000001' });
      const driver = createDriverClient(world.controllerSocket);
      const accesses = [{ mode: 'MultiNodeMultiWriter', fsType: '', flags: [] }] as const;
      const { requiredBytes, parameters } = CLAIM;
      await driver.call('CreateVolume', { name: record.volumeName, requiredBytes, accesses, parameters }, signal);
      driver.close();
      await run(async () => 0, { claim: other }, {}, later);
      return 0;
    });
    expect(await left()).toEqual(NOTHING);
    expect(said.filter((line) => line.startsWith('taking away'))).toHaveLength(2);
  });
});
