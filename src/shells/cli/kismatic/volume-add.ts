/** `kismatic volume add`, with its flags, defaults and words (apprenda/kismatic, pkg/cli/volume_add.go). */
import type { Command } from 'commander';
import { AppError, isAppError } from '../../../domain/errors.ts';
import { kismaticAllowList } from '../../../domain/plan/kismatic-allow-list.ts';
import { generateVolumeName } from '../../../domain/volume/generate-name.ts';
import { type KismaticWish, kismaticFaults } from '../../../domain/volume/kismatic-wish.ts';
import { readRegistration } from '../../../domain/volume/persistent-volume.ts';
import type { ResourceClient } from '../../../ports/resource-client.ts';
import {
  addStaticVolume,
  type StaticVolumeOptions,
  type StaticVolumeRequest,
} from '../../../usecases/volumes/add-static-volume.ts';
import type { CliContext } from '../context.ts';
import { say } from '../output.ts';
import { sayStates } from '../say-states.ts';
import { readPlan, withCluster, wrapped } from './plan-file.ts';
import { addStepOptions, checkStepOutput, type StepOptions } from './step-options.ts';

interface AddOptions extends StepOptions {
  readonly replicaCount: number;
  readonly distributionCount: number;
  readonly storageClass: string;
  readonly allowAddress: readonly string[];
  readonly accessModes: string;
  readonly reclaimPolicy: string;
  readonly allowSplitBrain?: boolean;
}

/** Kismatic waits as long as it takes; an hour is longer than any volume takes that will ever be ready. */
const WAIT_MS = 60 * 60 * 1000;

/** Registers the command. */
export function registerKismaticAdd(command: Command, context: CliContext): void {
  command
    .description('add storage volumes to the Kubernetes cluster')
    .argument('[size_in_gigabytes]')
    .argument('[volume-name]')
    .allowExcessArguments(true)
    .option(
      '-r, --replica-count <int>',
      'The number of times each file will be written.',
      readInt('-r, --replica-count'),
      2,
    )
    .option(
      '-d, --distribution-count <int>',
      'This is the degree to which data will be distributed across the cluster.',
      readInt('-d, --distribution-count'),
      1,
    )
    .option('-c, --storage-class <string>', 'The StorageClass to present for claims in Kubernetes.', 'kismatic')
    .option(
      '-a, --allow-address <strings>',
      'Comma delimited list of address wildcards permitted access to the volume in addition to Kubernetes nodes.',
      readList,
      [],
    )
    .option(
      '--access-modes <string>',
      'Comma-separated list of access modes for the persistent volume (options ReadWriteOnce|ReadOnlyMany|ReadWriteMany)',
      'ReadWriteMany',
    )
    .option('--reclaim-policy <string>', 'Persistent volume reclaim policy (options Retain|Recycle|Delete)', 'Retain')
    .option(
      '--allow-split-brain',
      "Holdfast's own: accept 2 plain replicas, which can diverge, where no third node is",
    );
  addStepOptions(command);
  command.action(async (_size, _name, options: AddOptions, own: Command) => add(context, own, options));
}

async function add(context: CliContext, own: Command, options: AddOptions): Promise<void> {
  const { sizeGb, name } = readArguments(own.args, context);
  const plan = await readPlan(context, own);
  checkStepOutput(context, own, options);
  const wish: KismaticWish = {
    name,
    sizeGb,
    replicas: options.replicaCount,
    distribution: options.distributionCount,
    allow: options.allowAddress,
    storageClass: options.storageClass,
    accessModes: options.accessModes.split(','),
    reclaimPolicy: options.reclaimPolicy,
  };
  const request = { ...checkWish(context, wish, plan), allowSplitBrain: options.allowSplitBrain === true };
  await withCluster(context, async (client) => {
    try {
      await addFitting(context, client, { request, wish, options });
    } catch (error) {
      throw isAppError(error) && error.kind !== 'cancelled' ? wrapped('error adding new volume', error) : error;
    }
  });
  context.stdout.write(
    '\nSuccessfully added the persistent volume to the kubernetes cluster.\n\n' +
      `Use "kubectl describe pv ${name}" to view volume details.\n`,
  );
}

