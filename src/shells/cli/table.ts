/** Columns for a terminal, as kubectl prints them: upper-case headings, two or more spaces between, no lines. */

export interface Column<T> {
  readonly name: string;
  readonly value: (item: T) => string | number | undefined;
  /** Only with -o wide. */
  readonly isWide?: boolean;
}

export interface TableOptions {
  readonly isWide: boolean;
  readonly hasHeaders: boolean;
}

/** Renders rows; an empty or missing value is "-". Ends with a line break unless there is nothing to print. */
export function renderTable<T>(columns: readonly Column<T>[], items: readonly T[], options: TableOptions): string {
  const shown = columns.filter((column) => options.isWide || column.isWide !== true);
  const rows = items.map((item) => shown.map((column) => cell(column.value(item))));
  if (options.hasHeaders) rows.unshift(shown.map((column) => column.name.toUpperCase()));
  const widths = shown.map((_, at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) => row.map((text, at) => text.padEnd(widths[at] ?? 0)).join('   '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** Pairs of label and value below each other; pairs without a value are left out. */
export function renderPairs(pairs: readonly (readonly [label: string, value: string | number | undefined])[]): string {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${`${label}:`.padEnd(width + 3)}${cell(value)}\n`).join('');
}

function cell(value: string | number | undefined): string {
  const text = String(value ?? '').replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return text === '' ? '-' : text;
}
