/** `holdfast volume split-brain list|show|resolve|undo` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import {
  type CopyVersion,
  DESCRIPTIONS,
  isChoosable,
  kindOf,
  type SplitBrainKind,
} from '../../../domain/split-brain/judge-versions.ts';
import { isEntryPath } from '../../../domain/volume/entry-path.ts';
import type { Resource } from '../../../ports/resource-client.ts';
import type { SplitBrainEntry } from '../../../ports/volume-work.ts';
import type { TaskSpec } from '../../../schemas/task.ts';
import { undoTask } from '../../../usecases/tasks/undo-task.ts';
import { splitBrainTask } from '../../../usecases/tasks/volume-task.ts';
import type { CliContext } from '../context.ts';
import { followTask } from '../follow-task.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';
import { renderVersions } from '../render-versions.ts';

const KINDS: Readonly<Record<SplitBrainEntry['kind'], string>> = {
  content: 'the same entry, changed on several nodes',
  identity: 'made on several nodes at once',
};

/** Registers the command. */
export function registerVolumeSplitBrain(command: Command, context: CliContext): void {
  command.description('Look at files whose copies contradict each other, and choose one version');
  registerList(command.command('list'), context);
  registerShow(command.command('show'), context);
  registerResolve(command.command('resolve'), context);
  registerUndo(command.command('undo'), context);
}

function registerList(command: Command, context: CliContext): void {
  command
    .description('List what is in split-brain')
    .argument('<name>', 'name of the volume')
    .action(async (name: string, _options: object, own: Command) => {
      const { signal } = context;
      const task = await withConnection(context, own, async (connection) => {
        const { client } = connection;
        const spec = await splitBrainTask({ client, signal }, name, { action: 'listSplitBrain' });
        return followTask(context, own, connection, { spec, isQuiet: true });
      });
      const [result] = resultsOf(task);
      const items = (result?.['entries'] ?? []) as readonly SplitBrainEntry[];
      const silent = (result?.['silent'] ?? []) as readonly string[];
      if (silent.length > 0) say(context, `the copy on ${silent.join(', ')} could not be asked; there may be more`);
      await printResult(context, globalOptions(own), {
        data: { volume: name, items, silent },
        names: items.map((entry) => entry.path),
        table: {
          columns: [
            { name: 'path', value: (entry) => entry.path },
            { name: 'what', value: (entry) => KINDS[entry.kind] },
          ],
          items,
          empty: `nothing of volume ${name} is in split-brain`,
        },
      });
    });
}

function registerShow(command: Command, context: CliContext): void {
  command
    .description('Show the versions of one entry side by side')
    .argument('<name>', 'name of the volume')
    .argument('<path>', 'path in the volume, from its root, or gfid:UUID')
    .action(async (name: string, path: string, _options: object, own: Command) => {
      const { signal } = context;
      requirePath(path);
      const task = await withConnection(context, own, async (connection) => {
        const { client } = connection;
        const spec = await splitBrainTask({ client, signal }, name, { action: 'showSplitBrain', path });
        return followTask(context, own, connection, { spec, isQuiet: true });
      });
      const results = resultsOf(task);
      const versions = results.flatMap((result) => (result['versions'] ?? []) as CopyVersion[]);
      if (versions.length === 0) throw missing(name, path);
      const kind = kindOf(versions);
      const isListed = results.some((result) => result['isListed'] === true);
      const isApart = kind === 'data' || new Set(versions.map((version) => version.gfid)).size > 1;
      sayWhat(context, { name, path, kind, isListed, isApart });
      await printResult(context, globalOptions(own), {
        data: { volume: name, path, isInSplitBrain: isListed, ...(kind && { kind }), versions },
        names: versions.map((version) => `volumecopy/${version.copy}`),
        text: () => renderVersions(versions, globalOptions(own).headers),
      });
    });
}

interface Shown {
  readonly name: string;
  readonly path: string;
  readonly kind: SplitBrainKind | undefined;
  readonly isListed: boolean;
  /** The versions are not of the same file, or their data differs. */
  readonly isApart: boolean;
}

function sayWhat(context: CliContext, { name, path, kind, isListed, isApart }: Shown): void {
  if (!isListed && !isApart) return say(context, `${path} is not in split-brain`);
  if (!isListed) {
    const what = kind === 'data' ? DESCRIPTIONS.data : 'was made on each at once';
    say(context, `${path} ${what}, but GlusterFS does not list it`);
    return say(context, 'it is being healed, or changed now, or hidden; see docs/how-to/resolve-split-brain.md');
  }
  if (kind === undefined) return say(context, `${path} is in split-brain, but only one copy holds it`);
  say(context, `${path} ${DESCRIPTIONS[kind]}`);
  if (!isChoosable(kind)) return say(context, 'choose by hand; see docs/how-to/resolve-split-brain.md');
  say(context, `choose one: holdfast volume split-brain resolve ${name} ${path} --keep NODE`);
}

