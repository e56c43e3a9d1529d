import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseEngineVolumeName } from '../../domain/names.ts';
import type { DesiredCopy, DesiredVolume, ObservedVolume } from '../../ports/engine.ts';
import type { Command, FileInfo, Host } from '../../ports/host.ts';
import { observeAdoptedCopy } from './observe-adopted-copy.ts';
import { lackingOptions, wantedOptions } from './options.ts';
import { parseBrickDetails, parsePoolVolumes } from './parse-pool.ts';
import { planCopy } from './plan-copy.ts';
import { planVolume } from './plan-volume.ts';
import { parseReply } from './reply.ts';

const ID = '53cd60b0-7199-4cc7-8d76-f96b48172a7b';
const OTHER_ID = '07a54678-6830-4945-b070-7ca00442e0cc';
const PATH = '/mnt/glusterVolume0';
const BRICKS = ['kube1', 'kube2', 'kube3'].map((node) => ({ node, path: PATH }));
const { signal } = new AbortController();
const readFixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

const copy = (changes: Partial<DesiredCopy> = {}): DesiredCopy & Required<Pick<DesiredCopy, 'adopted'>> => ({
  ...({
    subject: 'copy',
    isPresent: true,
    copyUid: OTHER_ID,
    volume: parseEngineVolumeName('gv0'),
    volumeUid: 'u',
  } as const),
  ...({ poolPath: PATH, brick: 'directory', sizeBytes: 100, isInUse: true } as const),
  ...changes,
  adopted: { path: PATH, engineId: ID },
});

const volume = (changes: Partial<DesiredVolume> = {}): DesiredVolume => ({
  ...{
    subject: 'volume',
    isPresent: true,
    name: parseEngineVolumeName('gv0'),
    layout: 'replicated',
    options: {},
    engineId: ID,
  },
  bricks: BRICKS.map((brick) => ({ ...brick, isArbiter: false })),
  adopted: { engineId: ID, bricks: BRICKS, takesOptions: false },
  ...changes,
});

const seen = (changes: Partial<ObservedVolume> = {}): ObservedVolume => ({
  ...{
    subject: 'volume',
    isPresent: true,
    isStarted: true,
    engineId: ID,
    options: { 'performance.stat-prefetch': 'off' },
  },
  bricks: BRICKS.map((brick) => ({
    ...brick,
    isOnline: true,
    isReadable: true,
    isNodeReachable: true,
    pendingHeals: 0,
  })),
  ...changes,
});

const steps = (desired: DesiredVolume, observed: ObservedVolume) =>
  planVolume(desired, observed).map((each) => (each.step === 'refuse' ? `refuse ${each.reason}` : each.step));

describe('an adopted volume', () => {
  test('is left as it is, whatever options whoever made it chose', () => {
    expect(steps(volume(), seen())).toEqual([]);
  });

  test.each<[string, Partial<ObservedVolume>]>([
    ['another identity', { engineId: OTHER_ID }],
    ['no identity', { engineId: undefined as unknown as string }],
    ['fewer bricks', { bricks: seen().bricks.slice(1) }],
    [
      'another brick',
      { bricks: seen().bricks.map((brick, at) => (at === 0 ? { ...brick, path: '/elsewhere' } : brick)) },
    ],
    ['another order', { bricks: seen().bricks.toReversed() }],
  ])('with %s is somebody else’s: to be kept or to go, it is not touched', (_, changes) => {
    expect(steps(volume(), seen(changes))).toEqual(['refuse ForeignVolume']);
    expect(steps(volume({ isPresent: false }), seen(changes))).toEqual(['refuse ForeignVolume']);
  });

  test('is never made: one that is not there is lost', () => {
    expect(steps(volume(), seen({ isPresent: false, isStarted: false, bricks: [] }))).toEqual([
      'refuse EngineVolumeLost',
    ]);
  });

  test('is healed and its bricks are started like those of any other', () => {
    const [first, ...rest] = seen().bricks;
    if (first === undefined) throw new Error('no brick');
    const bricks = [{ ...first, pendingHeals: 3 }, ...rest];
    expect(steps(volume(), seen({ bricks }))).toEqual(['healVolume']);
    expect(steps(volume(), seen({ bricks: [{ ...first, isOnline: false }, ...rest] }))).toEqual(['startBricks']);
  });

  test('gets a limit, a profile and who may mount only when somebody asks', () => {
    expect(steps(volume({ limitBytes: 5 }), seen({ limitBytes: 4 }))).toEqual(['limitVolume']);
    expect(steps(volume({ options: { 'auth.allow': '10.0.0.1' } }), seen())).toEqual(['setOptions']);
    expect(steps(volume({ profile: 'database' }), seen())).toEqual(['setOptions', 'resetOptions']);
  });

  test('takes the options of Holdfast on when somebody asks, and says before what it lacks', () => {
    const adopted = { engineId: ID, bricks: BRICKS, takesOptions: true };
    expect(steps(volume({ adopted }), seen())).toEqual(['setOptions', 'resetOptions']);
    expect(lackingOptions(volume(), {})).toMatchObject({ 'network.ping-timeout': '5', 'cluster.quorum-type': 'auto' });
    // Until they hold, also when they are wanted.
    expect(lackingOptions(volume({ adopted }), {})).toEqual(lackingOptions(volume(), {}));
    expect(lackingOptions(volume({ adopted }), wantedOptions(volume({ adopted })))).toEqual({});
  });

  test('is stopped and deleted in the engine only as the very volume that was adopted', () => {
    expect(steps(volume({ isPresent: false }), seen())).toEqual(['stopVolume', 'deleteVolume']);
  });
});

