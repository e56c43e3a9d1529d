/** The verbs, how each is typed and what it must come to, and the steps of it at which somebody dies. */
import { expect } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import type { TypedCommand } from './interrupter.ts';
import { MIB, PATIENCE_MS } from './product-fixture.ts';
import { HOSTS, loseDisk, type VerbsWorld, WRITER_HOST } from './verbs-world.ts';

/** Text of a step's line, and which of the steps with it when it is not the first. */
export type Moment = string | readonly [text: string, nth: number];

export interface Turn extends Omit<TypedCommand, 'args'> {
  /** As it is typed. */
  readonly line: string;
  /** The nodes whose agent may die; all when left out. */
  readonly agents?: readonly string[];
  readonly check: () => Promise<void>;
}

export interface InterruptedVerb {
  readonly name: string;
  /** Steps of an agent: of whichever comes to it first. */
  readonly agent: readonly Moment[];
  readonly controller: readonly Moment[];
  /** The cluster is not as before afterwards: it is the last verb, and each further turn begins with a new cluster. */
  readonly isLast?: boolean;
  /** Sees to what the verb needs, whatever was done before. */
  readonly begin: (world: VerbsWorld) => Promise<Turn>;
}

const VOLUME_WRITE = 'UPDATE volumes.holdfast.dev';
const COPY_WRITE = 'UPDATE volumecopies';
const SNAPSHOT_WRITE = 'UPDATE volumesnapshotrecords';
const TASK_WRITE = 'UPDATE tasks';
const NEW_COPY = 'INSERT INTO volumecopies';
/** The steps that make the image of a copy. */
const NEW_IMAGE = ['fallocate', 'mkfs.xfs', 'mv --no-clobber', 'mount -t xfs'] as const;

/** The steps that make the image of a copy of a snapshot's. */
const REFLINK = [
  'cp --reflink',
  'fallocate',
  'nouuid',
  'setfattr',
  'umount',
  'xfs_admin',
  'mv --no-clobber',
  'inode64',
];

/** The first so many steps with a text. */
function times(text: string, count: number, from = 1): readonly Moment[] {
  return Array.from({ length: count + 1 - from }, (_, at) => [text, from + at] as const);
}

/** An idle volume of three copies, made when none is there. */
async function someVolume(world: VerbsWorld): Promise<string> {
  const { items } = await world.product.client.list('Volume');
  const idle = items.find(({ metadata }) => /^(?:kept|twin)/.test(metadata.name));
  if (idle !== undefined) return idle.metadata.name;
  const name = world.freshName('kept');
  await world.undisturbed(`volume add 150Mi ${name} -r 3 --wait`);
  return name;
}

/** A snapshot of the volume, taken when there is none. */
async function someSnapshot(world: VerbsWorld, volume: string): Promise<string> {
  const { items } = await world.product.client.list('VolumeSnapshotRecord');
  const taken = items.find(({ spec, status }) => spec.volume === volume && status?.phase === 'Ready');
  if (taken !== undefined) return taken.metadata.name;
  await world.product.redundant(volume);
  const name = world.freshName('snap');
  await world.undisturbed(`volume snapshot ${volume} ${name}`);
  return name;
}

/** What each restore keeps of the volume before it would fill the pools when every moment is tried. */
async function forgetRestores(world: VerbsWorld): Promise<void> {
  const { items } = await world.product.client.list('VolumeSnapshotRecord');
  const kept = items.map(({ metadata }) => metadata.name).filter((name) => name.includes('-before-restore-'));
  for (const name of kept) await world.undisturbed(`volume snapshot delete ${name} --force`);
}

/** Nothing but gv0 is there, with three whole copies: a part that is nowhere else, or a file in split-brain, cannot move. */
async function standAlone(world: VerbsWorld): Promise<void> {
  await world.clear();
  const volume = await world.product.client.get('Volume', 'gv0');
  if (volume?.spec.layout === 'arbiter') await world.undisturbed('volume convert gv0 --replicas 3');
}

async function tasksSucceeded({ product }: VerbsWorld): Promise<void> {
  // One whose asker was told of no answer was asked for again, and runs to its end too.
  const others = async () =>
    (await product.client.list('Task')).items.filter(({ status }) => status?.state !== 'Succeeded');
  await expect.poll(others, { timeout: PATIENCE_MS }).toEqual([]);
}

