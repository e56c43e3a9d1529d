/** `holdfast install`, `holdfast install step storage`, `holdfast install add-node`: machines over ssh. */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { type InstallChange, type Installed, runInstall } from '../../../usecases/install/run-install.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { globalOptions } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import type { Column } from '../table.ts';
import { type AddNodeArguments, addedNodeOf, addNodeOptions, addToPlan } from './install-add-node.ts';
import { type ComposeInstall, defaultAssets, withInstall } from './install-context.ts';
import { addFileOption, type FileOption } from './plan-file-option.ts';

/** Options of every command that installs. */
interface InstallFlags extends FileOption {
  readonly dryRun?: boolean;
  readonly generatedAssetsDir?: string;
}

/** Kismatic has a step per part of a cluster (`_storage.yaml`); storage is what there is here. */
const STEPS = ['storage', '_storage.yaml', '_storage'];
const COLUMNS: readonly Column<InstallChange>[] = [
  { name: 'node', value: (each) => each.node },
  { name: 'step', value: (each) => each.step },
  { name: 'change', value: (each) => each.change },
];

/** Creates the command's module. */
export function createInstallCommand(compose: ComposeInstall): CommandModule {
  return {
    register: (command, context) => {
      addInstallOptions(command).action((_flags: unknown, own: Command) => installFile(compose, context, own));
      const step = command.command('step').argument('<name>', `which step; there is one: ${STEPS[0]}`);
      addInstallOptions(step)
        .description('Install one part of the plan; the same as install, for those who know it from Kismatic')
        .action(async (name: string, _flags: unknown, own: Command) => {
          checkStep(name);
          await installFile(compose, context, own);
        });
      const add = addNodeOptions(command.command('add-node'));
      addInstallOptions(add).action((...given: AddNodeArguments) => installAddedNode(compose, context, given));
    },
  };
}

/** @throws {AppError} notFound, for a step that there is not */
export function checkStep(name: string): void {
  if (STEPS.includes(name)) return;
  throw new AppError('notFound', `there is no step ${name}`, {
    hint: 'the one step is storage: holdfast install step storage',
  });
}

function addInstallOptions(command: Command): Command {
  return addFileOption(command)
    .option('--dry-run', 'say what would be done on each machine, and change nothing')
    .option(
      '--generated-assets-dir <path>',
      'where the kubeconfig of the new cluster is kept (default: generated, beside the plan)',
    );
}

/** The options of the command and of those above it: `holdfast install -f X step storage` means X, too. */
function flagsOf(own: Command): InstallFlags {
  const explicit = [own, ...(own.parent === null ? [] : [own.parent])].find(
    (each) => each.getOptionValueSource('file') === 'cli',
  );
  const merged = { ...own.parent?.opts(), ...own.opts() } as InstallFlags;
  return explicit === undefined ? merged : { ...merged, file: explicit.opts<InstallFlags>().file };
}

async function installFile(compose: ComposeInstall, context: CliContext, own: Command): Promise<void> {
  const flags = flagsOf(own);
  const plan = await context.plans.read(flags.file);
  await withInstall(compose, context, assetsOf(flags), async (deps) => {
    await printInstalled(context, own, await runInstall(deps, plan, optionsOf(context, own, flags)));
  });
}

async function installAddedNode(compose: ComposeInstall, context: CliContext, given: AddNodeArguments): Promise<void> {
  const own = given[4];
  const { dryRun = false, ...flags } = flagsOf(own);
  await withInstall(compose, context, assetsOf(flags), async (deps) => {
    const request = { file: flags.file, node: addedNodeOf(given), flags: given[3], isDryRun: dryRun };
    const plan = await addToPlan({ deps, context }, request);
    await printInstalled(context, own, await runInstall(deps, plan, optionsOf(context, own, { ...flags, dryRun })));
  });
}

function assetsOf(flags: InstallFlags): string {
  return flags.generatedAssetsDir ?? defaultAssets(flags.file);
}

function optionsOf(context: CliContext, own: Command, { dryRun = false }: InstallFlags) {
  const { timeout } = globalOptions(own);
  return { isDryRun: dryRun, waitMs: timeout, say: (line: string) => say(context, line), signal: context.signal };
}

async function printInstalled(context: CliContext, own: Command, installed: Installed): Promise<void> {
  const { changes, isDryRun, kubeconfig } = installed;
  await printResult(context, globalOptions(own), {
    data: installed,
    names: [...new Set(changes.map((each) => `node/${each.node}`))],
    table: { columns: COLUMNS, items: changes, empty: 'everything is installed as the plan says; nothing was changed' },
  });
  if (isDryRun) say(context, 'nothing was changed');
  else if (kubeconfig !== undefined) say(context, `use it with: export HOLDFAST_KUBECONFIG=${kubeconfig}`);
}
