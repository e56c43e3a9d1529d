/** Time and chance are ports: what reads the clock or the dice itself cannot be simulated. */
import { type AstNode, isTestFile, type LintRule, memberPath, pathInSource, type RuleContext } from './ast.ts';

const AMBIENT = new Map([
  ['Date.now', 'take a Clock'],
  ['performance.now', 'take a Clock'],
  ['Math.random', 'take a Random'],
  ['crypto.randomUUID', 'take a Random'],
]);
const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate']);
const MAY_USE_THEM = new Set(['adapters', 'main']);

export const noAmbient: LintRule = {
  create(context: RuleContext) {
    const file = pathInSource(context.filename);
    // A fake stands in for an adapter, and a fake clock has to let Node's own loop turn.
    if (file === undefined || isTestFile(context.filename) || file.endsWith('.fake.ts')) return {};
    if (MAY_USE_THEM.has(file.split('/')[0] ?? '')) return {};
    const report = (node: AstNode, what: string, instead: string): void => {
      context.report({ node, message: `${what} is for adapters and main; ${instead}` });
    };
    return {
      MemberExpression(node) {
        const path = memberPath(node);
        const instead = AMBIENT.get(path ?? '');
        if (path !== undefined && instead !== undefined) report(node, path, instead);
      },
      NewExpression(node) {
        if (node.callee?.name === 'Date' && node.arguments?.length === 0) report(node, 'new Date()', 'take a Clock');
      },
      CallExpression(node) {
        const name = node.callee?.type === 'Identifier' ? node.callee.name : undefined;
        if (name !== undefined && TIMERS.has(name)) report(node, name, 'take a Clock');
      },
    };
  },
};
