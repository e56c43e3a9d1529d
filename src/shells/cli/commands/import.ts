/** `holdfast import FILE...`: classes and claims of another storage system as those of Holdfast. */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { applyImported, type ImportedObject, importManifests } from '../../../usecases/manifests/import-manifests.ts';
import type { LintedFile, ManifestFile } from '../../../usecases/manifests/lint-manifests.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { plain } from '../errors.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import type { Column } from '../table.ts';
import { joinDocuments, type MakeManifestFiles } from './lint.ts';

interface ImportOptions {
  readonly apply?: boolean;
  readonly dryRun?: boolean;
}

/** Registers the command; `files` is made only when it is called. */
export function createImportCommand(files: MakeManifestFiles): CommandModule {
  return {
    register: (command: Command, context: CliContext) => {
      command
        .description(
          'Rewrite StorageClasses and claims of StorageOS, of Heketi and of csi-driver-nfs for Holdfast, and print them; ' +
            'data of their volumes is not copied',
        )
        .argument('<file...>', 'manifests, read together; - for standard input')
        .option('--apply', 'create the classes and claims in place of printing them')
        .option('--dry-run', 'with --apply: say what would be created, and create nothing')
        .action(async (paths: string[], options: ImportOptions, own: Command) => {
          const { read } = await files(context.signal);
          const given: ManifestFile[] = [];
          for (const path of paths) given.push({ name: path, text: await read(path) });
          await run(context, own, { imported: importManifests(given), options });
        });
    },
  };
}

async function run(
  context: CliContext,
  own: Command,
  { imported, options }: { readonly imported: readonly LintedFile[]; readonly options: ImportOptions },
): Promise<void> {
  refuse(imported);
  for (const { name, findings } of imported) {
    for (const { line, object = 'the manifest', message, fix } of findings) {
      say(context, plain(`${name}:${line}: ${object}: ${message}; ${fix}`));
    }
  }
  const texts = imported.map(({ corrected }) => corrected);
  if (options.apply !== true) {
    context.stdout.write(joinDocuments(texts));
    return;
  }
  const isDryRun = options.dryRun === true;
  const { signal } = context;
  const items = await withConnection(context, own, ({ client }) => applyImported(client, texts, { isDryRun, signal }));
  const columns: readonly Column<ImportedObject>[] = [
    { name: 'kind', value: ({ kind }) => kind },
    { name: 'name', value: ({ namespace, name }) => (namespace === '' ? name : `${namespace}/${name}`) },
    {
      name: 'action',
      value: ({ action }) => (action === 'unchanged' ? action : isDryRun ? 'would create' : 'created'),
    },
  ];
  await printResult(context, globalOptions(own), {
    data: { items, isDryRun },
    names: items.map(({ kind, name }) => `${kind.toLowerCase()}/${name}`),
    table: { columns, items, empty: 'there is neither a class nor a claim in the files' },
  });
}

/** What is printed or created is whole, or nothing is. */
function refuse(imported: readonly LintedFile[]): void {
  const faults = imported.flatMap(({ name, findings }) =>
    findings
      .filter(({ severity, isFixed }) => severity === 'error' && !isFixed)
      .map(({ line, object, message, fix }) => ({
        field: `${name}:${line}`,
        message: `${object === undefined ? '' : `${object}: `}${message}; ${fix}`,
      })),
  );
  if (faults.length === 0) return;
  throw new AppError('invalid', 'the manifests cannot be imported as they are', {
    reason: 'InvalidManifest',
    hint: 'correct what is named, and import them again',
    faults,
  });
}
