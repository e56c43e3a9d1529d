/** Columns as Go's text/tabwriter lays them out with padding 3, so that lists look as Kismatic's do. */

const PADDING = 3;

/**
 * Aligns lines of cells. Every cell but the last of its line takes part in a column; a column is as wide as its widest
 * cell among neighbouring lines that have it.
 */
export function alignCells(lines: readonly (readonly string[])[]): string {
  const widths = lines.map((line) => line.slice(0, -1).map(() => 0));
  const columns = Math.max(0, ...widths.map((line) => line.length));
  for (let column = 0; column < columns; column += 1) {
    for (let from = 0; from < lines.length; from += 1) {
      const length = runLength(widths.slice(from), column);
      const block = lines.slice(from, from + length);
      const width = Math.max(0, ...block.map((line) => line[column]?.length ?? 0)) + PADDING;
      for (const line of widths.slice(from, from + length)) line[column] = width;
      from += length;
    }
  }
  return lines
    .map((line, at) => `${line.map((cell, column) => cell.padEnd(widths[at]?.[column] ?? 0)).join('')}\n`)
    .join('');
}

function runLength(lines: readonly (readonly number[])[], column: number): number {
  const end = lines.findIndex((line) => column >= line.length);
  return end === -1 ? lines.length : end;
}
