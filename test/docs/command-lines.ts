/** The command lines that the documentation shows in blocks of their own, as a person would copy them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = /^(?:holdfast|kismatic|kubectl|npm) /;

export interface Page {
  /** Relative to the project's folder. */
  readonly path: string;
  /** In the order of the page, without prompts and remarks. */
  readonly lines: readonly string[];
}

/** README, tutorial, how-to and explanation pages with at least one command line. */
export function readPages(): readonly Page[] {
  const paths = globSync(['README.md', 'docs/{tutorial,how-to,explanation}/*.md'], { cwd: ROOT }).toSorted();
  return paths
    .map((path) => ({ path, lines: commandLines(readFileSync(join(ROOT, path), 'utf8')) }))
    .filter(({ lines }) => lines.length > 0);
}

function commandLines(text: string): readonly string[] {
  // A block of another language (a picture, a file) is passed over whole.
  const blocks = [...text.matchAll(/^```(?<language>\w*)\n(?<block>[\s\S]*?)^```/gm)].map(({ groups }) => groups);
  return blocks
    .filter((found) => found?.['language'] === '' || found?.['language'] === 'sh')
    .flatMap((found) => found?.['block']?.split('\n') ?? [])
    .map((line) =>
      line
        .replace(/^(?:\$|#) /, '')
        .replace(/\s+# .*$/, '')
        .trim(),
    )
    .filter((line) => PROGRAM.test(line));
}

/** The words of a line as a shell would make them: quotes hold words together. Nothing else of a shell is used in the pages. */
export function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replaceAll(/['"]/g, (quote) => unquote(word, quote)),
  );
}

/** Double quotes inside single ones stay: -p '{"spec":{}}'. */
function unquote(word: string, quote: string): string {
  const outer = /['"]/.exec(word)?.[0];
  return quote === outer ? '' : quote;
}
