/**
 * The argument lists of the gluster program, one function per command. Pure. Names and paths were checked where they
 * came in; they are checked again here, since gluster knows no `--` and takes any word that begins with `--` as an
 * option of its own, wherever it stands.
 */
import { AppError } from '../../domain/errors.ts';
import { parseEngineVolumeName, parseNodeName, parseVolumeName } from '../../domain/names.ts';
import { isEntryPath } from '../../domain/volume/entry-path.ts';
import type { DesiredBrick } from '../../ports/engine.ts';
import { plainPath } from '../image/paths.ts';
import { layoutWords } from './layout-words.ts';
import type { VolumeShape } from './steps.ts';

/** Arguments after the program's name. */
export type Argv = readonly string[];

// script: never asks; xml: answers that can be read.
const FRAME = ['--mode=script', '--xml'] as const;

/** A call that never asks and answers in XML. */
export function gluster(...words: readonly string[]): Argv {
  return [...FRAME, ...words];
}

/** The machines of the trusted pool, this one among them. */
export function poolListArgv(): Argv {
  return gluster('pool', 'list');
}

/** Joins a machine to the pool, or tells the name of one that is in it. */
export function peerProbeArgv(node: string): Argv {
  return gluster('peer', 'probe', parseNodeName(node));
}

/** Takes a machine out of the pool. @param force - although others do not answer */
export function peerDetachArgv(node: string, force: boolean): Argv {
  return gluster('peer', 'detach', parseNodeName(node), ...(force ? ['force'] : []));
}

/** Every volume of the pool, as {@link volumeInfoArgv}. */
export function allVolumesArgv(): Argv {
  return gluster('volume', 'info');
}

/** What a volume is made of, and its options. */
export function volumeInfoArgv(volume: string): Argv {
  return gluster('volume', 'info', parseEngineVolumeName(volume));
}

/** Which bricks run, of the nodes that answer. */
export function volumeStatusArgv(volume: string): Argv {
  return gluster('volume', 'status', parseEngineVolumeName(volume));
}

/** Who is connected to each brick that answers. */
export function volumeClientsArgv(volume: string): Argv {
  return gluster('volume', 'status', parseEngineVolumeName(volume), 'clients');
}

/** What each brick works on, in text: with --xml there is the first brick only (GlusterFS 10.3). */
export function volumeCallsArgv(volume: string): Argv {
  return ['--mode=script', 'volume', 'status', parseEngineVolumeName(volume), 'callpool'];
}

/** What is to heal, counted per brick; asks the bricks themselves. */
export function healSummaryArgv(volume: string): Argv {
  return gluster('volume', 'heal', parseEngineVolumeName(volume), 'info', 'summary');
}

/** Answers in text, also with --xml. @param isFull - compares everything, not only what is known to differ */
export function healArgv(volume: string, { isFull = false }: { readonly isFull?: boolean } = {}): Argv {
  return gluster('volume', 'heal', parseEngineVolumeName(volume), ...(isFull ? ['full'] : []));
}

/** The entries to heal, or those in split-brain. */
export function healEntriesArgv(volume: string, which?: 'split-brain'): Argv {
  return gluster('volume', 'heal', parseEngineVolumeName(volume), 'info', ...(which === undefined ? [] : [which]));
}

/** When the self-heal daemons looked at everything; answers in text. */
export function fullCrawlsArgv(volume: string): Argv {
  return gluster('volume', 'heal', parseEngineVolumeName(volume), 'statistics');
}

/**
 * Makes one brick's version of an entry the only one; answers in text.
 *
 * @throws {AppError} invalid, for a path that is no entry of a volume
 */
export function keepVersionArgv(
  volume: string,
  { node, brickPath, path }: { readonly node: string; readonly brickPath: string; readonly path: string },
): Argv {
  if (!isEntryPath(path)) throw new AppError('invalid', `${JSON.stringify(path.slice(0, 80))} is no entry of a volume`);
  const brick = `${parseNodeName(node)}:${plainPath(brickPath, 'brick path')}`;
  return gluster('volume', 'heal', parseEngineVolumeName(volume), 'split-brain', 'source-brick', brick, path);
}

/** Spreads the files of a volume over all its sets of bricks. */
export function rebalanceArgv(volume: string, action: 'start' | 'status' | 'stop'): Argv {
  return gluster('volume', 'rebalance', parseEngineVolumeName(volume), action);
}

/**
 * `volume create`. `force` is needed for a pool on the root file system and for the second try after a failed one; it
 * would also take a directory that holds another volume's data, which cannot happen here: paths.ts gives each copy
 * a path that is never used again.
 *
 * @throws {AppError} invalid, when the bricks do not fit the layout
 */
