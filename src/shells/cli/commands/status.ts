/** `holdfast status`: one sentence, and what is not as it should be. */
import type { Command } from 'commander';
import type { ClusterStatus } from '../../../domain/status/describe-status.ts';
import { readStatus } from '../../../usecases/status/read-status.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult } from '../output.ts';
import { renderTable } from '../table.ts';

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  command.action(async (_options, own: Command) => {
    const status = await withConnection(context, own, ({ client }) => readStatus({ client, signal: context.signal }));
    const { headers } = globalOptions(own);
    await printResult(context, globalOptions(own), {
      data: status,
      names: problemNames(status),
      text: () => describe(status, headers),
    });
  });
}

/** What is not as it should be. */
function problemNames({ nodes, fences, cluster, volumes }: ClusterStatus): readonly string[] {
  return [
    ...nodes.problems.map((problem) => `storagenode/${problem.name}`),
    ...fences.problems.map((problem) => `fencerecord/${problem.name}`),
    ...cluster.problems.map((problem) => `storagecluster/${problem.name}`),
    ...volumes.problems.map((problem) => `volume/${problem.name}`),
  ];
}

function describe(status: ClusterStatus, hasHeaders: boolean): string {
  const problems = [
    ...status.nodes.problems.map((problem) => ({ kind: 'node', ...problem })),
    ...status.fences.problems.map((problem) => ({ kind: 'fence', ...problem })),
    ...status.cluster.problems.map((problem) => ({ kind: 'cluster', ...problem })),
    ...status.volumes.problems.map((problem) => ({ kind: 'volume', ...problem })),
  ];
  if (problems.length === 0) return `${status.sentence}\n`;
  const columns = [
    { name: 'kind', value: (row: (typeof problems)[number]) => row.kind },
    { name: 'name', value: (row: (typeof problems)[number]) => row.name },
    { name: 'what', value: (row: (typeof problems)[number]) => row.message },
  ];
  return `${status.sentence}\n\n${renderTable(columns, problems, { isWide: false, hasHeaders })}`;
}
