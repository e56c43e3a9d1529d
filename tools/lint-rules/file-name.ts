/** Files are kebab-case and named after their one concept. */
import { basename } from 'node:path';
import type { LintRule, RuleContext } from './ast.ts';

const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)*\.(?:ts|mjs)$/;
const SAYS_NOTHING = /^(?:utils?|helpers?|misc|managers?)\./;

/** What is wrong with a file's name, or undefined. */
export function fileNameFault(name: string): string | undefined {
  if (!KEBAB.test(name)) return `${name}: file names are kebab-case`;
  if (SAYS_NOTHING.test(name)) return `${name} says nothing about what is in it; name the file after its one concept`;
  return undefined;
}

export const fileName: LintRule = {
  create(context: RuleContext) {
    return {
      Program(node) {
        const fault = fileNameFault(basename(context.filename));
        if (fault !== undefined) context.report({ node, message: fault });
      },
    };
  },
};
