/** The documents of a file, each with the line that it begins at. */

export interface DocumentText {
  /** The line of dashes before it, with its line break; empty before the first. */
  readonly separator: string;
  readonly text: string;
  /** In the file, from 1. */
  readonly firstLine: number;
  /** The line of dashes was not there. */
  readonly isSeparatorMissing: boolean;
}

const SEPARATOR = /^---(?:\s|$)/;
const TOP_FIELD = /^(?<field>apiVersion|kind):\s/;

/** Splits at lines of three dashes, and where an object begins anew; the texts and separators make the file again. */
export function splitDocuments(text: string): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let next = { separator: '', firstLine: 1, isSeparatorMissing: false };
  let lines: string[] = [];
  const seen = new Set<string>();
  const close = (following: typeof next) => {
    documents.push({ ...next, text: lines.map((line) => `${line}\n`).join('') });
    [next, lines] = [following, []];
    seen.clear();
  };
  for (const [index, line] of text.split('\n').entries()) {
    // Neither stands at the beginning of a line in a block of text: that is indented.
    const isSeparator = SEPARATOR.test(line);
    const field = TOP_FIELD.exec(line)?.groups?.['field'];
    if (isSeparator && index === 0) next = { separator: `${line}\n`, firstLine: 2, isSeparatorMissing: false };
    else if (isSeparator) close({ separator: `${line}\n`, firstLine: index + 2, isSeparatorMissing: false });
    else if (field !== undefined && seen.size === 2)
      close({ separator: '---\n', firstLine: index + 1, isSeparatorMissing: true });
    if (field !== undefined) seen.add(field);
    if (!isSeparator) lines.push(line);
  }
  return [...documents, { ...next, text: lines.join('\n') }];
}
