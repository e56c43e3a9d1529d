/** A test waits for a fact, never for a time: a sleep is too short on a busy machine and too long on an idle one. */
import { type AstNode, type LintRule, literalText, type RuleContext } from './ast.ts';

/** `resolve => setTimeout(resolve, ms)`, with or without braces. */
function isBareTimer(executor: AstNode | undefined): boolean {
  const call = onlyExpression(executor?.body);
  return call?.callee?.name === 'setTimeout' && call.arguments?.[0]?.type === 'Identifier';
}

function onlyExpression(body: AstNode | readonly AstNode[] | undefined): AstNode | undefined {
  if (body === undefined) return undefined;
  if ('length' in body) return body.length === 1 ? body[0]?.expression : undefined;
  return body.type === 'BlockStatement' ? onlyExpression(body.body) : body;
}

export const noSleepInTests: LintRule = {
  create(context: RuleContext) {
    // Programs that tests start may wait to be killed.
    if (!/(?:\.test|-fixture)\.ts$/.test(context.filename)) return {};
    const message = 'no sleep in a test: wait for the fact (vi.waitFor, expect.poll, an event) with a deadline';
    return {
      ImportDeclaration(node) {
        if (literalText(node.source) === 'node:timers/promises') context.report({ node, message });
      },
      NewExpression(node) {
        if (node.callee?.name === 'Promise' && isBareTimer(node.arguments?.[0])) context.report({ node, message });
      },
    };
  },
};
