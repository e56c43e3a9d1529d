/** What the bricks of a volume have to heal, and what nobody can heal, from the answers of `volume heal V info`. */
import { folderOf } from '../../domain/volume/entry-path.ts';
import type { SplitBrainEntry } from '../../ports/volume-work.ts';
import type { Ask, GlusterCli } from './cli.ts';
import { healEntriesArgv, healSummaryArgv } from './command.ts';
import { type HealBrick, parseHealInfo } from './parse.ts';
import { type BrickEntries, findSplitBrain, parseHealEntries } from './parse-work.ts';

/** The entries of each brick, and those among them that are in split-brain. */
export interface EntryLook {
  readonly bricks: readonly BrickEntries[];
  readonly split: readonly SplitBrainEntry[];
  /** Nodes whose brick could not be asked: there may be more. */
  readonly silent: readonly string[];
}

/** Looks at the entries themselves. @throws {AppError} when nobody can be asked */
export async function lookAtEntries(cli: GlusterCli, volume: string, ask: Ask): Promise<EntryLook> {
  const bricks = parseHealEntries(await cli.demand(healEntriesArgv(volume), ask));
  const listed = parseHealEntries(await cli.demand(healEntriesArgv(volume, 'split-brain'), ask));
  const silent = [...bricks, ...listed].filter((brick) => !brick.isConnected).map((brick) => brick.node);
  return { bricks, split: findSplitBrain(bricks, listed), silent: [...new Set(silent)] };
}

/**
 * Counts what each brick has to heal. The summary counts a file that was made on several nodes at once as one to heal, and
 * its folder as in split-brain; so where there is split-brain the entries themselves are counted.
 *
 * @throws {AppError} when nobody can be asked
 */
export async function countHeals(cli: GlusterCli, volume: string, ask: Ask): Promise<readonly HealBrick[]> {
  const summary = parseHealInfo(await cli.demand(healSummaryArgv(volume), ask));
  if (summary.every((brick) => (brick.splitBrain ?? 0) === 0)) return summary;
  const look = await lookAtEntries(cli, volume, ask);
  return summary.map((brick) => ({ ...brick, ...countEntries(look, brick) }));
}

/** Nothing is said of a brick that was not among those asked for its entries. */
export function countEntries(
  { bricks, split }: Pick<EntryLook, 'bricks' | 'split'>,
  { node, path }: { readonly node: string; readonly path: string },
): Pick<HealBrick, 'pending' | 'splitBrain'> {
  const found = bricks.find((brick) => brick.node === node && brick.brickPath === path);
  if (found === undefined || !found.isConnected) return {};
  const hopeless = new Set(split.map((entry) => entry.path));
  const folders = new Set(split.filter(({ kind }) => kind === 'identity').map((entry) => folderOf(entry.path)));
  const paths = found.files.map((file) => file.path);
  return {
    pending: paths.filter((each) => !hopeless.has(each) && !folders.has(each)).length,
    splitBrain: paths.filter((each) => hopeless.has(each)).length,
  };
}
