/** A mount of a volume for one piece of work of a Task: fresh, so that it remembers nothing, and nobody else's. */
import type { Host } from '../../ports/host.ts';
import { mountVolume, unmountVolume } from './attachment.ts';

/** Mounts for Tasks lie here, each named by the UID of its Task. */
export const OWN_MOUNTS = '/run/holdfast/task';

export interface OwnMount {
  readonly volume: string;
  /** Nodes to fetch the volume's description from, the nearest first. */
  readonly servers: readonly string[];
  readonly taskUid: string;
  readonly isReadOnly: boolean;
  readonly options?: readonly string[];
}

/** Mounts the volume, calls `use` with the path, and unmounts whatever became of it. */
export async function withOwnMount<Result>(
  host: Host,
  { taskUid, options = [], ...mount }: OwnMount,
  signal: AbortSignal,
  use: (mountPath: string) => Promise<Result>,
): Promise<Result> {
  const mountPath = `${OWN_MOUNTS}/${taskUid}`;
  const { volume } = mount;
  const remove = async (): Promise<void> => {
    await unmountVolume(host, { step: 'unmountVolume', about: '', volume, mountPath, isLazy: true });
    await host.files.remove(mountPath);
  };
  // One that an agent left that died may have other options, and remembers what was.
  await remove();
  await mountVolume(host, { step: 'mountVolume', about: '', mountPath, options, ...mount }, signal);
  try {
    return await use(mountPath);
  } finally {
    await remove();
  }
}
