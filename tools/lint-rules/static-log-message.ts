/** A log message is a constant, so that lines of one kind can be counted and found; what varies goes into its fields. */
import { type AstNode, calledName, type LintRule, type RuleContext } from './ast.ts';

const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

function isLogger(node: AstNode | undefined): boolean {
  const name = node?.type === 'MemberExpression' ? node.property?.name : node?.name;
  return name !== undefined && /^(?:log|logger)$|(?:Log|Logger)$/.test(name);
}

function isConstantText(node: AstNode): boolean {
  return node.type === 'Literal' || (node.type === 'TemplateLiteral' && node.expressions?.length === 0);
}

function isBuiltText(node: AstNode): boolean {
  return node.type === 'TemplateLiteral' || node.type === 'BinaryExpression';
}

export const staticLogMessage: LintRule = {
  create(context: RuleContext) {
    return {
      CallExpression(node) {
        if (!LEVELS.has(calledName(node) ?? '') || !isLogger(node.callee?.object)) return;
        const message = (node.arguments ?? []).find((each) => isBuiltText(each) && !isConstantText(each));
        if (message !== undefined) {
          context.report({
            node: message,
            message: 'the message of a log line is constant; put what varies into its fields',
          });
        }
      },
    };
  },
};
