/** Whoever calls an exported function reads what it does, for whom, and what it throws, without opening the file. */
import { type AstNode, isTestFile, type LintRule, pathInSource, type RuleContext } from './ast.ts';

const DECLARATIONS = new Set(['FunctionDeclaration', 'ClassDeclaration']);
const FUNCTIONS = new Set(['ArrowFunctionExpression', 'FunctionExpression']);

function exportedFunction(node: AstNode): string | undefined {
  const declaration = node.declaration ?? undefined;
  if (declaration === undefined) return undefined;
  if (DECLARATIONS.has(declaration.type)) return declaration.id?.name;
  const [first] = declaration.declarations ?? [];
  return FUNCTIONS.has(first?.init?.type ?? '') ? first?.id?.name : undefined;
}

export const documentedExports: LintRule = {
  create(context: RuleContext) {
    if (pathInSource(context.filename) === undefined || isTestFile(context.filename)) return {};
    const text = context.sourceCode.text;
    /** Overloads are documented once, at the first. */
    const seen = new Set<string>();
    return {
      ExportNamedDeclaration(node) {
        const name = exportedFunction(node);
        if (name === undefined || seen.has(name)) return;
        seen.add(name);
        if (!/\*\/\s*$/.test(text.slice(0, node.range[0]))) {
          context.report({
            node,
            message: `${name} is exported without a /** comment that says what it does and for whom`,
          });
        }
      },
    };
  },
};
