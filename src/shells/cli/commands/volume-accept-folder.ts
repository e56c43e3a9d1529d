/** `holdfast volume accept-folder NAME` */
import type { Command } from 'commander';
import { describeBytes } from '../../../domain/bytes.ts';
import { AppError } from '../../../domain/errors.ts';
import { type AcceptedFolder, acceptFolder, type SeenFolder } from '../../../usecases/volumes/accept-folder.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';

interface AcceptFlags {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

const FATES = { delete: 'erased', archive: 'renamed' } as const;

/** Registers the command. */
export function registerVolumeAcceptFolder(command: Command, context: CliContext): void {
  command
    .description(
      'Take the folder that is at the place of the volume in its share for its own, after the file server was set up anew',
    )
    .argument('<name>', 'name of the volume, of engine nfs; it must be mounted nowhere')
    .option('--force', 'do not ask')
    .option('--dry-run', 'show what is in the folder, and change nothing')
    .action(async (name: string, flags: AcceptFlags, own: Command) => {
      const done = await run(context, own, name, flags);
      if (done.outcome === 'kept') {
        throw new AppError('cancelled', `the folder of volume ${name} was not accepted`, {
          hint: 'answer yes, or use --force',
        });
      }
      if (done.outcome === 'foreseen') tell(context, done);
      await printResult(context, globalOptions(own), {
        data: done,
        names: [`volume/${name}`],
        text: () => `${describe(done)}\n`,
      });
    });
}

function run(context: CliContext, own: Command, name: string, flags: AcceptFlags): Promise<AcceptedFolder> {
  const { clock, random, signal, env } = context;
  const { yes, timeout } = globalOptions(own);
  const by = env['SUDO_USER'] ?? env['USER'];
  return withConnection(context, own, ({ client }) =>
    acceptFolder({ client, clock, random }, name, {
      ...{ isDryRun: flags.dryRun ?? false, waitMs: timeout, signal },
      ...(by === undefined || by === '' ? {} : { by: by.slice(0, 64) }),
      confirm: async (seen) => {
        if (flags.force === true || yes === true) return true;
        tell(context, seen);
        const fate = `with the volume it is ${FATES[seen.onDelete]}`;
        return askYesNo(context, `Is that the folder of volume ${name}, with its data (${fate})`);
      },
    }),
  );
}

function tell(
  context: CliContext,
  { source, identity, before, names, hasMore, freeBytes, capacityBytes }: SeenFolder,
): void {
  const known =
    before === undefined ? 'and the share has no mark of the volume' : `and that of the volume had ${before}`;
  say(context, `${source} has ${identity}, ${known}`);
  say(context, `in it: ${names.length === 0 ? 'nothing' : `${names.join(', ')}${hasMore ? ' and more' : ''}`}`);
  say(context, `of the share ${describeBytes(freeBytes)} of ${describeBytes(capacityBytes)} are free`);
}

function describe({ name, source, outcome }: AcceptedFolder): string {
  if (outcome === 'unchanged') return `${source} is the folder of volume ${name} already`;
  if (outcome === 'foreseen') return `${source} could be accepted as the folder of volume ${name}`;
  return `${source} is the folder of volume ${name} now`;
}
