/** `holdfast lint FILE...`: what is wrong in manifests, and the corrected ones. */
import type { Command } from 'commander';
import type { Finding } from '../../../domain/manifest/finding.ts';
import { type LintedFile, lintManifests, type ManifestFile } from '../../../usecases/manifests/lint-manifests.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { plain } from '../errors.ts';
import { CommandExit, EXIT_CODES } from '../exit-codes.ts';
import { globalOptions } from '../global-options.ts';
import { say } from '../output.ts';

/** Where manifests come from and go to. */
export interface ManifestFiles {
  /** The text of a file, or of standard input for "-". @throws {AppError} */
  read(path: string): Promise<string>;
  /** Puts a text in the place of a file's, whole or not at all. @throws {AppError} */
  replace(path: string, text: string): Promise<void>;
}

export type MakeManifestFiles = (signal: AbortSignal) => Promise<ManifestFiles>;

const STDIN = '-';

/** Registers the command; `files` is made only when it is called. */
export function createLintCommand(files: MakeManifestFiles): CommandModule {
  return { register: (command, context) => registerLint(command, context, files) };
}

function registerLint(command: Command, context: CliContext, makeFiles: MakeManifestFiles): void {
  command
    .description(
      'Check manifests of Kubernetes: indentation, characters, removed versions and plugins, classes, claims, selectors. ' +
        'Needs no cluster. -o yaml prints them corrected. Ends with 2 while an error is left',
    )
    .argument('<file...>', 'manifests, read together; - for standard input')
    .option('--fix', 'write the corrected manifests into the files; of standard input, print it')
    .action(async (paths: string[], { fix = false }: { readonly fix?: boolean }, own: Command) => {
      const files = await makeFiles(context.signal);
      const read: ManifestFile[] = [];
      for (const path of paths) read.push({ name: path, text: await files.read(path) });
      const linted = lintManifests(read);
      const { output } = globalOptions(own);
      const isCorrected = fix || output === 'yaml';
      if (fix) await writeAll(context, files, { read, linted });
      print(context, output, linted);
      const left = linted.flatMap(({ findings }) => findings).filter((each) => isLeft(each, isCorrected));
      if (left.length > 0) throw new CommandExit(EXIT_CODES.invalid);
    });
}

function isLeft({ severity, isFixed }: Finding, isCorrected: boolean): boolean {
  return severity === 'error' && !(isCorrected && isFixed);
}

async function writeAll(
  context: CliContext,
  files: ManifestFiles,
  { read, linted }: { readonly read: readonly ManifestFile[]; readonly linted: readonly LintedFile[] },
): Promise<void> {
  for (const [at, { name, corrected }] of linted.entries()) {
    if (name === STDIN) context.stdout.write(corrected);
    else if (corrected !== read[at]?.text) await files.replace(name, corrected);
  }
}

function print(context: CliContext, output: string, linted: readonly LintedFile[]): void {
  const items = linted.flatMap(({ name, findings }) => findings.map((finding) => ({ file: name, ...finding })));
  if (output === 'json') {
    context.stdout.write(`${JSON.stringify({ items }, undefined, 2)}\n`);
    return;
  }
  const isYaml = output === 'yaml';
  const hasText = isYaml || linted.some(({ name }) => name === STDIN);
  // What is to be read by a program comes alone.
  const to = hasText ? context.stderr : context.stdout;
  for (const item of items) to.write(plain(describe(item)));
  if (isYaml) context.stdout.write(joinDocuments(linted.map(({ corrected }) => corrected)));
  say(context, summary(items));
}

function describe({
  file,
  line,
  column,
  severity,
  rule,
  object,
  message,
  fix,
}: Finding & { readonly file: string }): string {
  const place = [file === STDIN ? 'standard input' : file, line, ...(column === undefined ? [] : [column])].join(':');
  const about = object === undefined ? '' : `${object}: `;
  return `${place}: ${severity}: ${about}${message} [${rule}]\n  fix: ${fix}\n`;
}

function summary(items: readonly Finding[]): string {
  if (items.length === 0) return 'nothing is wrong';
  const count = (severity: Finding['severity']) => items.filter((each) => each.severity === severity).length;
  const fixed = items.filter(({ isFixed }) => isFixed).length;
  const rest = fixed === items.length ? 'all of them' : `${fixed} of them`;
  return `errors: ${count('error')}, warnings: ${count('warning')}; -o yaml and --fix put ${fixed === 0 ? 'none' : rest} right`;
}

/** Several files as one stream of documents. */
export function joinDocuments(texts: readonly string[]): string {
  return texts
    .map((text, at) => (at === 0 || text.startsWith('---') ? text : `---\n${text}`))
    .map((text) => (text === '' || text.endsWith('\n') ? text : `${text}\n`))
    .join('');
}
