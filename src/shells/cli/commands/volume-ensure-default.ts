/** `holdfast volume ensure-default` */
import type { Command } from 'commander';
import {
  DEFAULT_CLAIM_NAMESPACE,
  DEFAULT_VOLUME,
  ensureDefaultVolume,
} from '../../../usecases/volumes/ensure-default.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';

/** Registers the command. */
export function registerVolumeEnsureDefault(command: Command, context: CliContext): void {
  command
    .description(`Make sure of the 10 GB share that features use by default: the volume ${DEFAULT_VOLUME}`)
    .option('--wait', 'wait until the volume is ready, and register its PersistentVolume')
    .action(async ({ wait = false }: { readonly wait?: boolean }, own: Command) => {
      const { timeout } = globalOptions(own);
      const share = await withConnection(context, own, ({ client }) =>
        ensureDefaultVolume(
          { client, clock: context.clock },
          {
            signal: context.signal,
            ...(wait ? { waitMs: timeout } : {}),
            onStored: ({ notes, isResumed }) => {
              // That it is there already is what is hoped for, and no news.
              if (!isResumed) for (const note of notes) say(context, note);
            },
          },
        ),
      );
      say(
        context,
        share.isRegistered
          ? `PersistentVolume ${share.name} is kept for the claim ${DEFAULT_CLAIM_NAMESPACE}/${DEFAULT_VOLUME}`
          : `PersistentVolume ${share.name} is registered when the volume is ready: repeat the command with --wait`,
      );
      await printResult(context, globalOptions(own), {
        data: share,
        names: [`volume/${share.name}`],
        text: () => `${share.name}\n`,
      });
    });
}
