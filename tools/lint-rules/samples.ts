/** Files that the linter must refuse, each for one rule, and files that it must accept. */

export interface Sample {
  readonly path: string;
  readonly code: string;
}

export interface RefusedSample extends Sample {
  readonly rule: string;
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');
const DOC = '/** What it is for. */\n';

const LAYER_SAMPLES: readonly RefusedSample[] = [
  { rule: 'own/layers', path: 'src/domain/a/node-module.ts', code: "import 'node:fs';" },
  { rule: 'own/layers', path: 'src/domain/a/node-submodule.ts', code: "import 'node:fs/promises';" },
  { rule: 'own/layers', path: 'src/domain/a/package.ts', code: "import 'zod';" },
  { rule: 'own/layers', path: 'src/domain/a/scoped-package.ts', code: "import '@kubernetes/client-node';" },
  { rule: 'own/layers', path: 'src/domain/a/schema-value.ts', code: "export { x } from '../../schemas/x.ts';" },
  { rule: 'own/layers', path: 'src/domain/a/port-type.ts', code: "export type { X } from '../../ports/x.ts';" },
  { rule: 'own/layers', path: 'src/schemas/port.ts', code: "import '../ports/x.ts';" },
  { rule: 'own/layers', path: 'src/ports/adapter.ts', code: "export * from '../adapters/x.ts';" },
  { rule: 'own/layers', path: 'src/usecases/a/adapter.ts', code: "import '../../adapters/x.ts';" },
  { rule: 'own/layers', path: 'src/usecases/a/engine.ts', code: "import '../../engines/gluster/engine.ts';" },
  { rule: 'own/layers', path: 'src/usecases/a/shell.ts', code: "import '../../shells/cli/x.ts';" },
  { rule: 'own/layers', path: 'src/usecases/a/files.ts', code: "import 'node:fs/promises';" },
  {
    rule: 'own/layers',
    path: 'src/controllers/a/lazy.ts',
    code: `${DOC}export const load = () => import('../../adapters/x.ts');`,
  },
  {
    rule: 'own/layers',
    path: 'src/usecases/a/inline-type.ts',
    code: "export type E = import('../../engines/gluster/engine.ts').E;",
  },
  { rule: 'own/layers', path: 'src/main/fake.ts', code: "import '../ports/clock.fake.ts';" },
  { rule: 'own/layers', path: 'src/engines/gluster/usecase.ts', code: "import '../../usecases/x.ts';" },
  { rule: 'own/layers', path: 'src/engines/gluster/other-engine.ts', code: "import '../local/engine.ts';" },
  { rule: 'own/layers', path: 'src/adapters/a/engine.ts', code: "import '../../engines/gluster/engine.ts';" },
  {
    rule: 'own/layers',
    path: 'src/adapters/a/process.ts',
    code: "import { spawn } from 'node:child_process';\nspawn('true');",
  },
  { rule: 'own/layers', path: 'src/shells/cli/adapter.ts', code: "import '../../adapters/x.ts';" },
  { rule: 'own/layers', path: 'src/shells/cli/main.ts', code: "import '../../main/cli.ts';" },
  { rule: 'own/layers', path: 'src/main/process.ts', code: "import 'node:child_process';" },
  { rule: 'own/layers', path: 'src/main/outside.ts', code: "import '../../tools/project.ts';" },
  { rule: 'own/layers', path: 'src/somewhere/else.ts', code: "import '../domain/x.ts';" },
];

const OWN_SAMPLES: readonly RefusedSample[] = [
  { rule: 'own/no-ambient', path: 'src/domain/b/now.ts', code: 'export const at = Date.now();' },
  { rule: 'own/no-ambient', path: 'src/domain/b/chance.ts', code: 'export const chance = Math.random();' },
  { rule: 'own/no-ambient', path: 'src/usecases/b/date.ts', code: 'export const at = new Date();' },
  { rule: 'own/no-ambient', path: 'src/controllers/b/timer.ts', code: 'setTimeout(() => undefined, 5);' },
  { rule: 'own/no-ambient', path: 'src/engines/b/uuid.ts', code: 'export const id = crypto.randomUUID();' },
  {
    rule: 'own/no-shell',
    path: 'src/adapters/host/run.ts',
    code: "import { spawn } from 'node:child_process';\nspawn('ls', [], { shell: true });",
  },
  {
    rule: 'own/no-shell',
    path: 'src/main/exec.test.ts',
    code: "import { exec } from 'node:child_process';\nexec('ls');",
  },
  {
    rule: 'own/no-shell',
    path: 'src/engines/b/bash.ts',
    code: "export const c = { file: 'bash', args: ['-c', 'ls'] };",
  },
  {
    rule: 'own/no-shell',
    path: 'src/engines/b/sh.ts',
    code: `${DOC}export const c = (run: (f: string, a: string[]) => void): void => run('/bin/sh', ['-ec', 'ls']);`,
  },
  {
    rule: 'own/static-log-message',
    path: 'src/usecases/b/log.ts',
    code: `${DOC}export const f = (log: { info(f: object, m: string): void }, n: string): void => log.info({}, \`made \${n}\`);`,
  },
  {
    rule: 'own/no-sleep-in-tests',
    path: 'src/domain/b/sleep.test.ts',
    code: 'export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));',
  },
  {
    rule: 'own/no-sleep-in-tests',
    path: 'src/domain/b/braced-sleep.test.ts',
    code: 'export const sleep = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 9); });',
  },
  {
    rule: 'own/no-sleep-in-tests',
    path: 'src/domain/b/timers.test.ts',
    code: "import { setTimeout } from 'node:timers/promises';\nawait setTimeout(5);",
  },
  { rule: 'own/file-name', path: 'src/domain/b/CamelCase.ts', code: 'export const a = 1;' },
  { rule: 'own/file-name', path: 'src/domain/b/utils.ts', code: 'export const a = 1;' },
  { rule: 'own/file-name', path: 'src/domain/b/helpers.test.ts', code: 'export const a = 1;' },
  { rule: 'own/documented-exports', path: 'src/domain/b/undocumented.ts', code: 'export function f(): void {}' },
  {
    rule: 'own/documented-exports',
    path: 'src/domain/b/undocumented-const.ts',
    code: 'export const f = (): number => 1;',
  },
  {
    rule: 'own/reasoned-disable',
    path: 'src/domain/b/disable.ts',
    code: '// oxlint-disable-next-line typescript/no-explicit-any\nexport const a = 1 as any;',
  },
  {
    rule: 'own/function-lines',
    path: 'src/domain/b/long-function.ts',
    code: `${DOC}export function f(g: () => void): void {\n${lines(60, () => '  g();')}\n}`,
  },
];

const BUILT_IN_SAMPLES: readonly RefusedSample[] = [
  { rule: 'max-lines', path: 'src/domain/c/long-file.ts', code: lines(401, (index) => `export const a${index} = 1;`) },
  {
    rule: 'max-lines-per-function',
    path: 'src/domain/c/long-factory.ts',
    code: `${DOC}export function f(g: () => void): void {\n${lines(40, () => '  (() => {\n    g();\n    g();\n  })();')}\n}`,
  },
  {
    rule: 'complexity',
    path: 'src/domain/c/complex.ts',
    code: `${DOC}export function f(n: number): number {\n${lines(12, (i) => `  if (n === ${i}) return ${i};`)}\n  return n;\n}`,
  },
  {
    rule: 'max-params',
    path: 'src/domain/c/params.ts',
    code: `${DOC}export const f = (a: number, b: number, c: number, d: number, e: number): number => a + b + c + d + e;`,
  },
  {
    rule: 'max-depth',
    path: 'src/domain/c/deep.ts',
    code: `${DOC}export function f(a: boolean, g: () => void): void {\n  if (a) { if (a) { if (a) { if (a) { g(); } } } }\n}`,
  },
  {
    rule: 'import/no-cycle',
    path: 'src/domain/c/cycle-a.ts',
    code: "import { b } from './cycle-b.ts';\nexport const a = [b];",
  },
  {
    rule: 'import/no-cycle',
    path: 'src/domain/c/cycle-b.ts',
    code: "import { a } from './cycle-a.ts';\nexport const b = [a];",
  },
  { rule: 'import/no-default-export', path: 'src/domain/c/default.ts', code: 'export default 1;' },
  {
    rule: 'typescript/no-floating-promises',
    path: 'src/domain/c/floating.ts',
    code: `${DOC}export function f(g: () => Promise<void>): void {\n  g();\n}`,
  },
  {
    rule: 'typescript/no-misused-promises',
    path: 'src/domain/c/misused.ts',
    code: `${DOC}export const f = (g: () => Promise<boolean>): number => (g() ? 1 : 2);`,
  },
  {
    rule: 'typescript/switch-exhaustiveness-check',
    path: 'src/domain/c/switch.ts',
    code: `${DOC}export function f(a: 'x' | 'y'): number {\n  switch (a) {\n    case 'x':\n      return 1;\n  }\n  return 2;\n}`,
  },
  { rule: 'typescript/no-explicit-any', path: 'src/domain/c/any.ts', code: 'export const a = 1 as any;' },
  {
    rule: 'typescript/no-non-null-assertion',
    path: 'src/domain/c/bang.ts',
    code: `${DOC}export const f = (a?: number): number => a!;`,
  },
  {
    rule: 'typescript/explicit-module-boundary-types',
    path: 'src/domain/c/untyped.ts',
    code: `${DOC}export function f() { return 1; }`,
  },
  {
    rule: 'typescript/only-throw-error',
    path: 'src/domain/c/throw.ts',
    code: `${DOC}export function f(): void { throw 'x'; }`,
  },
  {
    rule: 'no-empty',
    path: 'src/domain/c/swallow.ts',
    code: `${DOC}export function f(g: () => void): void { try { g(); } catch {} }`,
  },
  { rule: 'no-warning-comments', path: 'src/domain/c/later.ts', code: '// TODO: later\nexport const a = 1;' },
  { rule: 'no-console', path: 'src/domain/c/print.ts', code: "console.log('x');" },
  {
    rule: 'vitest/no-disabled-tests',
    path: 'src/domain/c/skipped.test.ts',
    code: "import { expect, test } from 'vitest';\ntest.skip('a', () => {\n  expect(1).toBe(1);\n});",
  },
  {
    rule: 'vitest/no-focused-tests',
    path: 'src/domain/c/focused.test.ts',
    code: "import { expect, test } from 'vitest';\ntest.only('a', () => {\n  expect(1).toBe(1);\n});",
  },
  {
    rule: 'vitest/expect-expect',
    path: 'src/domain/c/no-expectation.test.ts',
    code: "import { test } from 'vitest';\ntest('a', () => {\n  Math.abs(1);\n});",
  },
];

/** One bad file each. */
export const REFUSED: readonly RefusedSample[] = [...LAYER_SAMPLES, ...OWN_SAMPLES, ...BUILT_IN_SAMPLES];

/** Good files, close to the bad ones. */
export const ACCEPTED: readonly Sample[] = [
  { path: 'src/domain/d/schema-type.ts', code: "import type { X } from '../../schemas/y.ts';\nexport type Y = X;" },
  {
    path: 'src/schemas/y.ts',
    code: "import { z } from 'zod';\nexport const X = z.string();\nexport type X = z.infer<typeof X>;",
  },
  { path: 'src/usecases/d/path.ts', code: "import { join } from 'node:path/posix';\nexport const p = join('a', 'b');" },
  { path: 'src/ports/d.fake.ts', code: "import './e.fake.ts';" },
  { path: 'src/ports/e.fake.ts', code: 'export const e = 1;' },
  {
    path: 'src/adapters/d/files.ts',
    code: "import { sep } from 'node:path';\nexport const at = [sep, Date.now(), new Date()];",
  },
  {
    path: 'src/main/version.ts',
    code: "import manifest from '../../package.json' with { type: 'json' };\nexport const v = manifest.version;",
  },
  { path: 'src/domain/d/date.ts', code: 'export const at = new Date(0).toISOString();' },
  { path: 'src/domain/d/command.ts', code: "export const c = { file: 'mkfs.xfs', args: ['-c', 'x'], shell: false };" },
  {
    path: 'src/usecases/d/log.ts',
    code: `${DOC}export const f = (log: { info(f: object, m: string): void }, n: string): void => log.info({ n }, 'made');`,
  },
  {
    path: 'src/domain/d/own-expectation.test.ts',
    code: "import { test } from 'vitest';\nconst world = { expectWhole: (): void => undefined };\ntest('a', () => {\n  world.expectWhole();\n});",
  },
  {
    path: 'src/domain/d/property.prop.test.ts',
    code: "import fc from 'fast-check';\nimport { test } from 'vitest';\ntest('a', () => {\n  fc.assert(fc.property(fc.nat(), (n) => n >= 0));\n});",
  },
  {
    path: 'src/domain/d/factory.ts',
    code: `${DOC}export function createX(g: () => void): () => void {\n  const a = (): void => {\n${lines(40, () => '    g();')}\n  };\n  return () => {\n    a();\n${lines(40, () => '    g();')}\n  };\n}`,
  },
];
