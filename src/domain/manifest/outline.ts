/**
 * The lines of a manifest as a person reads them: where each begins, its dashes, its key and its value. Read without the rules
 * of YAML about indentation, so that what has been indented wrongly can be put where it belongs.
 */

export interface OutlineLine {
  /** In the document, from 0. */
  readonly index: number;
  /** Columns of the dashes before the content, from 0. */
  readonly dashes: readonly number[];
  /** Column of the content, from 0. */
  readonly column: number;
  /** As written, with its quotes; undefined for a line without one. */
  readonly key?: string;
  /** What stands after the key, or the content where there is none; with lines that go on with it. */
  readonly value: string;
  /** Lines of a block of text (| or >) without their common indentation, or further lines of a text in quotes. */
  readonly block: readonly string[];
  /** Comment lines before it, without indentation. */
  readonly comments: readonly string[];
  /** No space after the colon. */
  readonly isTight: boolean;
}

const KEY = /^(?<key>"[^"]*"|'[^']*'|[^\s#:{}[\],"'&*!|>%@`-][^:#{}[\],]*)\s*:(?:\s+(?<value>.*))?$/;
const TIGHT_KEY = /^(?<key>[a-z][A-Za-z]*):(?<value>[^\s/:].*)$/;
const BLOCK = /^(?:![^\s]*\s+)?[|>][+-]?\d*[+-]?\s*(?:#.*)?$/;

interface Reading {
  readonly lines: readonly string[];
  at: number;
  comments: string[];
}

/** Reads the lines of one document; comments at its end come last. */
export function readOutline(text: string): {
  readonly lines: readonly OutlineLine[];
  readonly rest: readonly string[];
} {
  const reading: Reading = { lines: text.split('\n'), at: 0, comments: [] };
  const found: OutlineLine[] = [];
  while (reading.at < reading.lines.length) {
    const line = reading.lines[reading.at] ?? '';
    const content = line.trim();
    if (content === '' || content.startsWith('#')) {
      if (content !== '') reading.comments.push(content);
      reading.at += 1;
      continue;
    }
    const next = readLine(reading, line);
    reading.comments = [];
    found.push(next);
  }
  return { lines: found, rest: reading.comments };
}

function readLine(reading: Reading, line: string): OutlineLine {
  const index = reading.at;
  const { dashes, column } = readDashes(line);
  const { key, value: first, isTight } = readContent(line.slice(column).trimEnd());
  reading.at += 1;
  const margin = key === undefined ? (dashes.at(-1) ?? column) : column;
  const block = BLOCK.test(first) ? readBlock(reading, margin) : isTight ? [] : readQuoted(reading, first);
  const value = block.length > 0 || isTight ? first : readFlow(reading, first);
  return {
    ...{ index, dashes, column, value, block, isTight, comments: reading.comments },
    ...(key === undefined ? {} : { key }),
  };
}

function readContent(content: string): { readonly key?: string; readonly value: string; readonly isTight: boolean } {
  const found = KEY.exec(content);
  const { key, value = '' } = (found ?? TIGHT_KEY.exec(content))?.groups ?? {};
  if (key === undefined) return { value: content, isTight: false };
  return { key: key.trimEnd(), value, isTight: found === null };
}

function readDashes(line: string): { readonly dashes: readonly number[]; readonly column: number } {
  const dashes: number[] = [];
  let column = line.length - line.trimStart().length;
  while (line[column] === '-' && /^\s|^$/.test(line.slice(column + 1, column + 2))) {
    dashes.push(column);
    const rest = line.slice(column + 1);
    column += 1 + (rest.length - rest.trimStart().length);
  }
  return { dashes, column: Math.min(column, line.length) };
}

function readBlock(reading: Reading, column: number): readonly string[] {
  const block: string[] = [];
  for (; reading.at < reading.lines.length; reading.at += 1) {
    const line = reading.lines[reading.at] ?? '';
    if (line.trim() !== '' && line.length - line.trimStart().length <= column) break;
    block.push(line);
  }
  while (block.at(-1)?.trim() === '') block.pop();
  const margin = Math.min(
    ...block.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length),
  );
  return block.map((line) => line.slice(margin));
}

const CLOSED = /^(?:"(?:[^"\\]|\\[^])*"|'(?:[^']|'')*')/;

/** The further lines of a text in quotes, which may be folded at any place; none where its quote is never closed. */
function readQuoted(reading: Reading, first: string): readonly string[] {
  if (!/^["']/.test(first) || CLOSED.test(first)) return [];
  const further: string[] = [];
  for (const line of reading.lines.slice(reading.at)) {
    further.push(line.trim());
    if (!CLOSED.test([first, ...further].join('\n'))) continue;
    reading.at += further.length;
    return further;
  }
  return [];
}

/** A list or map in brackets goes on until they are closed, whatever its lines begin with. */
function readFlow(reading: Reading, first: string): string {
  let value = first;
  while (/^[[{]/.test(first) && openBrackets(value) > 0 && reading.at < reading.lines.length) {
    value = `${value} ${(reading.lines[reading.at] ?? '').trim()}`;
    reading.at += 1;
  }
  return value;
}

function openBrackets(value: string): number {
  const bare = value.replaceAll(/"(?:[^"\\]|\\.)*"|'[^']*'|\s#.*$/g, '');
  return (bare.match(/[[{]/g)?.length ?? 0) - (bare.match(/[\]}]/g)?.length ?? 0);
}