async function phaseOfSnapshot({ product }: VerbsWorld, name: string): Promise<string | undefined> {
  return (await product.client.get('VolumeSnapshotRecord', name))?.status?.phase;
}

const CREATION: readonly InterruptedVerb[] = [
  {
    name: 'volume add',
    agent: [...NEW_IMAGE, 'gluster volume create', 'gluster volume set kept', 'gluster volume start'],
    controller: [...times(NEW_COPY, 3), ...times(COPY_WRITE, 3), ...times(VOLUME_WRITE, 6, 3)],
    begin: async (world) => {
      const name = world.freshName('kept');
      return {
        line: `volume add 150Mi ${name} -r 3 --wait`,
        check: async () => expect(await world.info(name)).toMatch(/Status: Started[^]*Number of Bricks: 1 x 3 = 3/),
      };
    },
  },
  {
    name: 'volume grow',
    agent: ['fallocate', 'losetup --set-capacity', 'xfs_growfs -d'],
    controller: [...times(VOLUME_WRITE, 4), ...times(COPY_WRITE, 4)],
    begin: async ({ product }) => {
      const usage = async () => (await product.lab.host(WRITER_HOST).files.usage('/data')).capacityBytes;
      const size = /^(?<mib>\d+)Mi$/.exec((await product.client.get('Volume', 'gv0'))?.spec.size ?? '');
      const wanted = Number(size?.groups?.['mib']) + 32;
      return {
        line: `volume grow gv0 ${wanted}Mi`,
        check: async () => {
          expect(await usage()).toBeGreaterThanOrEqual(wanted * MIB);
          await product.redundant('gv0');
        },
      };
    },
  },
  {
    name: 'volume set-profile',
    agent: ['gluster volume set gv0 performance'],
    controller: [...times(VOLUME_WRITE, 3), ...times('UPDATE volumeattachmentrecords', 3)],
    begin: async (world) => {
      const isSet = (await world.info('gv0')).includes('performance.strict-o-direct: on');
      if (isSet) await world.undisturbed('volume set-profile gv0 none');
      return {
        line: 'volume set-profile gv0 database',
        check: async () => expect(await world.info('gv0')).toContain('performance.strict-o-direct: on'),
      };
    },
  },
];

