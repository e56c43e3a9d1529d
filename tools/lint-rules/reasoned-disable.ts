/** A rule switched off says why, where it is switched off. */
import type { LintRule, RuleContext } from './ast.ts';

const DISABLE = /^\s*(?:ox|es)lint-disable/;
const REASON = / -- \S+/;

export const reasonedDisable: LintRule = {
  create(context: RuleContext) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (DISABLE.test(comment.value) && !REASON.test(comment.value)) {
            context.report({
              node: comment,
              message: 'say why the rule is off: oxlint-disable-next-line NAME -- reason',
            });
          }
        }
      },
    };
  },
};
