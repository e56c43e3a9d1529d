/** `kismatic install step STEP` and `kismatic install add-node NODE IP [INTERNAL_IP]`, carried out by holdfast install. */
import type { Command } from 'commander';
import { runInstall } from '../../../usecases/install/run-install.ts';
import { checkStep } from '../commands/install.ts';
import {
  type AddNodeArguments,
  type AddNodeFlags,
  addedNodeOf,
  addNodeOptions,
  addToPlan,
} from '../commands/install-add-node.ts';
import { type ComposeInstall, withInstall } from '../commands/install-context.ts';
import type { CliContext } from '../context.ts';
import { say } from '../output.ts';
import { PLAN_FILE, readPlan } from './plan-file.ts';

/** Kismatic has no limit; this is for each thing that is waited for. */
const WAIT_MS = 600_000;

interface InstallFlags {
  readonly output: string;
  readonly generatedAssetsDir: string;
}

/** Registers the command and its verbs. */
export function registerKismaticInstall(command: Command, context: CliContext, compose: ComposeInstall): void {
  command
    .description('install storage on the machines of a plan')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .option('-f, --plan-file <file>', 'path to the installation plan file', PLAN_FILE);
  addOptions(command.command('step <step>').description('run a specific step: _storage.yaml')).action(
    async (step: string, flags: InstallFlags, own: Command) => {
      checkStep(step);
      const plan = await readPlan(context, own);
      await withInstall(compose, context, flags.generatedAssetsDir, async (deps) => {
        await runInstall(deps, plan, optionsOf(context));
      });
      context.stdout.write('The step has completed.\n');
    },
  );
  addOptions(addNodeOptions(command.command('add-node'))).action(
    async (...given: AddNodeArguments<InstallFlags & AddNodeFlags>) => {
      const [host, , , flags, own] = given;
      const { planFile } = own.optsWithGlobals<{ readonly planFile: string }>();
      const node = addedNodeOf(given);
      await withInstall(compose, context, flags.generatedAssetsDir, async (deps) => {
        const plan = await addToPlan({ deps, context }, { file: planFile, node, flags, isDryRun: false });
        await runInstall(deps, plan, optionsOf(context));
      });
      context.stdout.write(`The node ${host} has been added.\n`);
    },
  );
}

function addOptions(command: Command): Command {
  return command
    .option('--verbose', 'accepted; every step is told anyway', false)
    .option('-o, --output <format>', 'accepted; the output is plain text', 'simple')
    .option('--generated-assets-dir <path>', 'where the kubeconfig of the cluster is kept', 'generated');
}

function optionsOf(context: CliContext) {
  return { isDryRun: false, waitMs: WAIT_MS, say: (line: string) => say(context, line), signal: context.signal };
}