const SNAPSHOTS: readonly InterruptedVerb[] = [
  {
    name: 'volume snapshot',
    agent: ['barrier gv0 enable', 'xfs_io', 'mv --no-clobber', 'barrier gv0 disable'],
    controller: ['INSERT INTO volumesnapshotrecords', ...times(SNAPSHOT_WRITE, 8)],
    begin: async (world) => {
      const name = world.freshName('snap');
      await world.product.redundant('gv0');
      return {
        line: `volume snapshot gv0 ${name}`,
        check: async () => {
          expect(await phaseOfSnapshot(world, name)).toBe('Ready');
          // Nobody is held back any more.
          const barrier = await world.product.run(WRITER_HOST, 'gluster', 'volume', 'get', 'gv0', 'features.barrier');
          expect(barrier).toMatch(/disable/);
        },
      };
    },
  },
  {
    name: 'volume clone',
    agent: [...REFLINK, 'gluster volume create', 'gluster volume set twin', 'gluster volume start'],
    controller: [
      'INSERT INTO volumes.',
      ...times(NEW_COPY, 3),
      ...times(VOLUME_WRITE, 6),
      'INSERT INTO persistentvolumes',
    ],
    begin: async (world) => {
      const snapshot = await someSnapshot(world, 'gv0');
      const name = world.freshName('twin');
      return {
        line: `volume clone gv0 ${name} --snapshot ${snapshot}`,
        check: async () => {
          await world.product.redundant(name);
          expect(await phaseOfSnapshot(world, snapshot)).toBe('Ready');
        },
      };
    },
  },
  {
    name: 'volume restore',
    agent: [
      ...REFLINK,
      'barrier',
      'xfs_io',
      'gluster volume stop',
      'gluster volume delete',
      'gluster volume create',
      'gluster volume start',
    ],
    controller: [
      ...times(NEW_COPY, 3),
      'INSERT INTO volumesnapshotrecords',
      ...times(SNAPSHOT_WRITE, 5),
      ...times(VOLUME_WRITE, 12),
    ],
    begin: async (world) => {
      await forgetRestores(world);
      const volume = await someVolume(world);
      const snapshot = await someSnapshot(world, volume);
      await world.product.redundant(volume);
      return {
        line: `volume restore ${volume} ${snapshot} --force`,
        check: async () => {
          await world.product.redundant(volume);
          const restored = (await world.product.client.get('Volume', volume))?.status?.restore;
          expect(restored).toMatchObject({ snapshot, phase: 'Done' });
          expect(await phaseOfSnapshot(world, restored?.safetySnapshot ?? '')).toBe('Ready');
        },
      };
    },
  },
  {
    name: 'volume snapshot delete',
    agent: ['fsfreeze', ...times('rmdir', 3)],
    controller: [...times(SNAPSHOT_WRITE, 4), 'DELETE FROM volumesnapshotrecords'],
    begin: async (world) => {
      const name = await someSnapshot(world, 'gv0');
      const uid = (await world.product.client.get('VolumeSnapshotRecord', name))?.metadata.uid;
      return {
        line: `volume snapshot delete ${name} --force`,
        isRemoval: true,
        check: async () => {
          expect(await phaseOfSnapshot(world, name)).toBeUndefined();
          for (const host of HOSTS) {
            const left = await world.product.run(host, 'find', world.product.pool, '-path', `*/snapshots/${uid}*`);
            expect(left).toBe('');
          }
        },
      };
    },
  },
  {
    name: 'volume delete',
    agent: ['gluster volume stop', 'gluster volume delete', 'umount', 'rmdir'],
    controller: [
      'DELETE FROM persistentvolumes',
      ...times(VOLUME_WRITE, 4),
      ...times('DELETE FROM volumecopies', 3),
      'DELETE FROM volumes.',
    ],
    begin: async (world) => {
      const volume = await someVolume(world);
      return {
        line: `volume delete ${volume} --force`,
        isRemoval: true,
        check: async () => {
          const { client } = world.product;
          const copies = (await client.list('VolumeCopy')).items.filter(({ spec }) => spec.volume === volume);
          expect([await client.get('Volume', volume), ...copies]).toEqual([undefined]);
          expect(await world.product.run(WRITER_HOST, 'gluster', 'volume', 'list')).not.toContain(volume);
        },
      };
    },
  },
];

const WORK: readonly InterruptedVerb[] = [
  {
    name: 'volume heal',
    agent: ['gluster volume heal gv0'],
    controller: ['INSERT INTO tasks', ...times(TASK_WRITE, 4)],
    begin: async (world) => ({ line: 'volume heal gv0', check: () => tasksSucceeded(world) }),
  },
  {
    name: 'volume rebalance',
    agent: ['rebalance wide start'],
    controller: ['INSERT INTO tasks', ...times(TASK_WRITE, 4)],
    begin: async (world) => {
      if ((await world.product.client.get('Volume', 'wide')) === undefined) {
        await world.undisturbed('volume add 150Mi wide --layout distributed -d 2 --wait');
      }
      return { line: 'volume rebalance wide', check: () => tasksSucceeded(world) };
    },
  },
];

