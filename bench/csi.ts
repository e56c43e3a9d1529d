/**
 * CSI calls on three hosts of a lab, for each kind of volume that can be mounted there: each call alone, a claim on its way to the
 * path of a pod beside the same typed by hand, a hundred claims at once, and the memory that the roles take.
 */
import { VolumeCapability_AccessMode_Mode as Mode, type VolumeCapability } from '../src/gen/csi/csi.ts';
import type { Measurement } from './index.ts';
import { median } from './lab/bench-lab.ts';
import { makeVolumeByHand, type } from './lab/by-hand.ts';
import { type CsiLab, withCsiLab } from './lab/csi-lab.ts';

const MIB = 1024n ** 2n;
/** The smallest volume there is. */
const SIZE = 128n * MIB;
const GROWN = 144n * MIB;
/** What the smallest volume takes of its pool. */
const IMAGE_BYTES = 300 * 2 ** 20;
const AT_ONCE = 100;
const POOL = '/mnt/pool';
const ROOT = '/var/lib/kubelet';

interface Kind {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly mode: Mode;
  readonly rounds: number;
  readonly budget: string;
  readonly byHand: (csi: CsiLab, name: string) => Promise<void>;
  readonly undoByHand: (csi: CsiLab, name: string) => Promise<void>;
}

const KINDS: readonly Kind[] = [
  {
    ...{ name: 'local', parameters: { engine: 'local' }, mode: Mode.SINGLE_NODE_WRITER, rounds: 30 },
    ...{ budget: 'p50 <= 300 ms', byHand: makeLocalByHand, undoByHand: removeLocalByHand },
  },
  {
    ...{ name: 'gluster', parameters: { engine: 'gluster', replicas: '3' }, mode: Mode.MULTI_NODE_MULTI_WRITER },
    ...{ rounds: 9, budget: 'p50 <= 4000 ms', byHand: makeGlusterByHand, undoByHand: removeGlusterByHand },
  },
];

/** Local first: what GlusterFS has started stays, and takes its share of the machine. */
export async function run(): Promise<readonly Measurement[]> {
  return withCsiLab(async (csi) => {
    const memory = [await seeMemory(csi, 'at first')];
    const lives: Measurement[] = [];
    for (const kind of KINDS) lives.push(...(await measureLives(csi, kind)));
    memory.push(await seeMemory(csi, 'after all single lives'));
    const crowds: Measurement[] = [];
    for (const kind of KINDS) {
      crowds.push(await measureCrowd(csi, kind));
      memory.push(await seeMemory(csi, `with ${AT_ONCE} volumes of ${kind.name}`));
      if (kind !== KINDS.at(-1)) await removeCrowd(csi, kind);
    }
    return [...lives, ...crowds, ...memory.flat()];
  });
}

async function seeMemory({ memoryOf }: CsiLab, when: string): Promise<readonly Measurement[]> {
  return [
    {
      what: `memory of the controller, ${when}`,
      value: await memoryOf('controller'),
      unit: 'MiB',
      budget: '<= 512 MiB',
    },
    { what: `memory of a node, ${when}`, value: await memoryOf('node'), unit: 'MiB', budget: '<= 96 MiB when idle' },
  ];
}

/** Milliseconds by call. */
type Times = Map<string, number[]>;

function stopwatch(times: Times) {
  return async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const answer = await work();
    times.set(what, [...(times.get(what) ?? []), performance.now() - start]);
    return answer;
  };
}

/** The first round, which loads programs and starts daemons, is not counted. In turn with the one by hand: what else the machine does meets both. */
async function measureLives(csi: CsiLab, kind: Kind): Promise<readonly Measurement[]> {
  const [times, warm]: [Times, Times] = [new Map(), new Map()];
  for (let round = 0; round <= kind.rounds; round += 1) {
    const time = stopwatch(round === 0 ? warm : times);
    const name = `bench-${kind.name}-${round}`;
    await live(csi, kind, { name, time });
    await time(BY_HAND, () => kind.byHand(csi, name));
    await kind.undoByHand(csi, name);
  }
  const lines = [...times].flatMap(([what, values]) => [
    {
      what: `${kind.name}: ${what}, p50`,
      value: median(values),
      unit: 'ms',
      ...(what === TO_POD ? { budget: kind.budget } : {}),
    },
    { what: `${kind.name}: ${what}, p99 of ${values.length}`, value: highest(values), unit: 'ms' },
  ]);
  const ratio = median(times.get(TO_POD) ?? []) / median(times.get(BY_HAND) ?? []);
  return [...lines, { what: `${kind.name}: claim to path / by hand`, value: ratio, unit: 'times' }];
}

const TO_POD = 'claim to path';
const BY_HAND = 'the same by hand';

