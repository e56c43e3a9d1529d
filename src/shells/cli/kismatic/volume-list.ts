/** `kismatic volume list`, in its two forms (apprenda/kismatic, pkg/cli/volume_list.go). */
import { type Command, Option } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { type KismaticVolume, listKismaticVolumes } from '../../../usecases/volumes/list-kismatic-volumes.ts';
import type { CliContext } from '../context.ts';
import { alignCells } from './align-cells.ts';
import { readPlan, withCluster } from './plan-file.ts';

interface ListOptions {
  readonly output: string;
}

/** Registers the command. */
export function registerKismaticList(command: Command, context: CliContext): void {
  command
    .description('list storage volumes to the Kubernetes cluster')
    .allowExcessArguments(true)
    .addOption(new Option('-o, --output <format>', 'output format (options "simple"|"json")').default('simple'))
    .action(async ({ output }: ListOptions, own: Command) => {
      if (output !== 'simple' && output !== 'json') {
        throw new AppError('invalid', `output format ${JSON.stringify(output)} is not supported`);
      }
      await readPlan(context, own);
      const volumes = await withCluster(context, (client) => listKismaticVolumes({ client, signal: context.signal }));
      if (volumes.length === 0) {
        context.stdout.write(
          'No volumes were found on the cluster. You may use `kismatic volume add` to create new volumes.\n',
        );
        return;
      }
      context.stdout.write(output === 'json' ? kismaticJson(volumes) : describeVolumes(volumes));
    });
}

/** Kismatic's JSON, indented by 4. */
export function kismaticJson(items: readonly KismaticVolume[]): string {
  return `${JSON.stringify({ items }, undefined, 4)}\n`;
}

function describeVolumes(volumes: readonly KismaticVolume[]): string {
  const lines = volumes.flatMap((volume, at) => [...(at === 0 ? [] : [[''], ['']]), ...describeVolume(volume)]);
  return alignCells(lines);
}

/** Cells end where Kismatic puts a tab; the last of a line is what stands behind the last tab. */
function describeVolume(volume: KismaticVolume): readonly (readonly string[])[] {
  const labels = Object.entries(volume.labels ?? {});
  const claim = volume.claim === undefined ? '' : `${volume.claim.namespace}/${volume.claim.name}`;
  return [
    ['Name:', volume.name, ''],
    ['StorageClass:', volume.storageClass ?? '', ''],
    ...(labels.length === 0 ? [] : [['Labels:', '', '']]),
    ...labels.map(([key, value]) => [`  ${key}:`, value, '']),
    ['Capacity:', volume.capacity, ''],
    ['Available:', volume.available, ''],
    ['Replica:', String(volume.replicaCount), ''],
    ['Distribution:', String(volume.distributionCount), ''],
    ['Bricks:', volume.bricks.map(({ host, path }) => `${host}:${path}`).join(','), ''],
    ['Status:', volume.status, ''],
    ['Claim:', claim, ''],
    ['Pods:', '', ''],
  ];
}
