/**
 * `npm run bench [NAME...]`: runs the benchmarks beside this file (each exports `run`), one after the other, and prints
 * their numbers next to the budgets of the design. A benchmark informs; it fails only when it could not measure.
 */
import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../src/domain/errors.ts';

/** One measured number. */
export interface Measurement {
  /** "create to mounted, replica 3". */
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the design asks for, as text with its unit: "<= 15 s". */
  readonly budget?: string;
}

/** What each file of this folder exports as `run`; one that takes long tells each number as soon as it is known. */
export type Benchmark = () => Promise<readonly Measurement[]> | AsyncGenerator<Measurement>;

const folder = dirname(fileURLToPath(import.meta.url));
const names = globSync('*.ts', { cwd: folder })
  .filter((file) => file !== 'index.ts' && !file.endsWith('.test.ts'))
  .map((file) => basename(file, '.ts'))
  .toSorted();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are ${names.join(', ') || 'none'}`);
  process.exit(2);
}

for (const name of wanted.length === 0 ? names : wanted) {
  console.log(`\n${name}`);
  try {
    const { run } = (await import(join(folder, `${name}.ts`))) as { run: Benchmark };
    for await (const each of await run()) {
      const value = `${Number(each.value.toPrecision(4))} ${each.unit}`;
      console.log(`  ${each.what.padEnd(52)} ${value.padStart(16)}  ${each.budget ?? ''}`.trimEnd());
    }
  } catch (error) {
    console.error(`  could not be measured: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}
