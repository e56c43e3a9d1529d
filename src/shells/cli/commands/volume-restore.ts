/** `holdfast volume restore NAME SNAPSHOT` */
import type { Command } from 'commander';
import { AppError, isAppError } from '../../../domain/errors.ts';
import { type RestoredVolume, restoreVolume } from '../../../usecases/snapshots/restore-volume.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';

interface RestoreFlags {
  readonly force?: boolean;
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

/** Registers the command. */
export function registerVolumeRestore(command: Command, context: CliContext): void {
  command
    .description('Put a snapshot in the place of what its volume holds, which is kept as another snapshot')
    .argument('<name>', 'name of the volume; it must be mounted nowhere')
    .argument('<snapshot>', 'name of the snapshot')
    .option('--force', 'do not ask')
    .option('--dry-run', 'say whether it can be done, and change nothing')
    .option('--no-wait', 'do not wait until it is done')
    .action(async (volume: string, snapshot: string, flags: RestoreFlags, own: Command) => {
      const restored = await run(context, own, { volume, snapshot }, flags);
      if (restored.outcome === 'kept') {
        throw new AppError('cancelled', `volume ${volume} was not restored`, { hint: 'answer yes, or use --force' });
      }
      await printResult(context, globalOptions(own), {
        data: restored,
        names: [`volume/${volume}`],
        text: () => describe(restored),
      });
    });
}

async function run(
  context: CliContext,
  own: Command,
  request: { readonly volume: string; readonly snapshot: string },
  flags: RestoreFlags,
): Promise<RestoredVolume> {
  const { yes, timeout } = globalOptions(own);
  const { clock, signal } = context;
  let isAsked = false;
  try {
    return await withConnection(context, own, ({ client }) =>
      restoreVolume({ client, clock }, request, {
        isDryRun: flags.dryRun ?? false,
        signal,
        ...(flags.wait ? { waitMs: timeout } : {}),
        onProgress: (message) => {
          isAsked = true;
          say(context, message);
        },
        confirm: async ({ name, size, safetySnapshot }) => {
          if (flags.force === true || yes === true) return true;
          say(context, `volume ${name}, ${size}; what it holds now is kept as snapshot ${safetySnapshot}`);
          return askYesNo(context, `Are you sure you want it to hold snapshot ${request.snapshot} instead`);
        },
      }),
    );
  } catch (error) {
    if (isAsked && isAppError(error, 'cancelled')) {
      say(context, 'what was begun goes on by itself; the same command waits for it');
    }
    throw error;
  }
}

function describe({ name, snapshot, safetySnapshot, outcome }: RestoredVolume): string {
  if (outcome === 'planned') return `volume ${name} could be restored from snapshot ${snapshot}\n`;
  const verb = outcome === 'done' ? 'holds snapshot' : 'is asked to hold snapshot';
  return `volume ${name} ${verb} ${snapshot}; what it held before: snapshot ${safetySnapshot}\n`;
}