const MEMBERS: readonly InterruptedVerb[] = [
  {
    name: 'volume convert',
    agent: [...NEW_IMAGE, 'remove-brick gv0', 'self-heal-daemon off', 'add-brick gv0', 'self-heal-daemon on', 'umount'],
    controller: [NEW_COPY, ...times(COPY_WRITE, 3), ...times(VOLUME_WRITE, 9), 'DELETE FROM volumecopies'],
    begin: async (world) => {
      const isArbiter = (await world.product.client.get('Volume', 'gv0'))?.spec.layout === 'arbiter';
      return {
        line: `volume convert gv0 ${isArbiter ? '--replicas 3' : '--layout arbiter'}`,
        check: async () => {
          expect(await world.settled()).toHaveLength(3);
          expect(await world.info('gv0')).toContain(`Number of Bricks: 1 x ${isArbiter ? '3' : '(2 + 1)'} = 3`);
        },
      };
    },
  },
  {
    name: 'node drain',
    agent: [...NEW_IMAGE, 'replace-brick'],
    controller: [NEW_COPY, ...times(COPY_WRITE, 3), ...times(VOLUME_WRITE, 8)],
    begin: async (world) => {
      await standAlone(world);
      const node = await world.someMember();
      return {
        line: `node drain ${node}`,
        check: async () => {
          expect(await world.settled()).not.toContain(node);
          await world.undisturbed(`node undrain ${node}`);
        },
      };
    },
  },
  {
    name: 'disk replace',
    agent: [...NEW_IMAGE, 'replace-brick'],
    controller: [NEW_COPY, COPY_WRITE, ...times(VOLUME_WRITE, 6)],
    begin: async (world) => {
      await standAlone(world);
      const node = await world.someMember();
      await loseDisk(world, node);
      return {
        line: `disk replace ${node} --yes`,
        check: async () => expect(await world.settled()).toContain(node),
      };
    },
  },
];

const TORN: PlanVolume = {
  ...{ name: 'torn', size: '150Mi', layout: 'replicated', replicas: 2, allowSplitBrain: true },
  mount: { path: '/torn', nodes: 'all' },
};
/** Files that a cut leaves in split-brain: one for each turn. */
const TORN_FILES = Array.from({ length: 12 }, (_, at) => `/file${at}`);

/** The nodes of a volume whose two copies were written apart from each other; it is made when it is not there. */
async function tornNodes(world: VerbsWorld): Promise<readonly [left: string, right: string]> {
  const { product } = world;
  const nodes = async (): Promise<readonly [string, string]> => {
    const placement = await product.until('Volume', 'torn', (seen) => seen?.status?.placement);
    const [one = '', other = ''] = placement.map(({ node }) => node).toSorted();
    return [one, other];
  };
  if ((await product.client.get('Volume', 'torn')) !== undefined) return nodes();
  await world.apply([TORN]);
  await product.redundant('torn');
  const [left, right] = await nodes();
  await product.mounted('torn', [left, right]);
  // The writer's node sorts before all others, so it is not the one that is cut off.
  await product.lab.unplug(right);
  for (const node of [left, right]) {
    const script = 'for file in "$@"; do echo "from $0" > "/torn$file"; done; sync /torn/*';
    await product.run(node, 'sh', '-c', script, node, ...TORN_FILES);
  }
  await product.lab.plug(right);
  await product.condition('torn', { type: 'Redundant', reason: 'SplitBrain' });
  await product.redundant('gv0');
  return [left, right];
}

async function chosen({ product }: VerbsWorld): Promise<readonly string[]> {
  const { items } = await product.client.list('Task');
  const paths = (undone: boolean) =>
    items
      .filter(({ spec }) => spec.action === 'resolveSplitBrain' && (spec.undoes !== undefined) === undone)
      .map(({ spec }) => spec.path ?? '');
  const takenBack = new Set(paths(true));
  return paths(false).filter((path) => !takenBack.has(path));
}

async function untouched(world: VerbsWorld): Promise<string> {
  const { items } = await world.product.client.list('Task');
  const touched = new Set(items.map(({ spec }) => spec.path));
  const path = TORN_FILES.find((file) => !touched.has(file));
  if (path === undefined) throw new Error('all files of the torn volume were taken');
  return path;
}

/** A mount may need a moment to find the file whole again. */
async function expectText({ product }: VerbsWorld, nodes: readonly string[], path: string, text: string) {
  for (const node of nodes) {
    await expect
      .poll(async () => (await product.attempt(node, 'cat', `/torn${path}`)).stdout, { timeout: PATIENCE_MS })
      .toBe(`${text}\n`);
  }
}

