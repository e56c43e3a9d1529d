/**
 * resolveSplitBrain: one version of an entry stays. Every node first puts its version aside, whole and synced, and says
 * so; only when all have said so does the anchor let the engine choose.
 *
 * If this agent dies anywhere: what is put aside stays as it is (engines' saveEntry never writes it again), and whether
 * the choice was sent is written down before it is sent. So no version is lost that is not put aside, and nothing is put
 * aside that is not what was there before the choice.
 */
import { AppError, isAppError } from '../../../domain/errors.ts';
import {
  type Choice,
  type CopyVersion,
  chooseVersion,
  whyNotKept,
} from '../../../domain/split-brain/judge-versions.ts';
import { workersOf } from '../../../domain/task/sum-up-task.ts';
import { engineNameOf } from '../../../domain/volume/engine-name.ts';
import { folderOf } from '../../../domain/volume/entry-path.ts';
import { pieceBytes } from '../../../domain/volume/profile.ts';
import { NOT_IN_SPLIT_BRAIN, type SplitBrainEntry } from '../../../ports/volume-work.ts';
import type { TaskPart } from '../../../schemas/task.ts';
import { seeTaskVolume } from '../../task/task-look.ts';
import { copiesHere } from './copies-here.ts';
import type { TaskContext, TaskOutcome, TaskRunner } from './task-runner.ts';
import { refuseAdopted, requirePath, requirePool, requireVolume, waitsForCopies } from './task-volume.ts';

/** One each second; the self-heal daemon goes over everything every 30 s by itself. */
const LOOKS_AT_FOLDER = 40;

export const resolveSplitBrain: TaskRunner = {
  run: async (context) => {
    refuseShards(context);
    refuseAdopted(context);
    const own = versionsIn(context.part) ?? (await saveOwn(context));
    const part = { ...context.part, progress: 50, result: { ...context.part?.result, versions: own } };
    if (!context.isLead) return { part: { ...part, state: 'Succeeded', message: 'put aside', progress: 100 } };
    await context.report({ ...part, state: 'Running', message: 'waits for the others to put their versions aside' });
    const all = await collect(context, own);
    if (all === undefined) {
      return { part: { ...part, state: 'Running', message: 'waits for the others to put their versions aside' } };
    }
    return choose(context, { ...part, state: 'Running' }, all);
  },
};

/** A file of a sharded volume is many entries, and choosing one of them would mix versions. */
function refuseShards({ volume }: TaskContext): void {
  // As its spec says, or its profile does.
  if (volume === undefined || pieceBytes(volume.spec) === undefined) return;
  throw new AppError('unsupported', `volume ${volume.metadata.name} keeps files in shards; nothing was changed`, {
    hint: 'choose by hand; see docs/how-to/resolve-split-brain.md',
  });
}

async function saveOwn(context: TaskContext): Promise<readonly CopyVersion[]> {
  const { deps, task, signal } = context;
  const path = requirePath(context);
  const volumeUid = requireVolume(context).metadata.uid;
  const versions: CopyVersion[] = [];
  for (const { copy, copyUid, node, pool, brickPath } of copiesHere(context)) {
    const poolPath = requirePool(context, pool);
    const place = { poolPath, volumeUid, taskUid: task.metadata.uid, copyUid };
    const saved = await deps.work.saveEntry({ brickPath, path, place }, signal);
    if (saved !== undefined) versions.push({ ...saved, copy, node, brickPath });
  }
  return versions;
}

/** The versions of all nodes, from the API itself; undefined while one has not said that its version is put aside. */
async function collect(
  { deps, task, volume, signal }: TaskContext,
  own: readonly CopyVersion[],
): Promise<readonly CopyVersion[] | undefined> {
  const fresh = await deps.client.get('Task', task.metadata.name, { signal });
  const others = (workersOf(task.spec, volume && seeTaskVolume(volume, deps.informers))?.all ?? []).filter(
    (node) => node !== deps.node,
  );
  const parts = others.map((node) => versionsIn(fresh?.status?.parts?.[node]));
  if (parts.some((versions) => versions === undefined)) return undefined;
  return [...own, ...parts.flatMap((versions) => versions ?? [])];
}

function versionsIn(part: TaskPart | undefined): readonly CopyVersion[] | undefined {
  return part?.result?.['versions'] as readonly CopyVersion[] | undefined;
}

/** Whether any node that led has sent the choice, asked of the API: this agent may have become the anchor in its middle. */
async function isSent({ deps, task, signal }: TaskContext): Promise<boolean> {
  const fresh = await deps.client.get('Task', task.metadata.name, { signal });
  return Object.values(fresh?.status?.parts ?? {}).some((part) => part.result?.['isSent'] === true);
}