export function volumeCreateArgv(volume: string, shape: VolumeShape, bricks: readonly DesiredBrick[]): Argv {
  const words = bricks.map((brick) => `${parseNodeName(brick.node)}:${plainPath(brick.path, 'brick path')}`);
  return gluster(
    'volume',
    'create',
    parseVolumeName(volume),
    ...layoutWords(volume, shape, bricks),
    'transport',
    'tcp',
    ...words,
    'force',
  );
}

/** All options in one transaction: either all hold or none. */
export function volumeSetArgv(volume: string, options: Readonly<Record<string, string>>): Argv {
  const words = Object.entries(options).flatMap(([key, value]) => [optionKey(key), optionValue(key, value)]);
  return gluster('volume', 'set', parseEngineVolumeName(volume), ...words);
}

/** Gives an option its default again. */
export function volumeResetArgv(volume: string, key: string): Argv {
  return gluster('volume', 'reset', parseEngineVolumeName(volume), optionKey(key));
}

function optionKey(key: string): string {
  if (/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/.test(key) && key.length <= 80) return key;
  throw new AppError('invalid', `${JSON.stringify(key.slice(0, 80))} is no GlusterFS option`, {
    reason: 'InvalidOption',
    hint: 'options are written as group.name: network.ping-timeout',
  });
}

function optionValue(key: string, value: string): string {
  if (/^[A-Za-z0-9*/(][A-Za-z0-9._:,*/()|%-]*$/.test(value) && value.length <= 4096) return value;
  throw new AppError('invalid', `${JSON.stringify(value.slice(0, 80))} is no value for the GlusterFS option ${key}`, {
    reason: 'InvalidOption',
    hint: 'values hold letters, digits and . _ : , * / ( ) | % - and begin with no "-"',
  });
}

/** @param force - also starts the bricks of a started volume that are down */
export function volumeStartArgv(volume: string, force: boolean): Argv {
  return gluster('volume', 'start', parseEngineVolumeName(volume), ...(force ? ['force'] : []));
}

/** `force`: a volume that is to be deleted is stopped although a heal or a rebalance runs on it. */
export function volumeStopArgv(volume: string): Argv {
  return gluster('volume', 'stop', parseEngineVolumeName(volume), 'force');
}

/** Takes a brick out of a started volume, and then puts the same directory, blank, in its place. */
export function resetBrickArgv(
  volume: string,
  { node, path }: Pick<DesiredBrick, 'node' | 'path'>,
  phase: 'start' | 'commit',
): Argv {
  const brick = `${parseNodeName(node)}:${plainPath(path, 'brick path')}`;
  const words = phase === 'start' ? [brick, 'start'] : [brick, brick, 'commit', 'force'];
  return gluster('volume', 'reset-brick', parseEngineVolumeName(volume), ...words);
}

/** Forgets a stopped volume; the data in its bricks stays. */
export function volumeDeleteArgv(volume: string): Argv {
  return gluster('volume', 'delete', parseEngineVolumeName(volume));
}

/** The limit of the volume's root, as it holds. */
export function quotaListArgv(volume: string): Argv {
  return gluster('volume', 'quota', parseEngineVolumeName(volume), 'list', '/');
}

/** Turns limits on for a started volume. */
export function quotaEnableArgv(volume: string): Argv {
  return gluster('volume', 'quota', parseEngineVolumeName(volume), 'enable');
}

/**
 * How long a client may go on without asking for the usage, in seconds. 0 is the only value that makes a limit hold:
 * with the defaults (60 and 5) a 150 MB write to a 100 MB limit succeeded.
 */
export function quotaTimeoutArgv(volume: string, which: 'hard-timeout' | 'soft-timeout'): Argv {
  return gluster('volume', 'quota', parseEngineVolumeName(volume), which, '0');
}

/** Sets the limit of the whole volume; also grows or shrinks it. */
export function quotaLimitArgv(volume: string, limitBytes: number): Argv {
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 1) {
    throw new AppError('range', `${limitBytes} is no limit: expected a whole number of bytes from 1`);
  }
  // A plain number is bytes.
  return gluster('volume', 'quota', parseEngineVolumeName(volume), 'limit-usage', '/', String(limitBytes));
}

/** Holds back what bricks answer to writes that ask to be safe, or lets it go. */
export function barrierArgv(volume: string, state: 'enable' | 'disable'): Argv {
  return gluster('volume', 'barrier', parseEngineVolumeName(volume), state);
}
