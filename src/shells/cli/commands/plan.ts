/** `holdfast plan new|validate|diff|apply|export|adopt -f FILE` */
import type { Command } from 'commander';
import { type ResolvedPlan, resolvePlan } from '../../../domain/plan/resolve-plan.ts';
import { type AppliedPlan, applyPlan, type PlanChange } from '../../../usecases/plan/apply-plan.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import type { Column } from '../table.ts';
import { type ComposeAdoption, registerPlanAdopt } from './plan-adopt.ts';
import { registerPlanDiff } from './plan-diff.ts';
import { registerPlanExport } from './plan-export.ts';
import { addFileOption, type FileOption } from './plan-file-option.ts';
import { registerPlanNew } from './plan-new.ts';

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  registerPlan(command, context);
}

/** The command with adopt, for composition roots that can read a pool. */
export function createPlanCommand(compose: ComposeAdoption): CommandModule {
  return {
    register: (command, context) => {
      registerPlan(command, context);
      registerPlanAdopt(command.command('adopt'), context, compose);
    },
  };
}

function registerPlan(command: Command, context: CliContext): void {
  registerPlanNew(command.command('new'), context);
  addFileOption(command.command('validate'))
    .description('Check a plan file; needs no cluster')
    .action(async ({ file }: FileOption, own: Command) => {
      const plan = resolvePlan(await context.plans.read(file));
      for (const notice of plan.notices) say(context, `note: ${notice}`);
      await printResult(context, globalOptions(own), {
        data: plan,
        names: [
          ...plan.nodes.map((node) => `storagenode/${node.name}`),
          ...plan.volumes.map((volume) => `volume/${volume.name}`),
        ],
        text: () => `${file} is valid: ${describePlan(plan)}\n`,
      });
    });
  registerPlanDiff(command.command('diff'), context);
  registerPlanExport(command.command('export'), context);
  addFileOption(command.command('apply'))
    .description('Make the cluster as a plan file says; deletes nothing, and may be repeated')
    .option('--dry-run', 'say what would be changed, and change nothing')
    .action(async ({ file, dryRun = false }: FileOption & { readonly dryRun?: boolean }, own: Command) => {
      const plan = await context.plans.read(file);
      const applied = await withConnection(context, own, ({ client }) =>
        applyPlan({ client }, plan, { isDryRun: dryRun, signal: context.signal }),
      );
      await printApplied(context, own, applied);
    });
}

async function printApplied(context: CliContext, own: Command, applied: AppliedPlan): Promise<void> {
  for (const notice of applied.notices) say(context, `note: ${notice}`);
  const columns: readonly Column<PlanChange>[] = [
    { name: 'kind', value: (change) => change.kind },
    { name: 'name', value: (change) => change.name },
    { name: 'action', value: (change) => describeAction(change.action, applied.isDryRun) },
  ];
  await printResult(context, globalOptions(own), {
    data: applied,
    names: applied.changes.map((change) => `${change.kind.toLowerCase()}/${change.name}`),
    table: { columns, items: applied.changes, empty: 'the plan is empty: nothing to do' },
  });
}

function describeAction(action: PlanChange['action'], isDryRun: boolean): string {
  if (action === 'unchanged') return 'unchanged';
  return isDryRun ? `would ${action}` : `${action}d`;
}

function describePlan(plan: ResolvedPlan): string {
  const count = (value: number, noun: string) => `${value} ${noun}${value === 1 ? '' : 's'}`;
  const mounts = plan.volumes.reduce((sum, volume) => sum + volume.mounts.length, 0);
  return [
    ...[count(plan.nodes.length, 'node'), count(plan.volumes.length, 'volume'), count(mounts, 'mount')],
    ...(plan.nfsShares.length === 0 ? [] : [count(plan.nfsShares.length, 'share')]),
  ].join(', ');
}
