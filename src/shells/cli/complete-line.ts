/**
 * What kubectl asks of `kubectl_complete-holdfast`: the words that can stand at the end of a line, one per line with what it
 * means after a tab, and in the last line what kubectl is to do about files (as Cobra has it: 4 none, 0 offer them).
 */
import type { CommandEntry } from './command-entry.ts';
import type { CompletionNode, CompletionOption } from './completion-scripts.ts';
import { describeCommand } from './completion-tree.ts';
import type { CliContext } from './context.ts';
import { buildProgram } from './program.ts';

const NO_FILES = ':4';
const FILES = ':0';

/** @param args - the words after `kubectl holdfast`, the last one begun or empty. @returns the exit code */
export async function completeLine(
  args: readonly string[],
  context: CliContext,
  entries: readonly CommandEntry[],
): Promise<number> {
  const root = describeCommand(await buildProgram(context, entries));
  context.stdout.write(
    wordsFor(root, args)
      .map((line) => `${line}\n`)
      .join(''),
  );
  return 0;
}

/** The lines of the answer. */
export function wordsFor(root: CompletionNode, args: readonly string[]): readonly string[] {
  const begun = args.at(-1) ?? '';
  const { node, waiting } = walk(root, args.slice(0, -1));
  if (waiting !== undefined) {
    const choices = waiting.choices.filter((word) => word.startsWith(begun));
    return [...choices, choices.length === 0 ? FILES : NO_FILES];
  }
  const words = [
    ...node.children.map(({ path, summary }) => `${path.at(-1) ?? ''}\t${summary}`),
    ...node.choices,
    ...node.options.flatMap(({ flags, summary }) => flags.map((flag) => `${flag}\t${summary}`)),
  ].filter((line) => line.startsWith(begun) && (begun.startsWith('-') || !line.startsWith('-')));
  const isVerbNext = node.children.length > 0 || node.choices.length > 0;
  return [...words, isVerbNext || begun.startsWith('-') ? NO_FILES : FILES];
}

/** The command that the words lead to, and the option that waits for its value. */
function walk(
  root: CompletionNode,
  words: readonly string[],
): { readonly node: CompletionNode; readonly waiting?: CompletionOption } {
  let node = root;
  let waiting: CompletionOption | undefined;
  for (const word of words) {
    if (waiting !== undefined) {
      waiting = undefined;
      continue;
    }
    const here = node;
    waiting = here.options.find(({ flags, takesValue }) => takesValue && flags.includes(word));
    node = here.children.find(({ path }) => path.at(-1) === word) ?? here;
  }
  return waiting === undefined ? { node } : { node, waiting };
}