interface ResolveOptions {
  readonly keep: string;
  readonly dryRun?: boolean;
}

function registerResolve(command: Command, context: CliContext): void {
  command
    .description('Keep the version of one node; every version is put aside first')
    .argument('<name>', 'name of the volume')
    .argument('<path>', 'path in the volume, from its root, or gfid:UUID')
    .requiredOption('--keep <node>', 'node whose version stays')
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(async (name: string, path: string, { keep, dryRun }: ResolveOptions, own: Command) => {
      requirePath(path);
      const { signal } = context;
      const question = `Keep the version of ${keep} of ${path} on volume ${name}? The others are put aside first`;
      await change(context, own, {
        ...{ name, path, question, isDryRun: dryRun ?? false },
        wish: `the version of ${keep} of ${path} would be kept, and every version put aside first`,
        plan: (client) => splitBrainTask({ client, signal }, name, { action: 'resolveSplitBrain', path, keep }),
      });
    });
}

function registerUndo(command: Command, context: CliContext): void {
  command
    .description('Put a version back that lost; what it replaces is put aside first')
    .argument('<name>', 'name of the volume')
    .argument('<path>', 'path in the volume, from its root')
    .option('--node <node>', 'node whose version comes back, if several lost')
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(async (name: string, path: string, options: { node?: string; dryRun?: boolean }, own: Command) => {
      requirePath(path);
      const { signal } = context;
      const node = options.node === undefined ? {} : { node: options.node };
      await change(context, own, {
        ...{ name, path, isDryRun: options.dryRun ?? false },
        question: `Put the version of ${path} that lost back on volume ${name}? What is there now is put aside first`,
        wish: `the version of ${path} that lost would be put back, and what is there now put aside first`,
        plan: (client) => undoTask({ client, signal }, { volume: name, path, ...node }),
      });
    });
}

interface Change {
  readonly name: string;
  readonly path: string;
  readonly question: string;
  /** What a dry run says. */
  readonly wish: string;
  readonly isDryRun: boolean;
  readonly plan: (client: Parameters<typeof undoTask>[0]['client']) => Promise<TaskSpec>;
}

async function change(context: CliContext, own: Command, wish: Change): Promise<void> {
  const { yes } = globalOptions(own);
  const done = await withConnection(context, own, async (connection) => {
    const spec = await wish.plan(connection.client);
    if (wish.isDryRun) return { data: { isDryRun: true, task: spec }, text: wish.wish };
    if (yes !== true && !(await askYesNo(context, wish.question))) {
      throw new AppError('cancelled', `${wish.path} of volume ${wish.name} was not changed`, {
        hint: 'answer yes, or use --yes',
      });
    }
    const task = await followTask(context, own, connection, { spec });
    return { data: task, text: `${wish.path}: ${task.status?.message ?? 'done'}${describeAside(task)}` };
  });
  await printResult(context, globalOptions(own), {
    data: done.data,
    names: [`volume/${wish.name}`],
    text: () => `${done.text}\n`,
  });
}

/** Where the versions are, one line each. */
function describeAside(task: Resource<'Task'>): string {
  const versions = resultsOf(task).flatMap((result) => (result['versions'] ?? []) as CopyVersion[]);
  const unique = new Map(versions.map((version) => [`${version.node}:${version.savedIn}`, version]));
  return [...unique.keys()].map((place) => `\n  ${place}`).join('');
}

function resultsOf(task: Resource<'Task'>): readonly Readonly<Record<string, unknown>>[] {
  const parts = Object.values(task.status?.parts ?? {});
  // The one that led last holds what the others reported too.
  const lead = parts.filter((part) => part.isLead === true && part.result?.['kept'] !== undefined);
  return (lead.length > 0 ? lead : parts).map((part) => part.result ?? {});
}

function requirePath(path: string): void {
  if (isEntryPath(path)) return;
  throw new AppError('invalid', `${JSON.stringify(path.slice(0, 80))} is no entry of a volume`, {
    reason: 'InvalidPath',
    hint: 'write it from the root of the volume: /folder/file, without "..", or as gfid:UUID',
  });
}

function missing(name: string, path: string): AppError {
  return new AppError('notFound', `no copy of volume ${name} holds ${path}`, {
    resource: `volume ${name}`,
    hint: `see: holdfast volume split-brain list ${name}`,
  });
}
