import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Repair } from '../../domain/doctor/repair.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { Command, CommandResult, FileInfo, Host, MountEntry } from '../../ports/host.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { RunError } from '../../ports/run-error.ts';
import { createGlusterDoctor } from './doctor.ts';
import { raiseOpVersionArgv } from './doctor-command.ts';

const fixture = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
const OK: CommandResult = { stdout: fixture('start-ok.xml'), stderr: '', code: 0 };
/** A brick of the volume in the fixture. */
const BRICK = '/mnt/glusterVolume0/vrep3';

interface Machine {
  /** Names in folders. */
  readonly folders: Readonly<Record<string, readonly string[]>>;
  readonly mounts: readonly MountEntry[];
  /** A process serves the mount at /data. */
  readonly isServed: boolean;
  readonly info: string;
}

/** A host with these things on it; says what was changed. */
function createDoctor(machine: Partial<Machine>) {
  const { folders = {}, mounts = [], isServed = false, info = 'volume-info-one.xml' } = machine;
  const changes: string[] = [];
  const run = async (command: Command): Promise<CommandResult> => {
    const line = [command.file, ...command.args].join(' ');
    if (command.file === 'gluster' && line.includes('volume info')) return { ...OK, stdout: fixture(info) };
    if (command.file === 'stat')
      throw new RunError('stat: Transport endpoint is not connected', { failure: 'exit', file: 'stat' });
    if (command.file === 'pgrep') {
      return { stdout: isServed ? '7 glusterfs --process-name fuse /data\n' : '', stderr: '', code: 0 };
    }
    changes.push(line);
    return OK;
  };
  const directory: FileInfo = { type: 'directory', sizeBytes: 0, mode: 0o755, deviceId: 1, inode: 1 };
  const host = {
    name: 'kube1',
    run,
    files: {
      stat: async (path: string) => (Object.hasOwn(folders, path) ? directory : undefined),
      list: async (path: string) => folders[path] ?? [],
    },
    mounts: { list: async () => mounts, unmount: async (path: string) => void changes.push(`unmount ${path}`) },
  } as unknown as Host;
  const doctor = createGlusterDoctor({ host, clock: createFakeClock(), random: createSeededRandom(1) });
  return { changes, repair: (repair: Repair) => doctor.repair(repair, new AbortController().signal) };
}

const FUSE: MountEntry = { source: 'kube1:/gv0', target: '/data', fsType: 'fuse.glusterfs', options: [] };

describe('a repair looks again before it acts', () => {
  it('takes the ID from a directory that is empty and no brick', async () => {
    const { changes, repair } = createDoctor({ folders: { '/pool/old': [] } });
    await repair({ repair: 'removeVolumeId', path: '/pool/old' });
    expect(changes).toEqual([
      'setfattr --no-dereference --remove=trusted.glusterfs.volume-id -- /pool/old',
      'setfattr --no-dereference --remove=trusted.gfid -- /pool/old',
    ]);
  });

  it.for<readonly [string, Partial<Machine>, Repair]>([
    [
      'the ID of a directory that holds something',
      { folders: { '/pool/old': ['x'] } },
      { repair: 'removeVolumeId', path: '/pool/old' },
    ],
    ['the ID of a directory that is gone', {}, { repair: 'removeVolumeId', path: '/pool/old' }],
    ['the ID of a brick', { folders: { [BRICK]: [] } }, { repair: 'removeVolumeId', path: BRICK }],
    ['a mount that is served', { mounts: [FUSE], isServed: true }, { repair: 'detachMount', path: '/data' }],
    ['bricks of a volume that is gone', { info: 'volume-info-missing.xml' }, { repair: 'startBricks', volume: 'gv0' }],
  ])('leaves %s alone', async ([, machine, wanted]) => {
    const { changes, repair } = createDoctor(machine);
    await expect(repair(wanted)).rejects.toMatchObject({ kind: 'precondition', reason: 'Changed' });
    expect(changes).toEqual([]);
  });

  it('detaches a mount that nothing serves, and nothing that is no mount of GlusterFS', async () => {
    const { changes, repair } = createDoctor({ mounts: [FUSE, { ...FUSE, target: '/home', fsType: 'ext4' }] });
    await repair({ repair: 'detachMount', path: '/data' });
    await repair({ repair: 'detachMount', path: '/home' });
    await repair({ repair: 'detachMount', path: '/nothing' });
    expect(changes).toEqual(['unmount /data']);
  });

  it('refuses paths that are not plain, and versions that are none', async () => {
    const { changes, repair } = createDoctor({});
    await expect(repair({ repair: 'removeVolumeId', path: '/pool/../etc' })).rejects.toMatchObject({ kind: 'invalid' });
    expect(() => raiseOpVersionArgv(-1)).toThrow('is no op-version');
    expect(changes).toEqual([]);
  });
});
