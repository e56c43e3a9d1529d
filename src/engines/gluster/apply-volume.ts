/** Carries out volume steps. A refusal is checked against `volume info`: what is already so is no error. */

import type { KeyedMutex } from '../image/keyed-mutex.ts';
import type { GlusterCli } from './cli.ts';
import * as command from './command.ts';
import { memberActions } from './member-actions.ts';
import { findVolume, type VolumeDeps } from './observe-volume.ts';
import { isHealLaunched, type VolumeInfo } from './parse.ts';
import { refusal } from './reply.ts';
import type { VolumeStep } from './steps.ts';

/** Starting the first volume of a node starts the self-heal daemon too (2.4 s); quota starts its own (2.9 s). */
const CHANGE_MS = 120_000;

type Act<K extends VolumeStep['step']> = (step: Extract<VolumeStep, { step: K }>, signal: AbortSignal) => Promise<void>;
export type VolumeActions = { readonly [K in VolumeStep['step']]: Act<K> };

/** Creates the actions on volumes; one at a time per volume. */
export function createVolumeActions(deps: VolumeDeps): VolumeActions {
  const { cli, locks, log } = deps;
  const change = (request: Change) => locks.run(request.volume, () => changeOnce(cli, request));
  return {
    createVolume: ({ volume, bricks, about, ...shape }, signal) =>
      change({
        volume,
        about,
        signal,
        argv: command.volumeCreateArgv(volume, shape, bricks),
        isDone: (info) => {
          const found = info?.bricks.map((brick) => `${brick.node}:${brick.path}`).join('\n');
          return found === bricks.map((brick) => `${brick.node}:${brick.path}`).join('\n');
        },
      }),
    setOptions: ({ volume, options, about }, signal) =>
      change({ volume, about, signal, argv: command.volumeSetArgv(volume, options), isDone: () => false }),
    resetOptions: async ({ volume, keys, about }, signal) => {
      // One that is not set is reset all the same; the command takes one at a time.
      for (const key of keys) {
        const argv = command.volumeResetArgv(volume, key);
        await change({ volume, about, signal, argv, isDone: (info) => info?.options[key] === undefined });
      }
    },
    startVolume: ({ volume, about }, signal) =>
      change({
        volume,
        about,
        signal,
        argv: command.volumeStartArgv(volume, false),
        isDone: (info) => info?.state === 'started',
      }),
    startBricks: ({ volume, about }, signal) =>
      change({ volume, about, signal, argv: command.volumeStartArgv(volume, true), isDone: () => false }),
    stopVolume: ({ volume, about }, signal) =>
      change({
        volume,
        about,
        signal,
        argv: command.volumeStopArgv(volume),
        isDone: (info) => info?.state !== 'started',
      }),
    deleteVolume: ({ volume, about }, signal) =>
      change({
        volume,
        about,
        signal,
        argv: command.volumeDeleteArgv(volume),
        isDone: (info) => info === undefined,
      }),
    ...memberActions(change),
    limitVolume: (step, signal) => limitVolume(cli, locks, step, signal),
    healVolume: async ({ volume, about }, signal) => {
      const ask = { about: `cannot ${about}`, resource: `volume ${volume}`, signal, timeoutMs: CHANGE_MS };
      const output = await locks.run(volume, () => cli.text(command.healArgv(volume), ask));
      // For some seconds after a node's return its self-heal daemon is not there yet. What is pending stays pending
      // and is seen, and planned for, at the next look.
      if (!isHealLaunched(output.stdout)) log?.info('heal not launched yet', { volume, answer: output.stdout.trim() });
    },
  };
}

/** One change of a volume: asked for, and checked against what the volume is made of when it is refused. */
export interface Change {
  readonly volume: string;
  readonly about: string;
  readonly argv: command.Argv;
  readonly signal: AbortSignal;
  /** Whether the volume is already as the command would make it. */
  readonly isDone: (info: VolumeInfo | undefined) => boolean;
}

async function changeOnce(cli: GlusterCli, { volume, about, argv, signal, isDone }: Change): Promise<void> {
  const ask = { about: `cannot ${about}`, resource: `volume ${volume}`, signal, timeoutMs: CHANGE_MS };
  const reply = await cli.ask(argv, ask);
  if (reply.isOk || isDone(await findVolume(cli, volume, signal))) return;
  throw refusal(reply, ask.about, ask.resource);
}

async function limitVolume(
  cli: GlusterCli,
  locks: KeyedMutex,
  { volume, limitBytes, about }: Extract<VolumeStep, { step: 'limitVolume' }>,
  signal: AbortSignal,
): Promise<void> {
  const ask = { about: `cannot ${about}`, resource: `volume ${volume}`, signal, timeoutMs: CHANGE_MS };
  await locks.run(volume, async () => {
    await changeOnce(cli, {
      volume,
      about,
      signal,
      argv: command.quotaEnableArgv(volume),
      isDone: (info) => info?.options['features.quota'] === 'on',
    });
    await cli.demand(command.quotaTimeoutArgv(volume, 'hard-timeout'), ask);
    await cli.demand(command.quotaTimeoutArgv(volume, 'soft-timeout'), ask);
    // Last, so that a limit that is seen is one that holds.
    await cli.demand(command.quotaLimitArgv(volume, limitBytes), ask);
  });
}
