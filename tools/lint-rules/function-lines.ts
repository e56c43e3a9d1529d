/**
 * A function has at most 60 lines of its own, comments, blank lines and the functions inside it not counted.
 *
 * Our factories (`createX(deps)`) hold the functions of what they make, as a class would; each of those counts for itself.
 * The built-in max-lines-per-function, which counts everything, stays as the limit for the whole of such a factory.
 */
import type { AstNode, LintRule, RuleContext } from './ast.ts';

const MAX_LINES = 60;

/** Lines of `text` that hold code. */
export function codeLines(text: string): number {
  const withoutComments = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return withoutComments.split('\n').filter((line) => line.trim() !== '').length;
}

export const functionLines: LintRule = {
  create(context: RuleContext) {
    /** For each function being visited, from the outermost in: the lines of the functions directly inside it. */
    const inner: number[] = [];
    const enter = (): void => {
      inner.push(0);
    };
    const leave = (node: AstNode): void => {
      const total = codeLines(context.sourceCode.getText(node));
      const own = total - (inner.pop() ?? 0);
      if (own > MAX_LINES) {
        context.report({
          node,
          message: `function of ${own} lines of its own; at most ${MAX_LINES} are allowed: split it`,
        });
      }
      // The line it begins on belongs to the function around it.
      const last = inner.length - 1;
      if (last >= 0) inner[last] = (inner[last] ?? 0) + total - 1;
    };
    return {
      FunctionDeclaration: enter,
      FunctionExpression: enter,
      ArrowFunctionExpression: enter,
      'FunctionDeclaration:exit': leave,
      'FunctionExpression:exit': leave,
      'ArrowFunctionExpression:exit': leave,
    };
  },
};
