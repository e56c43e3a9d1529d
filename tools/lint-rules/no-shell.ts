/** Commands are argv lists: a shell would read text from a claim, a plan or a disk label as a program. */
import { type AstNode, keyName, type LintRule, literalText, type RuleContext } from './ast.ts';

const SHELLS = /^(?:\/usr)?(?:\/bin\/)?(?:sh|bash|dash|zsh|busybox)$/;
const SHELL_FUNCTIONS = new Set(['exec', 'execSync']);

function takesCommandText(args: AstNode | undefined): boolean {
  return (
    args?.type === 'ArrayExpression' && (args.elements ?? []).some((each) => /^-[a-z]*c$/.test(literalText(each) ?? ''))
  );
}

function checkProperties(node: AstNode, context: RuleContext): void {
  const properties = new Map((node.properties ?? []).map((each) => [keyName(each), each]));
  const shell = properties.get('shell');
  const value = shell?.value as AstNode | undefined;
  if (shell !== undefined && !(value?.type === 'Literal' && value.value === false)) {
    context.report({ node: shell, message: 'no shell: give the program and its arguments as a list' });
  }
  const file = literalText(properties.get('file')?.value as AstNode | undefined);
  if (
    file !== undefined &&
    SHELLS.test(file) &&
    takesCommandText(properties.get('args')?.value as AstNode | undefined)
  ) {
    context.report({ node, message: `no ${file} -c: give the program and its arguments as a list` });
  }
}

export const noShell: LintRule = {
  create(context: RuleContext) {
    return {
      ObjectExpression: (node) => checkProperties(node, context),
      CallExpression(node) {
        const file = literalText(node.arguments?.[0]);
        if (file !== undefined && SHELLS.test(file) && takesCommandText(node.arguments?.[1])) {
          context.report({ node, message: `no ${file} -c: give the program and its arguments as a list` });
        }
      },
      ImportDeclaration(node) {
        if (literalText(node.source) !== 'node:child_process') return;
        for (const each of node.specifiers ?? []) {
          const name = each.imported?.name ?? '';
          if (SHELL_FUNCTIONS.has(name))
            context.report({ node: each, message: `${name} goes through a shell; use spawn or execFile` });
        }
      },
    };
  },
};
