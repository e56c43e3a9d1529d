import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPlanReader } from './plan-reader.ts';

/** Of coreutils; Node has nothing that makes a named pipe. */
const MKFIFO = 'mkfifo';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-reader-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const noInput = () => new Readable({ read: () => undefined });

test('a named pipe that nobody writes into is refused before it is opened', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync(MKFIFO, [pipe]);
  await expect(createPlanReader({ stdin: noInput() }).read(pipe)).rejects.toMatchObject({
    kind: 'invalid',
    message: `${pipe} is a named pipe, not a plan file`,
    hint: `write: -f - < ${pipe}`,
  });
});

test('standard input that never ends is left at Ctrl-C', async () => {
  const stop = new AbortController();
  const stdin = noInput();
  const reading = createPlanReader({ stdin, signal: stop.signal }).read('-');
  stop.abort();
  await expect(reading).rejects.toMatchObject({ kind: 'cancelled' });
  expect(stdin.destroyed).toBe(true);
});

test('standard input that is larger than a plan is not read to its end', async () => {
  const stdin = new Readable({
    read() {
      this.push(Buffer.alloc(64 * 1024, '#'));
    },
  });
  await expect(createPlanReader({ stdin }).read('-')).rejects.toMatchObject({ reason: 'PlanTooLarge' });
  expect(stdin.destroyed).toBe(true);
});

test.each([
  ['a folder', '.', 'invalid', 'is a directory'],
  ['a file that is not there', 'none.yaml', 'notFound', 'there is no such file'],
  ['a path through a file', 'file/plan.yaml', 'notFound', 'there is no such file'],
])('%s is told', async (_, name, kind, message) => {
  writeFileSync(join(folder, 'file'), '');
  await expect(createPlanReader({ stdin: noInput() }).read(join(folder, name))).rejects.toMatchObject({
    kind,
    message: expect.stringContaining(message),
  });
});
