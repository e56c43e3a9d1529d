/** Work on what a GlusterFS volume holds, run on one of its nodes. */
import { AppError } from '../../domain/errors.ts';
import { isEntryPath } from '../../domain/volume/entry-path.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import type { Random } from '../../ports/random.ts';
import type { HealState, RebalanceState, VolumeWork } from '../../ports/volume-work.ts';
import { NOT_IN_SPLIT_BRAIN } from '../../ports/volume-work.ts';
import { createGlusterCli, type GlusterCli } from './cli.ts';
import { type Argv, fullCrawlsArgv, healArgv, keepVersionArgv, rebalanceArgv } from './command.ts';
import { countHeals, lookAtEntries } from './heal-info.ts';
import { inspectEntry } from './inspect-entry.ts';
import { isHealLaunched } from './parse.ts';
import { parseFullCrawls, parseRebalance } from './parse-work.ts';
import { putBack } from './put-back.ts';
import { readEntry } from './read-entry.ts';
import { refusal } from './reply.ts';
import { saveEntry } from './save-entry.ts';
import { tidyUp } from './tidy-up.ts';

/** What the work needs of its node. */
export interface GlusterWorkDeps {
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
}

/** Launching takes seconds; heal info waits 10 s and more for a node that is off. */
const HEAL_MS = 120_000;

/** Creates the work of the node whose Host is given. */
export function createGlusterWork(deps: GlusterWorkDeps): VolumeWork {
  const { host } = deps;
  const cli = createGlusterCli(deps);
  return {
    startHeal: (volume, { isFull, signal }) => startHeal(cli, volume, healArgv(volume, { isFull }), signal),
    healState: (volume, signal) => healState(cli, volume, signal),
    fullCrawls: async (volume, signal) => {
      const output = await cli.text(fullCrawlsArgv(volume), about(volume, 'see the crawls over', signal));
      return parseFullCrawls(output.stdout);
    },
    startRebalance: async (volume, signal) => {
      await cli.demand(rebalanceArgv(volume, 'start'), about(volume, 'rebalance', signal));
    },
    rebalanceState: (volume, signal) => rebalanceState(cli, volume, signal),
    stopRebalance: async (volume, signal) => {
      if ((await rebalanceState(cli, volume, signal)).state !== 'running') return;
      await cli.demand(rebalanceArgv(volume, 'stop'), about(volume, 'stop the rebalance of', signal));
    },
    listSplitBrain: async (volume, signal) => {
      const { split, silent } = await lookAtEntries(cli, volume, about(volume, 'see the entries to heal of', signal));
      return { entries: split, silent };
    },
    keepVersion: async (volume, choice, signal) => {
      const output = await cli.text(keepVersionArgv(volume, choice), about(volume, 'resolve an entry of', signal));
      // It answers in text, also with --xml, and with 0 also when it failed.
      if (/^Healed |^GFID split-brain resolved/m.test(output.stdout)) return;
      if (/File not in split-brain/.test(output.stdout)) throw notSplit(volume, choice.path);
      throw refused(volume, `choose the version of ${choice.node} for ${choice.path}`, output);
    },
    inspectEntry: (brickPath, path, signal) => inspectEntry(host, { brickPath, path: checked(path) }, signal),
    saveEntry: (request, signal) => saveEntry(host, { ...request, path: checked(request.path) }, signal),
    readEntry: (request, signal) => readEntry(host, { ...request, path: checked(request.path) }, signal),
    tidyUp: (request, signal) => tidyUp(host, request, signal),
    putBack: (request, signal) => putBack(deps, { ...request, path: checked(request.path) }, signal),
  };
}

function about(volume: string, what: string, signal: AbortSignal) {
  return { about: `cannot ${what} volume ${volume}`, resource: `volume ${volume}`, signal, timeoutMs: HEAL_MS };
}

function checked(path: string): string {
  if (isEntryPath(path)) return path;
  throw new AppError('invalid', `${JSON.stringify(path.slice(0, 80))} is no entry of a volume`, {
    reason: 'InvalidPath',
    hint: 'write it from the root of the volume: /folder/file, without "..", or as gfid:UUID',
  });
}

async function startHeal(cli: GlusterCli, volume: string, argv: Argv, signal: AbortSignal): Promise<void> {
  const output = await cli.text(argv, about(volume, 'heal', signal));
  if (isHealLaunched(output.stdout)) return;
  throw refused(volume, 'start the heal', output);
}

function notSplit(volume: string, path: string): AppError {
  return new AppError('precondition', `${path} is not in split-brain; nothing was changed`, {
    resource: `volume ${volume}`,
    reason: NOT_IN_SPLIT_BRAIN,
    hint: `see: holdfast volume split-brain list ${volume}`,
  });
}

function refused(
  volume: string,
  what: string,
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
): AppError {
  const words = `${stdout} ${stderr}`.trim().replaceAll(/\s+/g, ' ');
  return new AppError('unavailable', `cannot ${what} of volume ${volume}: gluster says: ${words}`, {
    resource: `volume ${volume}`,
    reason: 'EngineRefused',
    hint: `it needs the bricks and self-heal daemons of all nodes of the volume; see: holdfast status`,
  });
}

async function healState(cli: GlusterCli, volume: string, signal: AbortSignal): Promise<HealState> {
  const ask = about(volume, 'see what is to heal in', signal);
  const bricks = await countHeals(cli, volume, ask);
  const silent = bricks.filter((brick) => !brick.isConnected || brick.pending === undefined);
  return {
    pending: silent.length > 0 ? undefined : Math.max(0, ...bricks.map((brick) => brick.pending ?? 0)),
    splitBrain: Math.max(0, ...bricks.map((brick) => brick.splitBrain ?? 0)),
    silent: silent.map((brick) => brick.node),
  };
}

async function rebalanceState(cli: GlusterCli, volume: string, signal: AbortSignal): Promise<RebalanceState> {
  const ask = about(volume, 'see the rebalance of', signal);
  const reply = await cli.ask(rebalanceArgv(volume, 'status'), ask);
  if (reply.isOk) return parseRebalance(reply);
  if (!/Rebalance not started/i.test(reply.text)) throw refusal(reply, ask.about, ask.resource);
  return { state: 'none', movedFiles: 0, movedBytes: 0, lookedAt: 0, failures: 0, skipped: 0 };
}
