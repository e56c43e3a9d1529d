/** Tables of Markdown from values that may hold anything. */

/** A table; a column that is empty in every row is left out. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = columns.map((_, at) => rows.some((row) => (row[at] ?? '') !== ''));
  const line = (cells: readonly string[]) => `| ${cells.filter((_, at) => used[at]).join(' | ')} |`;
  const rule = `|${columns
    .filter((_, at) => used[at])
    .map(() => '---|')
    .join('')}`;
  return [line(columns), rule, ...rows.map((row) => line(row.map(cell)))].join('\n');
}

/** Text as code, so that nothing in it is read as Markdown. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

/** The first letter of a sentence is large in a cell of its own. */
export function sentence(text: string): string {
  return text === '' ? '' : `${text[0]?.toUpperCase()}${text.slice(1)}`;
}

/** A bar would end the cell; what looks like a tag would be taken for one. */
function cell(text: string): string {
  const parts = text.replaceAll('\n', ' ').split('`');
  return parts.map((part, at) => (at % 2 === 0 ? part.replaceAll('<', '&lt;') : part).replaceAll('|', '\\|')).join('`');
}
