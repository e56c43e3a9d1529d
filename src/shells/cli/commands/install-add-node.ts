/** `holdfast install add-node NODE IP [INTERNAL_IP]`: one machine more, in the plan first. */
import { type Command, InvalidArgumentError } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { labelFault } from '../../../domain/names.ts';
import { nodeNameOf } from '../../../domain/plan/node-name.ts';
import type { PlanFile } from '../../../schemas/plan-file.ts';
import type { CliContext } from '../context.ts';
import { say } from '../output.ts';
import type { AddedNode, ComposedInstall } from './install-context.ts';

type Pool = NonNullable<AddedNode['pools']>[number];

export interface AddNodeFlags {
  readonly pool: readonly Pool[];
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly roles?: string;
}

/** What commander calls the action of the command with. */
export type AddNodeArguments<Flags = AddNodeFlags> = readonly [
  host: string,
  ip: string,
  internalip: string | undefined,
  flags: Flags,
  own: Command,
];

/** The machine that the arguments name. */
export function addedNodeOf([host, ip, internalip]: AddNodeArguments<unknown>): Pick<
  AddedNode,
  'host' | 'ip' | 'internalip'
> {
  return { host, ip, ...(internalip === undefined ? {} : { internalip }) };
}

/** Adds arguments, options and description. */
export function addNodeOptions(command: Command): Command {
  return command
    .description('Add a machine to the plan file and install it')
    .argument('<node>', 'host name of the machine')
    .argument('<ip>', 'its address')
    .argument('[internal-ip]', 'its address between nodes, where they have a network of their own')
    .option('--pool <name=path[,device]>', 'pool of the machine; may be given several times', collectPools, [])
    .option('--zone <zone>', 'failure domain')
    .option('-l, --labels <key=value,...>', 'labels of the machine', parseLabels)
    .option('--roles <roles>', 'as Kismatic has it; storage is the one that there is');
}

/** The plan with the node in it, written down unless this is only a rehearsal. A node that is in it already is no error. */
export async function addToPlan(
  { deps, context }: { readonly deps: ComposedInstall; readonly context: CliContext },
  {
    file,
    node,
    flags,
    isDryRun,
  }: {
    readonly file: string;
    readonly node: Pick<AddedNode, 'host' | 'ip' | 'internalip'>;
    readonly flags: AddNodeFlags;
    readonly isDryRun: boolean;
  },
): Promise<PlanFile> {
  checkRoles(flags.roles);
  if (file === '-')
    throw new AppError('invalid', 'a node is added to a plan file, not to standard input', { hint: 'name it with -f' });
  const plan = await context.plans.read(file);
  const existing = (plan.storage?.nodes ?? []).find((each) => nodeNameOf(each.host) === nodeNameOf(node.host));
  if (existing !== undefined) {
    if (existing.ip === node.ip && existing.internalip === node.internalip) return plan;
    throw new AppError('exists', `the plan has ${existing.host} already, with the address ${existing.ip}`, {
      reason: 'NodeInPlan',
      hint: `correct it in ${file}, or name the new machine otherwise`,
    });
  }
  const { pool, zone, labels } = flags;
  const added = await deps.addNode(file, {
    ...node,
    ...(zone === undefined ? {} : { zone }),
    ...(labels === undefined ? {} : { labels }),
    ...(pool.length === 0 ? {} : { pools: pool }),
  });
  if (pool.length === 0) say(context, `note: ${node.host} gets no pool, so it only uses volumes; --pool gives it one`);
  if (isDryRun) say(context, `would add ${node.host} to ${file}`);
  else {
    await added.write();
    say(context, `${node.host} is added to ${file}`);
  }
  return added.plan;
}

function checkRoles(roles: string | undefined): void {
  const asked = (roles ?? 'storage').split(',').map((role) => role.trim());
  if (asked.includes('storage')) return;
  throw new AppError('invalid', `the roles ${asked.join(', ')} are Kubernetes's; Holdfast installs storage`, {
    hint: 'add storage to --roles, or leave it out',
  });
}

function collectPools(text: string, previous: readonly Pool[]): readonly Pool[] {
  const { name, path, device } = /^(?<name>[^=]+)=(?<path>[^,]+)(?:,(?<device>.+))?$/.exec(text)?.groups ?? {};
  if (name === undefined || path === undefined || labelFault(name) !== undefined) {
    throw new InvalidArgumentError('write NAME=PATH or NAME=PATH,DEVICE, for example default=/mnt/pool,/dev/vdb');
  }
  return [...previous, { name, path, ...(device === undefined ? {} : { device }) }];
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(',').map((pair): [string, string] => {
      const at = pair.indexOf('=');
      if (at < 1) throw new InvalidArgumentError('write KEY=VALUE, several with commas between');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
