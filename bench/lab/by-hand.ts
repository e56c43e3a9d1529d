/** What a person would type to get a replicated volume with image bricks: the baseline for what Holdfast does by itself. */
import type { Lab } from '../../src/usecases/lab/labs.ts';

const TIMEOUT_MS = 120_000;

/** Runs one command in a host. */
export async function type(lab: Lab, host: string, file: string, ...args: string[]): Promise<string> {
  return (await lab.host(host).run({ file, args, timeoutMs: TIMEOUT_MS })).stdout;
}

/** Joins all hosts to one pool, from the first one and back. */
export async function joinByHand(lab: Lab): Promise<void> {
  const [first = '', second = '', ...others] = lab.hostNames;
  for (const other of [second, ...others]) await type(lab, first, 'gluster', '--mode=script', 'peer', 'probe', other);
  await type(lab, second, 'gluster', '--mode=script', 'peer', 'probe', first);
  for (;;) {
    const list = await type(lab, first, 'gluster', '--mode=script', 'pool', 'list');
    if (list.split('Connected').length - 1 === lab.hostNames.length) return;
  }
}

/** Formats and mounts the data disk of each host. */
export async function makePoolsByHand(lab: Lab, pool: string): Promise<void> {
  await Promise.all(
    lab.hostNames.map(async (host) => {
      await type(lab, host, 'mkfs.xfs', '-q', '/run/disks/vdb');
      await type(lab, host, 'mkdir', '-p', pool);
      await type(lab, host, 'mount', '-o', 'noatime,inode64', '/run/disks/vdb', pool);
    }),
  );
}

export interface HandVolume {
  readonly name: string;
  readonly pool: string;
  readonly imageBytes: number;
  readonly mountPath: string;
  /** Set before the volume is started. */
  readonly options: Readonly<Record<string, string>>;
}

/** Image bricks on all hosts, a replicated volume over them, mounted on all hosts. */
export async function makeVolumeByHand(lab: Lab, volume: HandVolume): Promise<void> {
  const { name, pool, mountPath } = volume;
  const image = `${pool}/${name}.img`;
  const brickMount = `${pool}/${name}`;
  await Promise.all(
    lab.hostNames.map(async (host) => {
      await type(lab, host, 'fallocate', '-l', String(volume.imageBytes), image);
      await type(lab, host, 'mkfs.xfs', '-q', image);
      await type(lab, host, 'mkdir', '-p', brickMount);
      await type(lab, host, 'mount', '-o', 'loop,noatime,inode64', image, brickMount);
      await type(lab, host, 'mkdir', '-p', `${brickMount}/brick`);
    }),
  );
  const [first = ''] = lab.hostNames;
  const gluster = (...args: string[]) => type(lab, first, 'gluster', '--mode=script', 'volume', ...args);
  const bricks = lab.hostNames.map((host) => `${host}:${brickMount}/brick`);
  await gluster('create', name, 'replica', String(bricks.length), ...bricks, 'force');
  for (const [key, value] of Object.entries(volume.options)) await gluster('set', name, key, value);
  await gluster('start', name);
  await Promise.all(
    lab.hostNames.map(async (host) => {
      await type(lab, host, 'mkdir', '-p', mountPath);
      await type(lab, host, 'mount', '-t', 'glusterfs', `${host}:/${name}`, mountPath);
    }),
  );
}
