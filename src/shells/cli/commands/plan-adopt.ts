/** `holdfast plan adopt -f FILE [--pool-of NODE]`: a plan of a pool that exists. */
import { type Command, InvalidArgumentError } from 'commander';
import type { PoolReader } from '../../../ports/pool-reader.ts';
import type { PlanSsh } from '../../../schemas/plan-file.ts';
import { type AdoptedPlanFile, type AdoptedPool, adoptPool } from '../../../usecases/plan/adopt-pool.ts';
import type { CliContext } from '../context.ts';
import { globalOptions } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { addFileOption, type FileOption } from './plan-file-option.ts';

export interface ComposedAdoption {
  readonly reader: PoolReader;
  readonly file: AdoptedPlanFile;
  /** Lets go of what was made for this one command. */
  close(): Promise<void>;
}

export type ComposeAdoption = (options: {
  /** The plan file, or - for one that is only printed. */
  readonly file: string;
  /** A node of the plan, or the name or address of a machine; this machine when left out. */
  readonly poolOf?: string;
  /** Fills in what the plan does not say. */
  readonly ssh?: PlanSsh;
  readonly env: CliContext['env'];
  readonly signal: AbortSignal;
}) => Promise<ComposedAdoption>;

interface AdoptFlags extends FileOption {
  readonly poolOf?: string;
  readonly sshUser?: string;
  readonly sshKey?: string;
  readonly sshPort?: number;
  readonly knownHosts?: string;
  readonly dryRun?: boolean;
}

/** Registers the command. */
export function registerPlanAdopt(command: Command, context: CliContext, compose: ComposeAdoption): void {
  addFileOption(command)
    .description('Write a GlusterFS pool that exists, with its volumes, into a plan file; changes nothing of the pool')
    .option('--pool-of <node>', 'machine of the pool, reached over ssh; this machine when left out')
    .option('--ssh-user <user>', 'who logs in there, when the plan does not say it')
    .option('--ssh-key <file>', 'key to log in with, when the plan does not say it')
    .option('--ssh-port <port>', 'port of ssh, when the plan does not say it', parsePort)
    .option('--known-hosts <file>', 'host keys to trust, when the plan does not say it')
    .option('--dry-run', 'say what would be written, and write nothing')
    .action(async (flags: AdoptFlags, own: Command) => {
      const { file, poolOf, dryRun = false } = flags;
      const ssh = sshOf(flags);
      const deps = await compose({
        ...{ file, env: context.env, signal: context.signal },
        ...(poolOf === undefined ? {} : { poolOf }),
        ...(ssh === undefined ? {} : { ssh }),
      });
      try {
        const adopted = await adoptPool(deps, { isDryRun: dryRun || file === '-', signal: context.signal });
        await print(context, own, { file, adopted });
      } finally {
        await deps.close();
      }
    });
}

async function print(
  context: CliContext,
  own: Command,
  { file, adopted }: { readonly file: string; readonly adopted: AdoptedPool },
): Promise<void> {
  for (const { volume, reason } of adopted.refusals) say(context, `not adopted: volume ${volume}: ${reason}`);
  for (const notice of adopted.notices) say(context, `note: ${notice}`);
  if (file === '-') {
    context.stdout.write(adopted.text);
    return;
  }
  const { text: _text, ...data } = adopted;
  await printResult(context, globalOptions(own), {
    data,
    names: [
      ...adopted.nodes.map((node) => `storagenode/${node.host}`),
      ...adopted.volumes.map((volume) => `volume/${volume.name}`),
    ],
    text: () => describe(file, adopted),
  });
}

function describe(file: string, { nodes, volumes, known, isAddition, isWritten }: AdoptedPool): string {
  if (nodes.length + volumes.length === 0) return `${file} has everything already: ${known.join(', ')}\n`;
  const what = [
    ...(nodes.length === 0 ? [] : [`nodes ${nodes.map((node) => node.host).join(', ')}`]),
    ...(volumes.length === 0 ? [] : [`volumes ${volumes.map((volume) => volume.name).join(', ')}`]),
  ].join(' and ');
  if (!isWritten) return `would ${isAddition ? `add to ${file}` : `write ${file} with`}: ${what}\n`;
  const done = isAddition ? `added to ${file}` : `${file} is written with`;
  return `${done}: ${what}\nSee what applying it changes: holdfast plan diff -f ${file}\n`;
}

function sshOf({ sshUser, sshKey, sshPort, knownHosts }: AdoptFlags): PlanSsh | undefined {
  const ssh = {
    ...(sshUser === undefined ? {} : { user: sshUser }),
    ...(sshKey === undefined ? {} : { key: sshKey }),
    ...(sshPort === undefined ? {} : { port: sshPort }),
    ...(knownHosts === undefined ? {} : { known_hosts: knownHosts }),
  };
  return Object.keys(ssh).length === 0 ? undefined : ssh;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('write a port, for example 22');
}
