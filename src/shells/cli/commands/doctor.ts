/** `holdfast doctor [--fix] [--node N]`, `holdfast doctor --plan FILE`: what is wrong, how it is seen, what to do. */
import { type Command, Option } from 'commander';
import type { Finding } from '../../../domain/doctor/finding.ts';
import { countFindings } from '../../../domain/doctor/judge.ts';
import { AppError } from '../../../domain/errors.ts';
import { type Diagnosis, diagnose } from '../../../usecases/doctor/diagnose.ts';
import {
  type PlannedRepair,
  planRepairs,
  type RepairOutcome,
  repairFindings,
} from '../../../usecases/doctor/repair-findings.ts';
import { checkMachines } from '../../../usecases/install/check-machines.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext, Connection } from '../context.ts';
import { CommandExit } from '../exit-codes.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';
import { renderPairs } from '../table.ts';
import { type ComposeInstall, defaultAssets, withInstall } from './install-context.ts';

interface DoctorOptions {
  readonly fix?: boolean;
  readonly node?: string;
  readonly plan?: string;
}

/** Some finding says that something does not work. */
const EXIT_FAILED = 1;

/** Registers the command as it is without adapters: it looks at what is installed. */
export function register(command: Command, context: CliContext): void {
  registerDoctor(command, context);
}

/** The command with --plan, for composition roots that can reach machines. */
export function createDoctorCommand(compose: ComposeInstall): CommandModule {
  return { register: (command, context) => registerDoctor(command, context, compose) };
}

function registerDoctor(command: Command, context: CliContext, compose?: ComposeInstall): void {
  command
    .description('Check everything, and tell what is wrong, what it means and what to do')
    .option('--fix', 'put right what can be put right without any risk; shows it and asks first')
    .option('--node <name>', 'look at this node only');
  if (compose !== undefined) {
    const plan = new Option('--plan <file>', 'look at the machines of a plan before they are installed');
    command.addOption(plan.conflicts(['fix', 'node']));
  }
  command.action(async (options: DoctorOptions, own: Command) => {
    const told =
      options.plan === undefined || compose === undefined
        ? await withConnection(context, own, ({ client }) => run(context, { client, options, own }))
        : await lookAtPlan(context, compose, options.plan);
    await print(context, own, told);
    if (told.findings.some(({ status }) => status === 'failed')) throw new CommandExit(EXIT_FAILED);
  });
}

async function lookAtPlan(context: CliContext, compose: ComposeInstall, file: string): Promise<Told> {
  const plan = await context.plans.read(file);
  const findings = await withInstall(compose, context, defaultAssets(file), (deps) =>
    checkMachines(deps, plan, context.signal),
  );
  const machines = new Set(findings.map(({ subject }) => subject.replace('node ', '')));
  return { findings, looked: [...machines], repairs: [] };
}

interface Request extends Pick<Connection, 'client'> {
  readonly options: DoctorOptions;
  readonly own: Command;
}

async function run(context: CliContext, { client, options, own }: Request): Promise<Told> {
  const { clock, random, signal, version } = context;
  const deps = { client, clock, random };
  const waitMs = globalOptions(own).timeout;
  const look = () =>
    diagnose(deps, { waitMs, version, signal, ...(options.node === undefined ? {} : { node: options.node }) });
  const diagnosis = await look();
  const repairs = options.fix === true ? planRepairs(diagnosis.judged) : [];
  if (options.fix === true && repairs.length === 0) say(context, 'nothing that was found can be fixed without risk');
  if (repairs.length === 0) return toTold(diagnosis, []);
  await confirm(context, own, repairs);
  const outcomes = await repairFindings(deps, repairs, { waitMs, signal });
  for (const { node, isDone, message } of outcomes)
    say(context, `${node}: ${isDone ? 'done' : 'not done'}: ${message}`);
  return toTold(await look(), outcomes);
}

async function confirm(context: CliContext, own: Command, repairs: readonly PlannedRepair[]): Promise<void> {
  for (const { node, about, finding } of repairs) say(context, `${finding}: on ${node}, ${about}`);
  if (globalOptions(own).yes === true) return;
  const question = repairs.length === 1 ? 'Do this?' : `Do these ${repairs.length} things?`;
  if (await askYesNo(context, question)) return;
  throw new AppError('cancelled', 'nothing was changed', { hint: 'answer yes, or use --yes' });
}

interface Told {
  readonly findings: readonly Finding[];
  /** Machines that were looked at. */
  readonly looked: readonly string[];
  readonly repairs: readonly RepairOutcome[];
  /** What the agents saw, by node. */
  readonly nodes?: Diagnosis['facts'];
}

function toTold({ judged, facts }: Diagnosis, repairs: readonly RepairOutcome[]): Told {
  return { findings: judged.map(({ finding }) => finding), looked: [...facts.keys()], repairs, nodes: facts };
}

async function print(context: CliContext, own: Command, { findings, looked, repairs, nodes }: Told): Promise<void> {
  const summary = countFindings(findings);
  const wrong = findings.filter(({ status }) => status !== 'ok');
  await printResult(context, globalOptions(own), {
    data: { summary, findings, repairs, ...(nodes && { nodes: Object.fromEntries(nodes) }) },
    names: wrong.map(({ id, subject }) => `${id} ${subject}`),
    text: (isWide) => describe(isWide ? findings : wrong, findings, looked),
  });
}

function describe(shown: readonly Finding[], all: readonly Finding[], nodes: readonly string[]): string {
  const { failed, warning, unknown } = countFindings(all);
  const checks = new Set(all.map(({ id }) => id)).size;
  const fixable = all.filter(({ isFixable }) => isFixable).length;
  const found = [
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(warning === 0 ? [] : [`${warning} warning${warning === 1 ? '' : 's'}`]),
    ...(unknown === 0 ? [] : [`${unknown} unknown`]),
  ];
  const looked = nodes.length === 0 ? 'no node could be looked at' : `looked at ${nodes.join(', ')}`;
  const hint = fixable === 0 ? '' : `; ${fixable} can be fixed by: holdfast doctor --fix`;
  const sentence = `${checks} checks, ${looked}: ${found.join(', ') || 'nothing is wrong'}${hint}\n`;
  return [...shown.map(describeFinding), sentence].join('\n');
}

function describeFinding({ id, title, status, subject, evidence, meaning, fix, doc }: Finding): string {
  if (status === 'ok') return `${id} ok: ${title}: ${subject}: ${evidence}\n`;
  const pairs = [
    ['Seen', evidence],
    ['Means', meaning],
    ['Do', fix],
    ['Read', doc],
  ] as const;
  return `${id} ${status}: ${title}: ${subject}\n${renderPairs(pairs.map(([name, value]) => [`  ${name}`, value]))}`;
}