function readArguments(
  args: readonly string[],
  { random }: CliContext,
): { readonly sizeGb: number; readonly name: string } {
  const [size, name = generateVolumeName(random.next)] = args;
  if (size === undefined) {
    throw new AppError('invalid', 'the volume size (in gigabytes) must be provided as the first argument to add');
  }
  if (args.length > 2) {
    const message = `${args.length} arguments were provided, but add does not support more than two arguments`;
    throw new AppError('invalid', message);
  }
  if (!/^[+-]?\d{1,15}$/.test(size)) throw new AppError('invalid', 'the volume size provided is not valid');
  return { sizeGb: Number(size), name };
}

/** @throws {AppError} when anything is wrong; what it is stands on standard output, as Kismatic has it */
function checkWish(context: CliContext, wish: KismaticWish, plan: unknown): StaticVolumeRequest {
  const faults = kismaticFaults(wish);
  const reading = readRegistration(wish);
  if (faults.length > 0 || !reading.ok) {
    context.stdout.write('The storage volume configuration is not valid:\n');
    for (const fault of faults) context.stdout.write(`- ${fault}\n`);
    throw new AppError('invalid', 'storage volume validation failed');
  }
  return {
    name: wish.name,
    // The quota is N GB to Kismatic and the PersistentVolume NGi: the larger is what is made.
    size: `${wish.sizeGb}Gi`,
    replicas: wish.replicas,
    distribution: wish.distribution,
    allowFrom: kismaticAllowList(plan, wish.allow),
    registration: reading.registration,
  };
}

async function addFitting(
  context: CliContext,
  client: ResourceClient,
  asked: { readonly request: StaticVolumeRequest; readonly wish: KismaticWish; readonly options: AddOptions },
): Promise<void> {
  const { request, wish, options } = asked;
  const { items: nodes } = await client.list('StorageNode', { signal: context.signal });
  const needed = wish.replicas * wish.distribution;
  if (needed > nodes.length) {
    throw new AppError(
      'capacity',
      `the requested volume configuration requires ${needed} storage nodes, but the cluster only has ${nodes.length}.`,
    );
  }
  // An empty list would let everybody in; Kismatic always names the nodes.
  const own = nodes.map(({ spec }) => spec.addresses.internalIp ?? spec.addresses.ip);
  const allowFrom = request.allowFrom?.length === 0 ? own : request.allowFrom;
  try {
    await addStaticVolume(
      { client, clock: context.clock },
      { ...request, ...(allowFrom && { allowFrom }) },
      {
        waitMs: WAIT_MS,
        signal: context.signal,
        ...progressOf(context, options),
      },
    );
  } catch (error) {
    if (!isAppError(error, 'capacity') || error.reason !== 'NoPlaceForCopies') throw error;
    const available = Math.max(0, nodes.length - error.faults.length);
    throw new AppError(
      'capacity',
      `Not enough nodes with sufficient disk space for the requested volume. Required: ${needed} Available: ${available}.`,
      {
        reason: 'NoPlaceForCopies',
        faults: error.faults,
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      },
    );
  }
}

/** simple: what was decided. raw: also each state on the way. --verbose: also why each node was taken. */
function progressOf(
  context: CliContext,
  { output, verbose = false }: AddOptions,
): Pick<StaticVolumeOptions, 'onStored' | 'onSeen'> {
  return {
    onStored: ({ notes, reasons }) => {
      for (const note of verbose ? [...notes, ...reasons] : notes) say(context, note);
    },
    ...(output === 'raw' ? { onSeen: sayStates(context) } : {}),
  };
}

function readInt(flags: string): (text: string) => number {
  return (text) => {
    if (/^[+-]?\d{1,9}$/.test(text)) return Number(text);
    throw new AppError('invalid', `invalid argument ${JSON.stringify(text.slice(0, 40))} for "${flags}" flag`);
  };
}

function readList(text: string, before: readonly string[]): readonly string[] {
  return text === '' ? before : [...before, ...text.split(',').map((address) => address.trim())];
}
