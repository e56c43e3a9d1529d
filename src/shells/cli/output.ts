/** Writes results in the form that -o asks for: data to stdout, everything that is not data to stderr. */
import type { CliContext } from './context.ts';
import type { GlobalOptions } from './global-options.ts';
import { type Column, renderTable } from './table.ts';

/** One result in all forms. */
export interface Result<T> {
  /** For -o json and yaml. */
  readonly data: unknown;
  /** For -o name: kind/name as kubectl has it. */
  readonly names: readonly string[];
  /** For -o table and wide, when the result is a list. */
  readonly table?: { readonly columns: readonly Column<T>[]; readonly items: readonly T[]; readonly empty: string };
  /** For -o table and wide, when it is not. */
  readonly text?: (isWide: boolean) => string;
}

type OutputContext = Pick<CliContext, 'stdout' | 'stderr'>;

/** Prints a result. */
export async function printResult<T>(context: OutputContext, options: GlobalOptions, result: Result<T>): Promise<void> {
  const { stdout } = context;
  switch (options.output) {
    case 'json':
      stdout.write(`${JSON.stringify(result.data, undefined, 2)}\n`);
      return;
    case 'yaml': {
      const { toYaml } = await import('./to-yaml.ts');
      stdout.write(toYaml(result.data));
      return;
    }
    case 'name':
      stdout.write(result.names.map((name) => `${name}\n`).join(''));
      return;
    case 'table':
    case 'wide':
    // Kismatic's: refused for all commands that are not Kismatic's too.
    case 'kismatic-json':
    case 'simple':
    case 'raw':
      printForPeople(context, options, result);
  }
}

function printForPeople<T>({ stdout, stderr }: OutputContext, options: GlobalOptions, result: Result<T>): void {
  const isWide = options.output === 'wide';
  if (result.text !== undefined) stdout.write(result.text(isWide));
  if (result.table === undefined) return;
  const { columns, items, empty } = result.table;
  if (items.length === 0) stderr.write(`${empty}\n`);
  else stdout.write(renderTable(columns, items, { isWide, hasHeaders: options.headers }));
}

/** A remark for the person at the terminal; never data. */
export function say({ stderr }: Pick<CliContext, 'stderr'>, text: string): void {
  stderr.write(`${text}\n`);
}
