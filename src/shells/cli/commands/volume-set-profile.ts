/** `holdfast volume set-profile NAME PROFILE` */
import { Argument, type Command } from 'commander';
import { isAppError } from '../../../domain/errors.ts';
import { PROFILE_NAMES, PROFILES, type ProfileName } from '../../../domain/volume/profile.ts';
import { type ProfileChange, setProfile } from '../../../usecases/volumes/set-profile.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';

interface SetOptions {
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

/** Registers the command. */
export function registerVolumeSetProfile(command: Command, context: CliContext): void {
  command
    .description('Say what a volume is used for; the engine is set up for it')
    .argument('<name>', 'name of the volume')
    .addArgument(new Argument('<profile>', 'what it is used for').choices(PROFILE_NAMES))
    .option('--dry-run', 'say what would change, and change nothing')
    .option('--no-wait', 'do not wait until it holds')
    .action(async (name: string, profile: ProfileName, options: SetOptions, own: Command) => {
      const { timeout } = globalOptions(own);
      const change = await withConnection(context, own, ({ client }) =>
        setProfile(
          { client, clock: context.clock },
          { name, profile },
          {
            isDryRun: options.dryRun ?? false,
            signal: context.signal,
            ...(options.wait ? { waitMs: timeout } : {}),
          },
        ),
      ).catch((error: unknown) => {
        if (isAppError(error, 'cancelled'))
          say(context, `what was begun goes on by itself; see: holdfast volume show ${name}`);
        throw error;
      });
      for (const { node, path } of change.oldMounts) {
        say(context, `${node} has it mounted at ${path} as before: mount it anew there when nobody uses it`);
      }
      await printResult(context, globalOptions(own), {
        data: change,
        names: [`volume/${name}`],
        text: () => `${describe(change)} (${PROFILES[profile]})\n`,
      });
    });
}

function describe({ name, from, to, isDryRun, isDone }: ProfileChange): string {
  if (isDryRun) return `volume ${name} would change from profile ${from} to ${to}`;
  return isDone ? `volume ${name} has profile ${to}` : `volume ${name} changes from profile ${from} to ${to}`;
}
