/**
 * A share mounted for the agent alone while it does something there: below a folder that only root can enter, and `soft`, so that
 * a server that is silent ends in an error and never holds up the agent. No pod ever sees it.
 */
import { AppError } from '../../domain/errors.ts';
import type { HashText } from '../../domain/ledger/record.ts';
import { mountSource } from '../../domain/nfs/share.ts';
import type { DesiredShare } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { createKeyedMutex } from '../image/keyed-mutex.ts';
import { describeMountFailure } from './mount-failure.ts';

/** Folder of all of them. */
export const PRIVATE_MOUNTS = '/var/lib/holdfast/shares';
/** What the paths of those begin with that are to be seen elsewhere. */
const ASIDE = `${PRIVATE_MOUNTS}/mount-`;
const MOUNT_MS = 30_000;
const LOOK_MS = 20_000;
/** After two repetitions of 5 s each call ends; nothing is remembered of what other nodes may have changed. */
const OWN_OPTIONS = ['soft', 'timeo=50', 'retrans=2', 'retry=0', 'nolock', 'lookupcache=none', 'actimeo=0'] as const;
/** What of a volume's options says how the server is to be reached. */
const REACHING = /^(?:nfsvers|vers|proto|port|sec)=|^noresvport$/;

export interface PrivateMounts {
  /** Has the share mounted as long as `act` takes; one mount serves all who use it at the time. */
  use<T>(share: DesiredShare, signal: AbortSignal, act: (root: string) => Promise<T>): Promise<T>;
  /** Mounts what is to be seen at a path where nobody sees it yet, as long as `act` takes; also over what a try that was cut short has left. */
  aside(mount: AsideMount, signal: AbortSignal, act: (aside: string) => Promise<void>): Promise<void>;
  /** Takes away what an agent before this one had aside when it died; once, and before anything is mounted aside. */
  tidy(): Promise<void>;
}

/** A mount that is to be looked at before others have it. */
export interface AsideMount {
  readonly mountPath: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** Creates the private mounts of a host; one per node and process. */
export function createPrivateMounts(host: Host, hash: HashText): PrivateMounts {
  const users = new Map<string, number>();
  const turns = createKeyedMutex();
  let tidied: Promise<void> | undefined;
  const change = (root: string, by: number): number => {
    const left = (users.get(root) ?? 0) + by;
    if (left === 0) users.delete(root);
    else users.set(root, left);
    return left;
  };
  return {
    use: async (share, signal, act) => {
      const { source, options, root } = describe(share, hash);
      await turns.run(root, async () => {
        await ensureMounted(host, { source, options, root }, signal);
        change(root, 1);
      });
      try {
        return await act(root);
      } finally {
        await turns.run(root, async () => {
          if (change(root, -1) === 0) await host.mounts.unmount(root, { lazy: true, timeoutMs: MOUNT_MS });
        });
      }
    },
    aside: (mount, signal, act) => {
      const aside = `${ASIDE}${hash(encodeURIComponent(mount.mountPath)).slice(0, 32)}`;
      return turns.run(aside, () => mountAside(host, { ...mount, aside }, signal, act));
    },
    tidy: () => {
      tidied ??= unmountAll(host, ASIDE).catch((error: unknown) => {
        tidied = undefined;
        throw error;
      });
      return tidied;
    },
  };
}

async function unmountAll(host: Host, prefix: string): Promise<void> {
  const left = (await host.mounts.list()).filter(({ target }) => target.startsWith(prefix));
  for (const { target } of left) await host.mounts.unmount(target, { lazy: true, timeoutMs: MOUNT_MS });
}

async function mountAside(
  host: Host,
  { aside, source, options }: AsideMount & { readonly aside: string },
  signal: AbortSignal,
  act: (aside: string) => Promise<void>,
): Promise<void> {
  const unmount = () => host.mounts.unmount(aside, { lazy: true, timeoutMs: MOUNT_MS });
  if ((await host.mounts.list()).some(({ target }) => target === aside)) await unmount();
  await mountAlone(host, { source, options, root: aside }, signal);
  try {
    await act(aside);
  } finally {
    await unmount();
  }
}

interface PrivateMount {
  readonly source: string;
  readonly options: readonly string[];
  readonly root: string;
}

function describe({ server, path, mountOptions }: DesiredShare, hash: HashText): PrivateMount {
  const source = mountSource({ server, path });
  const reaching = mountOptions.filter((option) => REACHING.test(option));
  const options = [...OWN_OPTIONS, 'nosuid', 'nodev', 'noexec', ...reaching];
  const key = hash(encodeURIComponent([source, ...options].join('\n'))).slice(0, 32);
  return { source, options, root: `${PRIVATE_MOUNTS}/${key}` };
}

async function ensureMounted(host: Host, { source, options, root }: PrivateMount, signal: AbortSignal): Promise<void> {
  const isThere = (await host.mounts.list()).some((entry) => entry.target === root);
  if (isThere) {
    try {
      // One that an agent left when it was killed. In a program of its own: it may not answer.
      await host.run({ file: 'stat', args: ['--file-system', '--format=%b', '--', root], timeoutMs: LOOK_MS, signal });
      return;
    } catch {
      signal.throwIfAborted();
      await host.mounts.unmount(root, { lazy: true, timeoutMs: MOUNT_MS });
    }
  }
  await mountAlone(host, { source, options, root }, signal);
  if (!(await host.mounts.list()).some((entry) => entry.target === root)) {
    throw new AppError('unavailable', `${source} is not mounted on ${host.name}`, { reason: 'MountRefused' });
  }
}

/** Mounts where only root comes. */
async function mountAlone(host: Host, { source, options, root }: PrivateMount, signal: AbortSignal): Promise<void> {
  await host.files.makeDirectory(PRIVATE_MOUNTS, { mode: 0o700 });
  await host.files.makeDirectory(root, { mode: 0o700 });
  try {
    await host.mounts.mount({ source, target: root, fsType: 'nfs', options, timeoutMs: MOUNT_MS, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw describeMountFailure(host.name, source, error);
  }
}