const SPLIT_BRAIN: readonly InterruptedVerb[] = [
  {
    name: 'volume split-brain resolve',
    agent: ['cp --reflink', 'mv --no-target-directory', 'split-brain source-brick'],
    controller: ['INSERT INTO tasks', ...times(TASK_WRITE, 6)],
    begin: async (world) => {
      const nodes = await tornNodes(world);
      const [left, right] = nodes;
      const path = await untouched(world);
      return {
        line: `volume split-brain resolve torn ${path} --keep ${left} --yes`,
        check: async () => {
          await expectText(world, nodes, path, `from ${left}`);
          const saved = `grep -l "from ${right}" ${world.product.pool}/.holdfast/saved/*/*/*/content`;
          expect(await world.product.run(right, 'sh', '-c', saved)).not.toBe('');
        },
      };
    },
  },
  {
    name: 'volume split-brain undo',
    agent: ['mount -t glusterfs', ...times('cp --reflink', 2), ...times('mv --no-target-directory', 2), 'umount'],
    controller: ['INSERT INTO tasks', ...times(TASK_WRITE, 3)],
    begin: async (world) => {
      const nodes = await tornNodes(world);
      const [left, right] = nodes;
      let [path] = await chosen(world);
      if (path === undefined) {
        path = await untouched(world);
        await world.undisturbed(`volume split-brain resolve torn ${path} --keep ${left} --yes`);
      }
      const taken = path;
      return {
        line: `volume split-brain undo torn ${taken} --yes`,
        check: () => expectText(world, nodes, taken, `from ${right}`),
      };
    },
  },
];

/** The cluster has a node less afterwards. */
const REPLACE: InterruptedVerb = {
  name: 'node replace',
  isLast: true,
  agent: [...NEW_IMAGE, 'replace-brick'],
  controller: [
    ...[NEW_COPY, COPY_WRITE, ...times(VOLUME_WRITE, 6)],
    ...['UPDATE storageclusters', 'DELETE FROM volumeattachmentrecords', 'DELETE FROM storagenodes'],
  ],
  begin: async (world) => {
    const { product, writer } = world;
    await standAlone(world);
    const lost = await world.someMember();
    const isAway = () =>
      product.until('StorageNode', lost, (seen) => {
        const ready = seen?.status?.conditions?.find((each) => each.type === 'Ready');
        return ready?.status === 'True' ? undefined : true;
      });
    // Nothing but this node has a copy of it.
    await world.undisturbed(`volume add 128Mi only --layout single --node ${lost} --wait`);
    await product.lab.powerOff(lost);
    await isAway();
    const refused = await product.cli('node', 'replace', lost, '--yes');
    expect(refused, refused.stderr).toMatchObject({ code: 5, stderr: expect.stringContaining('delete only') });
    await product.client.delete('Volume', 'only');
    return {
      line: `node replace ${lost} --yes`,
      isRemoval: true,
      // A new controller gives every node the benefit of the doubt for some seconds.
      tooEarly: { answer: /is there: its agent reports/, wait: isAway },
      agents: HOSTS.filter((host) => host !== lost),
      check: async () => {
        await product.until('Volume', 'only', (seen) => (seen === undefined ? true : undefined));
        expect(await world.settled()).not.toContain(lost);
        // GlusterFS lets go of it too, or it would count it in its quorum, and delete no volume without it.
        await product.until('StorageCluster', 'default', (seen) => {
          const { ids = {}, leaving } = seen?.status?.peers ?? {};
          return ids[lost] === undefined && leaving === undefined ? true : undefined;
        });
        expect(await product.run(WRITER_HOST, 'gluster', 'pool', 'list')).not.toContain(lost);
        expect((await product.run(WRITER_HOST, 'gluster', 'volume', 'list')).split('\n')).not.toContain('only');
        await product.lab.powerOn(lost);
        await writer.writeMore(50);
        // Neither a brick nor a self-heal daemon, which would take what it has for current.
        expect((await product.attempt(lost, 'pgrep', '--full', '--list-full', 'glusterfsd|glustershd')).stdout).toBe(
          '',
        );
        expect(await product.run(WRITER_HOST, 'gluster', 'pool', 'list')).not.toContain(lost);
      },
    };
  },
};

export const INTERRUPTED_VERBS: readonly InterruptedVerb[] = [
  ...CREATION,
  ...SNAPSHOTS,
  ...WORK,
  ...SPLIT_BRAIN,
  ...MEMBERS,
  REPLACE,
];
