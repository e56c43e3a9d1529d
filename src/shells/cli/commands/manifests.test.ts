/** `lint` and `import` as a person types them: what goes to which stream, what is written, and the exit code. */
import { expect, test } from 'vitest';
import { createFakeClock } from '../../../ports/clock.fake.ts';
import { createSeededRandom } from '../../../ports/random.fake.ts';
import type { CommandEntry } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { runCli } from '../program.ts';
import { createImportCommand } from './import.ts';
import { createLintCommand, type ManifestFiles } from './lint.ts';

const CLAIM = `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ ReadWriteOnce ]
resources:
  requests:
    storage: 1Gi
`;
const FIXED = CLAIM.replace(/\nresources:\n {2}requests:\n {4}storage/, '\n  resources:\n    requests:\n      storage');
const SIZELESS = FIXED.replace(/ {2}resources:[^]*/, '');

async function run(...args: readonly string[]) {
  const texts = new Map([
    ['claim.yaml', CLAIM],
    ['sizeless.yaml', SIZELESS],
    ['-', CLAIM],
  ]);
  const files: ManifestFiles = {
    read: async (path) => texts.get(path) ?? '',
    replace: async (path, text) => void texts.set(path, text),
  };
  const seen = { stdout: '', stderr: '' };
  const never = () => Promise.reject(new Error('no cluster is needed'));
  const context: CliContext = {
    stdin: process.stdin,
    stdout: { write: (text) => (seen.stdout += text) },
    stderr: { write: (text) => (seen.stderr += text) },
    ...{ env: {}, signal: new AbortController().signal, version: '0', connect: never, plans: { read: never } },
    ...{ clock: createFakeClock(), random: createSeededRandom(1) },
  };
  const entries: readonly CommandEntry[] = [
    { name: 'lint', summary: 'Lint', load: async () => createLintCommand(async () => files) },
    { name: 'import', summary: 'Import', load: async () => createImportCommand(async () => files) },
  ];
  return { code: await runCli(args, context, entries), texts, ...seen };
}

test('lint tells file, line and fix, and ends with 2', async () => {
  const { code, stdout, stderr, texts } = await run('lint', 'claim.yaml');
  expect(stdout).toBe(
    'claim.yaml:7:1: error: resources stands among the fields of the object, and is one of spec [indentation]\n' +
      '  fix: indent it like the other fields of spec\n',
  );
  expect(stderr).toBe('errors: 1, warnings: 0; -o yaml and --fix put all of them right\n');
  expect([code, texts.get('claim.yaml')]).toEqual([2, CLAIM]);
});

test('-o yaml prints the corrected manifests alone, and ends with 0 when nothing is left', async () => {
  const { code, stdout, texts } = await run('lint', 'claim.yaml', '-', '-o', 'yaml');
  expect([code, stdout]).toEqual([0, `${FIXED}---\n${FIXED}`]);
  expect(texts.get('claim.yaml')).toBe(CLAIM);
  expect((await run('lint', 'claim.yaml', 'sizeless.yaml', '-o', 'yaml')).code).toBe(2);
});

test('--fix writes the file, and prints what came from standard input', async () => {
  const written = await run('lint', '--fix', 'claim.yaml');
  expect([written.code, written.texts.get('claim.yaml')]).toEqual([0, FIXED]);
  const printed = await run('lint', '--fix', '-');
  expect([printed.code, printed.stdout]).toEqual([0, FIXED]);
});

test('-o json has each finding', async () => {
  const { stdout } = await run('lint', 'claim.yaml', '-o', 'json');
  const place = { file: 'claim.yaml', line: 7, column: 1 };
  expect(JSON.parse(stdout)).toMatchObject({ items: [{ ...place, severity: 'error', isFixed: true }] });
});

test('import prints whole manifests, or nothing', async () => {
  expect(await run('import', 'claim.yaml')).toMatchObject({ code: 0, stdout: FIXED });
  const refused = await run('import', 'claim.yaml', 'sizeless.yaml');
  expect([refused.code, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toContain(
    'sizeless.yaml:5: PersistentVolumeClaim data: the claim does not say how much it needs',
  );
});
