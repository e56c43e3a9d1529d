/** `holdfast volume heal NAME` and `holdfast volume rebalance NAME` */
import type { Command } from 'commander';
import type { ResourceClient } from '../../../ports/resource-client.ts';
import type { TaskSpec } from '../../../schemas/task.ts';
import { cancelTasks } from '../../../usecases/tasks/run-task.ts';
import { healTask, rebalanceTask } from '../../../usecases/tasks/volume-task.ts';
import type { CliContext } from '../context.ts';
import { followTask } from '../follow-task.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult } from '../output.ts';

interface WorkOptions {
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly cancel?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

interface Work {
  readonly action: 'heal' | 'rebalance';
  readonly name: string;
  readonly plan: (client: ResourceClient) => Promise<TaskSpec>;
}

/** Registers `volume heal`. */
export function registerVolumeHeal(command: Command, context: CliContext): void {
  command
    .description('Make the copies of a volume the same where they differ')
    .argument('<name>', 'name of the volume')
    .option('--full', 'compare every entry, not only those known to differ')
    .option('--dry-run', 'say whether it can be done, and do nothing')
    .option('--cancel', 'stop following one that runs; GlusterFS itself goes on healing')
    .option('--no-wait', 'do not wait until it is done')
    .action(async (name: string, options: WorkOptions, own: Command) => {
      const { signal } = context;
      const plan: Work['plan'] = (client) => healTask({ client, signal }, name, { isFull: options.full ?? false });
      await work(context, own, options, { action: 'heal', name, plan });
    });
}

/** Registers `volume rebalance`. */
export function registerVolumeRebalance(command: Command, context: CliContext): void {
  command
    .description('Spread the files of a volume evenly over its sets of copies')
    .argument('<name>', 'name of the volume')
    .option('--dry-run', 'say whether it can be done, and do nothing')
    .option('--cancel', 'stop one that runs; what it has moved stays moved')
    .option('--no-wait', 'do not wait until it is done')
    .action(async (name: string, options: WorkOptions, own: Command) => {
      const { signal } = context;
      await work(context, own, options, {
        action: 'rebalance',
        name,
        plan: (client) => rebalanceTask({ client, signal }, name),
      });
    });
}

async function work(context: CliContext, own: Command, options: WorkOptions, { action, name, plan }: Work) {
  const result = await withConnection(context, own, async (connection) => {
    const { client } = connection;
    if (options.cancel === true) {
      const cancelled = await cancelTasks({ client, clock: context.clock }, { action, volume: name });
      return { data: { volume: name, cancelled }, text: `${action} of volume ${name} is being stopped` };
    }
    const spec = await plan(client);
    if (options.dryRun === true) {
      return {
        data: { volume: name, isDryRun: true, task: spec },
        text: `${action} of volume ${name} would be started`,
      };
    }
    const task = await followTask(context, own, connection, { spec, isWaiting: options.wait });
    const done = options.wait ? `done: ${task.status?.message ?? ''}` : `started (task ${task.metadata.name})`;
    return { data: task, text: `${action} of volume ${name} ${done}` };
  });
  await printResult(context, globalOptions(own), {
    data: result.data,
    names: [`volume/${name}`],
    text: () => `${result.text}\n`,
  });
}