async function choose(context: TaskContext, part: TaskPart, all: readonly CopyVersion[]): Promise<TaskOutcome> {
  const { deps, signal, task } = context;
  const name = engineNameOf(requireVolume(context));
  const path = requirePath(context);
  const choice = chooseVersion(path, all, task.spec.keep ?? '');
  if (!choice.ok) throw new AppError('precondition', choice.message, { reason: 'NothingToChoose', hint: choice.hint });
  const sent = {
    ...part,
    message: `keeps the version of ${choice.kept.node}`,
    result: { ...part.result, isSent: true },
  };
  // Who reaches one copy alone sees nothing in split-brain: neither a choice nor a look counts then.
  const before = await deps.work.listSplitBrain(name, signal);
  const volume = requireVolume(context);
  if (before.silent.length > 0) return { part: { ...part, message: waitsForCopies(volume, before.silent) } };
  // Once its folder is waited for, the entry itself is resolved: nothing is left to choose.
  const isResolved = part.result?.['folderLooks'] !== undefined;
  const refused = isResolved ? undefined : await send(context, sent, choice.kept);
  const { entries, silent } = isResolved ? before : await deps.work.listSplitBrain(name, signal);
  if (silent.length > 0) return { part: { ...sent, message: waitsForCopies(volume, silent) } };
  if (entries.some((entry) => entry.path === path)) {
    return { part: { ...sent, message: 'waits until the copies are the same' } };
  }
  if (refused !== undefined) throw refused;
  const folder = await awaitFolder(context, sent, entries);
  if (folder !== undefined) return { part: folder };
  await proveKept(context, path, choice);
  const result = { ...part.result, isSent: true, kept: choice.kept.node, versions: all };
  const message = `the version of ${choice.kept.node} is kept; every version is put aside for 7 days`;
  return { part: { ...part, state: 'Succeeded', progress: 100, message, result } };
}

/** Returns what the engine said, when it found nothing to choose and was not asked before. */
async function send(
  context: TaskContext,
  sent: TaskPart,
  { node, brickPath }: CopyVersion,
): Promise<AppError | undefined> {
  const { deps, signal } = context;
  const sentBefore = await isSent(context);
  await context.report(sent);
  try {
    const choice = { path: requirePath(context), node, brickPath };
    await deps.work.keepVersion(engineNameOf(requireVolume(context)), choice, signal);
    return undefined;
  } catch (error) {
    if (!isAppError(error) || error.reason !== NOT_IN_SPLIT_BRAIN) throw error;
    // Sent before, perhaps by an agent that died over it, and done.
    return sentBefore ? undefined : error;
  }
}

/**
 * A folder in which an entry was made on several nodes at once is itself listed as in split-brain, also once the entry is
 * resolved, until a heal has merged it: asks for that heal, and waits a while, so that nobody is told to resolve the folder.
 */
async function awaitFolder(
  context: TaskContext,
  sent: TaskPart,
  entries: readonly SplitBrainEntry[],
): Promise<TaskPart | undefined> {
  const { deps, part, signal } = context;
  const folder = folderOf(requirePath(context));
  const looks = Number(part?.result?.['folderLooks'] ?? 0);
  const isListed = entries.some((entry) => entry.path === folder && entry.kind === 'content');
  if (!isListed || looks >= LOOKS_AT_FOLDER) return undefined;
  if (looks === 0) await deps.work.startHeal(engineNameOf(requireVolume(context)), { isFull: false, signal });
  const result = { ...sent.result, folderLooks: looks + 1 };
  return { ...sent, message: `waits until folder ${folder} is merged`, result };
}

/**
 * That GlusterFS lists it no more does not say that it can be read: a choice counts once a fresh mount shows what was kept.
 *
 * @throws {AppError} unavailable, while it does not
 */
async function proveKept(
  context: TaskContext,
  path: string,
  choice: Extract<Choice, { readonly ok: true }>,
): Promise<void> {
  const { deps, task, signal } = context;
  const volume = requireVolume(context);
  const nodes = (volume.status?.placement ?? []).map((placed) => placed.node);
  const servers = [...new Set([deps.node, ...nodes])];
  const request = { volume: engineNameOf(volume), servers, path, taskUid: task.metadata.uid };
  const why = whyNotKept(choice, await deps.work.readEntry(request, signal));
  if (why === undefined) return;
  throw new AppError('unavailable', `the version of ${choice.kept.node} was chosen for ${path}, but ${why}`, {
    reason: 'NotKept',
    hint: 'every version is put aside; see: holdfast volume split-brain show',
  });
}
