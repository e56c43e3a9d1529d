/** Writes arranged lines with the indentation that YAML needs, and says from which line each came. */
import type { Entry } from './arrange.ts';

export interface PrintedOutline {
  readonly text: string;
  /** For each line of the text, the line of the document that it is of, from 0. */
  readonly origins: readonly number[];
}

interface Printing {
  readonly lines: string[];
  readonly origins: number[];
}

/** @param rest - comments after the last line */
export function printOutline(top: Entry, rest: readonly string[]): PrintedOutline {
  const printing: Printing = { lines: [], origins: [] };
  for (const entry of top.below) printEntry(printing, entry, '');
  const last = printing.origins.at(-1) ?? 0;
  for (const comment of rest) push(printing, comment, last);
  return { text: `${printing.lines.join('\n')}\n`, origins: printing.origins };
}

function push({ lines, origins }: Printing, text: string, origin: number): void {
  lines.push(text);
  origins.push(origin);
}

/** @param lead - what stands before the first line: spaces, or the dashes of an item */
function printEntry(printing: Printing, entry: Entry, lead: string): void {
  const { key, line, below, form } = entry;
  const margin = ' '.repeat(lead.length);
  for (const comment of line.comments) push(printing, `${margin}${comment}`, line.index);
  const head = [...(key === undefined ? [] : [`${key}:`]), ...(entry.value === '' ? [] : [entry.value])].join(' ');
  if (key === undefined && form !== 'none') return printItem(printing, entry, lead);
  push(printing, `${lead}${key === undefined ? '- ' : ''}${head}`.trimEnd(), line.index);
  for (const [at, text] of line.block.entries()) {
    if (form === 'none') push(printing, text === '' ? '' : `${margin}  ${text}`, line.index + 1 + at);
  }
  for (const each of below) printEntry(printing, each, `${margin}  `);
}

function printItem(printing: Printing, { below }: Entry, lead: string): void {
  const [first, ...others] = below;
  if (first === undefined) return;
  const margin = ' '.repeat(lead.length);
  printEntry(printing, first, `${lead}- `);
  for (const each of others) printEntry(printing, each, `${margin}  `);
}
