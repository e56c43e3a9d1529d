/** Prints where copies would go: the rehearsals of draining a node, and of replacing a node or a disk. */
import type { Move } from '../../domain/volume/foresee-moves.ts';
import type { CliContext } from './context.ts';
import type { GlobalOptions } from './global-options.ts';
import { printResult } from './output.ts';
import type { Column } from './table.ts';

const COLUMNS: readonly Column<Move>[] = [
  { name: 'volume', value: (move) => move.volume },
  { name: 'copy', value: (move) => move.copy },
  { name: 'to', value: (move) => move.to },
  { name: 'blocked by', value: (move) => move.blockedBy },
];

/** Prints them; `empty` is the sentence for none. */
export async function printMoves(
  context: CliContext,
  options: GlobalOptions,
  { moves, empty }: { readonly moves: readonly Move[]; readonly empty: string },
): Promise<void> {
  await printResult<Move>(context, options, {
    data: { items: moves },
    names: moves.map((move) => `volumecopy/${move.copy}`),
    table: { columns: COLUMNS, items: moves, empty },
  });
}
