/** `holdfast demo`: three hosts, a replicated volume, two of them lost in turn, and the proof that nothing else was. */
import type { Command } from 'commander';
import { type DemoReport, isProofWhole } from '../../../domain/demo-report.ts';
import { AppError } from '../../../domain/errors.ts';
import { GLUSTER_PROGRAMS, LAB_PROGRAMS } from '../../../domain/needed-programs.ts';
import type { Packages } from '../../../ports/packages.ts';
import { runDemo } from '../../../usecases/demo/run-demo.ts';
import type { DemoDeps } from '../../../usecases/demo/stage.ts';
import { installMissing } from '../../../usecases/lab/install-missing.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { globalOptions } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { renderPairs } from '../table.ts';

export interface DemoCommandDeps extends DemoDeps {
  readonly packages: Packages;
  /** The plan that the demo carries out when none is named. */
  readonly defaultPlan: string;
}

interface Flags {
  readonly plan: string;
  readonly json?: boolean;
  readonly keep?: boolean;
}

const LAB_NAME = 'demo';

/** Creates the command's module, for `src/main`. */
export function createDemoCommand(deps: DemoCommandDeps): CommandModule {
  return {
    register: (command, context) => {
      command
        .description(
          'Show the main job: three hosts on this machine, a replicated volume, hosts lost under load, and proof',
        )
        .option('--plan <file>', 'plan to carry out', deps.defaultPlan)
        .option('--json', 'print the result as one JSON object on standard output (as -o json)')
        .option('--keep', 'leave the lab running for holdfast and kubectl')
        .action((flags: Flags, own: Command) => run(deps, context, flags, own));
    },
  };
}

async function run(deps: DemoCommandDeps, context: CliContext, flags: Flags, own: Command): Promise<void> {
  const startedAt = context.clock.monotonic();
  const tell = (line: string): void => {
    const seconds = ((context.clock.monotonic() - startedAt) / 1000).toFixed(1).padStart(5);
    say(context, `[${seconds} s] ${line}`);
  };
  const plan = await context.plans.read(flags.plan);
  await installMissing(deps, [...LAB_PROGRAMS, ...GLUSTER_PROGRAMS], { say: tell, signal: context.signal });
  const options = { plan, labName: LAB_NAME, isKept: flags.keep === true, startedAt, say: tell };
  const report = await runDemo(deps, options, context.signal);

  const global = globalOptions(own);
  const output = flags.json === true ? 'json' : global.output;
  await printResult(context, { ...global, output }, { data: report, names: [], text: () => describe(report) });
  if (isProofWhole(report)) return;
  throw new AppError('dataLoss', 'the proof failed: acknowledged records were lost or damaged, or the copies differ', {
    hint: 'run it again with --keep, and please report what you find',
  });
}

function describe(report: DemoReport): string {
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  const damaged = report.torn + report.reordered + report.duplicated;
  return `\n${renderPairs([
    ['records acknowledged', report.acknowledged],
    ['lost', report.lost],
    ['torn, reordered or duplicated', damaged],
    ['copies equal', report.copiesEqual ? 'yes' : 'NO'],
    ['longest stall of the writer', `${report.longestStallSeconds.toFixed(2)} s`],
    ['heal after power-on', seconds(report.healSeconds)],
    ['start to mounted volume', seconds(report.secondsToMounted)],
    ['whole demo', seconds(report.totalSeconds)],
    ['API', report.isKept ? report.api : `${report.api} (removed; --keep leaves it running)`],
    ['kubeconfig', report.isKept ? report.kubeconfig : undefined],
  ])}${report.isKept ? nextSteps(report) : ''}`;
}

function nextSteps({ kubeconfig }: DemoReport): string {
  return [
    '',
    'The lab is still running. Try:',
    `  export HOLDFAST_KUBECONFIG=${kubeconfig} KUBECONFIG=${kubeconfig}`,
    '  npx holdfast status',
    '  kubectl get volumes,storagenodes -o wide',
    '  npx holdfast lab power off kube2',
    '  npx holdfast lab down',
    '',
  ].join('\n');
}
