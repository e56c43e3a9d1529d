/** Removes what Tasks left on a node when nobody can want it any more: saved versions, and mounts of agents that died. */
import type { TidyRequest } from '../../ports/brick-work.ts';
import type { Host } from '../../ports/host.ts';
import { plainPath } from '../image/paths.ts';
import { unmountVolume } from './attachment.ts';
import { OWN_MOUNTS } from './own-mount.ts';

const LOOK_MS = 60_000;
const REMOVE_MS = 3_600_000;
const UID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** As port BrickWork has it. */
export async function tidyUp(host: Host, request: TidyRequest, signal: AbortSignal): Promise<readonly string[]> {
  await removeMounts(host, request);
  const removed: string[] = [];
  for (const poolPath of request.poolPaths) {
    for (const folder of await findOld(host, poolPath, request, signal)) {
      await erase(host, folder, signal);
      removed.push(folder);
    }
  }
  return removed;
}

/** Folders of Tasks, SAVED/VOLUME-UID/TASK-UID, that nothing was put into since; nothing else that lies there. */
async function findOld(
  host: Host,
  poolPath: string,
  { knownTasks, savedBefore }: TidyRequest,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const saved = `${plainPath(poolPath, 'pool path')}/.holdfast/saved`;
  if ((await host.files.stat(saved))?.type !== 'directory') return [];
  const depth = ['-mindepth', '2', '-maxdepth', '2', '-type', 'd'];
  const names = ['-regextype', 'posix-extended', '-regex', `.*/${UID}/${UID}`];
  const age = ['-not', '-newermt', `@${Math.floor(savedBefore / 1000)}`];
  const args = [saved, ...depth, ...names, ...age];
  const { stdout } = await host.run({ file: 'find', args, timeoutMs: LOOK_MS, signal });
  const exact = new RegExp(`^/${UID}/(?<task>${UID})$`);
  return stdout.split('\n').filter((line) => {
    const task = exact.exec(line.slice(saved.length))?.groups?.['task'];
    return line.startsWith(`${saved}/`) && task !== undefined && !knownTasks.has(task);
  });
}

async function erase(host: Host, folder: string, signal: AbortSignal): Promise<void> {
  const args = ['--recursive', '--force', '--one-file-system', '--', folder];
  await host.run({ file: 'rm', args, timeoutMs: REMOVE_MS, signal });
  // The folder of the volume goes with the last of its Tasks, and those above it with the last of what is in them.
  const [ofVolume, saved, holdfast] = [parentOf(folder, 1), parentOf(folder, 2), parentOf(folder, 3)];
  for (const parent of [ofVolume, saved, holdfast]) {
    // Whoever takes away what else is in there may have been faster: 1 is "not there any more".
    const rmdir = ['--ignore-fail-on-non-empty', '--', parent];
    await host.run({ file: 'rmdir', args: rmdir, timeoutMs: LOOK_MS, okCodes: [0, 1], signal });
  }
}

const parentOf = (path: string, levels: number): string => path.split('/').slice(0, -levels).join('/');

async function removeMounts(host: Host, { openTasks }: TidyRequest): Promise<void> {
  const own = new RegExp(`^${OWN_MOUNTS}/(?<task>${UID})$`);
  for (const { target, source } of await host.mounts.list()) {
    const task = own.exec(target)?.groups?.['task'];
    if (task === undefined || openTasks.has(task)) continue;
    const volume = source.slice(source.indexOf(':') + 1).replace(/^\//, '');
    await unmountVolume(host, { step: 'unmountVolume', about: '', volume, mountPath: target, isLazy: true });
    await host.files.remove(target);
  }
}