/** Of so few the 99th percentile is the highest. */
function highest(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

interface Life {
  readonly name: string;
  readonly time: ReturnType<typeof stopwatch>;
}

async function live(csi: CsiLab, kind: Kind, { name, time }: Life): Promise<void> {
  const { controller, node, host } = csi;
  const volumeCapability = capabilityOf(kind);
  const use = {
    volumeCapability,
    stagingTargetPath: `${ROOT}/plugins/${name}`,
    targetPath: `${ROOT}/pods/${name}/mount`,
  };
  const volumeId = await time(TO_POD, async () => {
    const made = await time('CreateVolume', () => controller.createVolume(wish(kind, name)));
    const id = made.volume?.volumeId ?? '';
    const publish = { volumeId: id, nodeId: host, volumeCapability };
    await time('ControllerPublishVolume', () => controller.controllerPublishVolume(publish));
    await time('NodeStageVolume', () => node.nodeStageVolume({ ...use, volumeId: id }));
    await time('NodePublishVolume', () => node.nodePublishVolume({ ...use, volumeId: id }));
    return id;
  });
  const id = { volumeId };
  await time('NodeGetVolumeStats', () => node.nodeGetVolumeStats({ ...id, volumePath: use.targetPath }));
  await look(csi, kind, { volumeId, time });
  const capacityRange = { requiredBytes: GROWN, limitBytes: 0n };
  await time('ControllerExpandVolume', () =>
    controller.controllerExpandVolume({ ...id, capacityRange, volumeCapability }),
  );
  const taken = await time('CreateSnapshot', () => controller.createSnapshot({ name, sourceVolumeId: volumeId }));
  const snapshotId = taken.snapshot?.snapshotId ?? '';
  await time('DeleteSnapshot', () => controller.deleteSnapshot({ snapshotId }));
  await time('NodeUnpublishVolume', () => node.nodeUnpublishVolume({ ...id, targetPath: use.targetPath }));
  await time('NodeUnstageVolume', () => node.nodeUnstageVolume({ ...id, stagingTargetPath: use.stagingTargetPath }));
  await time('ControllerUnpublishVolume', () => controller.controllerUnpublishVolume({ ...id, nodeId: host }));
  await time('DeleteVolume', () => controller.deleteVolume(id));
}

/** Calls that change nothing. */
async function look(
  { controller }: CsiLab,
  kind: Kind,
  { volumeId, time }: Pick<Life, 'time'> & { readonly volumeId: string },
): Promise<void> {
  const volumeCapabilities = [capabilityOf(kind)];
  await time('ControllerGetVolume', () => controller.controllerGetVolume({ volumeId }));
  await time('ListVolumes', () => controller.listVolumes({}));
  await time('ValidateVolumeCapabilities', () =>
    controller.validateVolumeCapabilities({ volumeId, volumeCapabilities }),
  );
  await time('GetCapacity', () => controller.getCapacity({ parameters: { ...kind.parameters }, volumeCapabilities }));
}

const capabilityOf = ({ mode }: Kind): VolumeCapability => ({
  accessType: { $case: 'mount', value: { fsType: '', mountFlags: [], volumeMountGroup: '' } },
  accessMode: { mode },
});

function wish(kind: Kind, name: string) {
  const capacityRange = { requiredBytes: SIZE, limitBytes: 0n };
  return { name, parameters: { ...kind.parameters }, volumeCapabilities: [capabilityOf(kind)], capacityRange };
}

const namesOfCrowd = ({ name }: Kind) => Array.from({ length: AT_ONCE }, (_, at) => `crowd-${name}-${at}`);

async function measureCrowd({ controller }: CsiLab, kind: Kind): Promise<Measurement> {
  const times: Times = new Map();
  const calls = () => namesOfCrowd(kind).map((name) => controller.createVolume(wish(kind, name)));
  await stopwatch(times)('all', () => Promise.all(calls()));
  const value = median(times.get('all') ?? []) / 1000;
  return { what: `${kind.name}: ${AT_ONCE} CreateVolume at once`, value, unit: 's', budget: '<= 120 s' };
}

async function removeCrowd({ controller }: CsiLab, kind: Kind): Promise<void> {
  await Promise.all(namesOfCrowd(kind).map((volumeId) => controller.deleteVolume({ volumeId })));
}

/** An image with a file system of its own, mounted and bound to where a pod has it. */
async function makeLocalByHand({ lab, host }: CsiLab, name: string): Promise<void> {
  const [image, ...folders] = localPaths(name);
  const [mount = '', staging = '', target = ''] = folders;
  await type(lab, host, 'fallocate', '-l', String(IMAGE_BYTES), image);
  await type(lab, host, 'mkfs.xfs', '-q', image);
  await type(lab, host, 'mkdir', '-p', ...folders);
  await type(lab, host, 'mount', '-o', 'loop', image, mount);
  for (const to of [staging, target]) {
    await type(lab, host, 'mount', '--bind', mount, to);
    await type(lab, host, 'mount', '-o', 'remount,bind,nosuid,nodev', to);
  }
}

async function removeLocalByHand({ lab, host }: CsiLab, name: string): Promise<void> {
  const [image, ...folders] = localPaths(name);
  for (const folder of folders.toReversed()) await type(lab, host, 'umount', folder);
  await type(lab, host, 'rm', image);
}

function localPaths(name: string): readonly [string, ...string[]] {
  const hand = `${POOL}/hand-${name}`;
  return [`${hand}.img`, hand, `${ROOT}/hand-${name}/staging`, `${ROOT}/hand-${name}/target`];
}

async function makeGlusterByHand({ lab }: CsiLab, name: string): Promise<void> {
  const hand = `hand-${name}`;
  await makeVolumeByHand(lab, { name: hand, pool: POOL, imageBytes: IMAGE_BYTES, mountPath: `/${hand}`, options: {} });
}

async function removeGlusterByHand({ lab, host }: CsiLab, name: string): Promise<void> {
  const hand = `hand-${name}`;
  for (const each of lab.hostNames) await type(lab, each, 'umount', `/${hand}`);
  for (const verb of ['stop', 'delete']) await type(lab, host, 'gluster', '--mode=script', 'volume', verb, hand);
  for (const each of lab.hostNames) {
    await type(lab, each, 'umount', `${POOL}/${hand}`);
    await type(lab, each, 'rm', `${POOL}/${hand}.img`);
  }
}
