/** The reporter in a real run of vitest, on tests that fail wherever a test can. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, runTool } from '../project.ts';
import { REPORT, type RunReport } from './report-failures.ts';

const FILES: Readonly<Record<string, string>> = {
  'good.test.js': `it('is good', () => {}); it.skip('is left out', () => {});`,
  'test.test.js': `describe('a group', () => { it('is bad', () => { throw new Error('in a test'); }); });`,
  'cause.test.js': `it('is bad for a reason', () => { throw new Error('all of it', { cause: new Error('the reason') }); });`,
  'file.test.js': `beforeAll(() => { throw new Error('before a file'); }); it('is never run', () => {});`,
  'group.test.js': `describe('another group', () => { beforeAll(() => { throw new Error('before a group'); }); it('is not run', () => {}); });
    it('is good beside it', () => {});`,
  'end.test.js': `afterAll(() => { throw new Error('after a file'); }); it('is good before it', () => {});`,
  'load.test.js': `throw new Error('at loading');`,
  'loose.test.js': `it('is good, and leaves something', () => { void Promise.reject(new Error('waited for by nobody')); });`,
};

it('tells of every error, wherever it was, and of the tests that passed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-report-'));
  try {
    for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
    const reporter = join(ROOT, 'tools/test/report-failures.ts');
    const args = ['run', '--root', folder, '--globals', '--reporter', reporter];
    const { code, output } = await runTool({
      file: 'vitest',
      args,
      cwd: folder,
      timeoutMs: 100_000,
      output: 'capture',
    });
    expect(code, output).not.toBe(0);
    const { passed, failures } = JSON.parse(await readFile(join(folder, REPORT), 'utf8')) as RunReport;
    expect(passed).toBe(4);
    const heads = failures.map((failure) => failure.split('\n')[0] ?? '').toSorted((a, b) => (a < b ? -1 : 1));
    expect(heads).toEqual([
      'a group > is bad: Error: in a test',
      'another group: Error: before a group',
      'end.test.js: Error: after a file',
      'file.test.js: Error: before a file',
      'is bad for a reason: Error: all of it',
      'load.test.js: Error: at loading',
      'outside of every test: Error: waited for by nobody',
    ]);
    expect(failures.filter((failure) => failure.includes('\ncaused by: Error: the reason'))).toHaveLength(1);
    expect(failures.every((failure) => failure.includes('.test.js:1:'))).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});
