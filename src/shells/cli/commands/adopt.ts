/** `holdfast adopt pv NAME`: PersistentVolumes of others, taken over with their data. */
import type { Command } from 'commander';
import type { MoveStep } from '../../../domain/adopt/claim-move.ts';
import { type AdoptedPv, adoptPv } from '../../../usecases/persistent-volumes/adopt-pv.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';

interface AdoptOptions {
  readonly as?: string;
  readonly volume?: string;
  readonly dryRun?: boolean;
  readonly confirm?: boolean;
}

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  command
    .command('pv')
    .description(
      'Take over a PersistentVolume of the removed plugin glusterfs, or a static NFS one, with its data and its claim; ' +
        'its pods have to be stopped. Stopped anywhere, the same command goes on',
    )
    .argument('<name>', 'the PersistentVolume')
    .option('--as <name>', 'NFS: name of the new volume (default: NAME-holdfast)')
    .option('--volume <name>', 'glusterfs: the Volume that it is, where its endpoints do not prove it')
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('--confirm', 'the data was looked at: delete the old PersistentVolume, whose data stays')
    .action(async (name: string, options: AdoptOptions, own: Command) => {
      const { signal, clock } = context;
      const { timeout: waitMs } = globalOptions(own);
      const adopted = await withConnection(context, own, ({ client }) =>
        adoptPv({ client, clock }, name, {
          ...(options.as === undefined ? {} : { as: options.as }),
          ...(options.volume === undefined ? {} : { volume: options.volume }),
          ...{ isDryRun: options.dryRun === true, isConfirmed: options.confirm === true, waitMs, signal },
          onStep: (step) => say(context, WORDS[step]),
        }),
      );
      await printResult(context, globalOptions(own), {
        data: adopted,
        names: [`persistentvolume/${adopted.adoptedAs}`],
        text: () => describe(adopted),
      });
    });
}

const WORDS: Readonly<Record<MoveStep, string>> = {
  keepOld: 'letting the old PersistentVolume keep its data (Retain)',
  addVolume: 'adding the Volume',
  awaitVolume: 'waiting until the Volume is ready',
  offer: 'making its PersistentVolume, with the words of the claim',
  deleteClaim: 'deleting the claim that is bound to the old one',
  awaitDeletion: 'waiting until that claim is gone',
  createClaim: 'making the claim again, for the new one',
  awaitBinding: 'waiting until it is bound',
};

function describe({ persistentVolume, adoptedAs, claim, steps, isDryRun, isOldDeleted }: AdoptedPv): string {
  if (isDryRun) {
    const list = steps.map((step) => `  ${WORDS[step]}\n`).join('');
    return steps.length === 0
      ? `${claim} is on ${adoptedAs} already\n`
      : `would adopt ${persistentVolume} as ${adoptedAs}:\n${list}`;
  }
  const old = isOldDeleted
    ? `PersistentVolume ${persistentVolume} is deleted; its data stays`
    : `PersistentVolume ${persistentVolume} is kept; once the data was looked at: holdfast adopt pv ${persistentVolume} --confirm`;
  return `${claim} has PersistentVolume ${adoptedAs}, with the same data\n${old}\n`;
}