/** A machine with one directory, whose answer to getfattr is given. */
function machine(attribute: string, info: Partial<FileInfo> | undefined = { type: 'directory' }) {
  const ran: Command[] = [];
  const files = { stat: async () => info, usage: async () => ({ capacityBytes: 1000, freeBytes: 10 }) };
  const run = async (command: Command) => {
    ran.push(command);
    return { stdout: attribute, stderr: '', code: attribute === '' ? 1 : 0 };
  };
  return { host: { name: 'kube1', files, run } as unknown as Host, ran };
}

describe('an adopted directory', () => {
  const mark = (id: string) => `# file: ${PATH}\ntrusted.glusterfs.volume-id=0x${id.replaceAll('-', '')}\n`;

  test('is ready when glusterd has marked it for the adopted volume', async () => {
    const observed = await observeAdoptedCopy(machine(mark(ID)).host, copy(), signal);
    expect(observed).toMatchObject({ state: 'ready', brickPath: PATH, sizeBytes: 100, capacityBytes: 1000 });
    expect(planCopy(copy(), observed)).toEqual([]);
  });

  test.each([
    ['marked for another volume', mark(OTHER_ID), { type: 'directory' as const }],
    ['marked for no volume', '', { type: 'directory' as const }],
    ['there is no directory', mark(ID), undefined],
    ['there is no directory', mark(ID), { type: 'symlink' as const }],
  ])('is out of sight, and nothing is done, when it is %s', async (why, attribute, info) => {
    const made = machine(attribute);
    const files = { ...made.host.files, stat: async () => info as FileInfo | undefined };
    const observed = await observeAdoptedCopy({ ...made.host, files }, copy(), signal);
    expect(observed).toMatchObject({ state: 'broken', message: expect.stringContaining(why) });
    expect(planCopy(copy(), observed)).toMatchObject([{ step: 'refuse', reason: 'AdoptedCopyMissing' }]);
  });

  test('that is to go is forgotten at once: nothing is looked at, nothing done', async () => {
    const { host, ran } = machine(mark(ID));
    const observed = await observeAdoptedCopy(host, copy({ isPresent: false }), signal);
    expect(observed.state).toBe('absent');
    expect(ran).toEqual([]);
    for (const state of ['absent', 'partial', 'ready', 'broken'] as const) {
      expect(planCopy(copy({ isPresent: false }), { ...observed, state, isMounted: true })).toEqual([]);
    }
  });
});

test('a pool as gluster prints it', () => {
  const volumes = parsePoolVolumes(parseReply({ stdout: readFixture('volume-info.xml'), stderr: '', code: 0 }, 'info'));
  const of = (name: string) => volumes.find(({ info }) => info.name === name);
  expect(of('varb')).toMatchObject({
    redundancyCount: 0,
    stripeCount: 1,
    hasThinArbiter: false,
    isTcp: true,
    snapshotCount: 0,
  });
  expect(of('vdd')).toMatchObject({ redundancyCount: 1, info: { type: 'Distributed-Disperse', disperseCount: 3 } });
  const reply = parseReply({ stdout: readFixture('volume-status-detail.xml'), stderr: '', code: 0 }, 'status');
  const [first] = parseBrickDetails(reply, 'vrep3');
  expect(first).toEqual({
    node: 'kube1',
    path: '/mnt/glusterVolume0/vrep3',
    capacityBytes: 2080374784,
    device: '/dev/loop0',
  });
});
