/** `holdfast explain claim [NAMESPACE/]NAME`: why a claim of a cluster waits. */
import type { Command } from 'commander';
import type { ClaimExplanation } from '../../../usecases/explain/claim-words.ts';
import { explainClaimOf } from '../../../usecases/explain/explain-claim.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult } from '../output.ts';
import { renderPairs } from '../table.ts';

/** Registers the command. */
export function registerExplainClaim(command: Command, context: CliContext): void {
  command
    .description('Tell why a PersistentVolumeClaim of a Kubernetes cluster has no volume yet, and what would help')
    .argument('<claim>', 'NAME, of namespace default, or NAMESPACE/NAME')
    .action(async (name: string, _options, own: Command) => {
      const { clock, signal } = context;
      const explained = await withConnection(context, own, ({ client }) =>
        explainClaimOf({ client, clock, signal }, name),
      );
      await printResult(context, globalOptions(own), {
        data: explained,
        names: [`claim/${explained.claim}`],
        text: () => describe(explained),
      });
    });
}

function describe({ details, ...explained }: ClaimExplanation): string {
  const { claim, phase, reason, message, storageClass, volume, pods, hint } = explained;
  const pairs = renderPairs([
    ['Claim', claim],
    ['Phase', phase],
    ['Class', storageClass ?? 'none'],
    ['Volume', volume],
    ['Pods that wait', pods.length === 0 ? undefined : pods.join(', ')],
    ['Reason', reason],
    ['Why', message],
  ]);
  const lines = details.map((detail) => `  ${detail}\n`).join('');
  return `${pairs}${lines}${hint === undefined ? '' : `\nNext:  ${hint}\n`}`;
}
