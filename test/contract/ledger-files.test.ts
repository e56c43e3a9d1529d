/** What every LedgerFiles does, the one in memory and the real one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createLedgerFiles } from '../../src/adapters/ledger/durable-files.ts';
import { createFakeLedgerFiles } from '../../src/ports/ledger-files.fake.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-ledger-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (read: Uint8Array): string => Buffer.from(read).toString();

let names = 0;
const newPath = (): string => join(folder, `file-${names++}`);

describe.each([
  { kind: 'real', files: createLedgerFiles() },
  { kind: 'fake', files: createFakeLedgerFiles() },
])('$kind', ({ files }) => {
  test('a file that is missing is created only when asked', async () => {
    const path = newPath();
    await expect(files.open(path, { create: false })).rejects.toMatchObject({ kind: 'notFound', reason: 'ENOENT' });
    const file = await files.open(path, { create: true });
    expect(await file.size()).toBe(0);
    await file.close();
    await (await files.open(path, { create: false })).close();
  });

  test('bytes are written where they should be, over what was there', async () => {
    const file = await files.open(newPath(), { create: true });
    await file.write(0, bytes('hello world'));
    await file.write(6, bytes('earth and moon'));
    await file.sync();
    expect(await file.size()).toBe(20);
    expect(text(await file.read(0, 100))).toBe('hello earth and moon');
    expect(text(await file.read(6, 5))).toBe('earth');
    expect(text(await file.read(100, 5))).toBe('');
    await file.close();
  });

  test('a write behind the end leaves zeros before it', async () => {
    const file = await files.open(newPath(), { create: true });
    await file.write(3, bytes('x'));
    expect(text(await file.read(0, 10))).toBe('\0\0\0x');
    await file.close();
  });

  test('a file is cut, and is as it was left when it is opened again', async () => {
    const path = newPath();
    const file = await files.open(path, { create: true });
    await file.write(0, bytes('abcdef'));
    await file.truncate(2);
    await file.sync();
    await file.close();
    const again = await files.open(path, { create: true });
    expect(text(await again.read(0, 10))).toBe('ab');
    await again.close();
  });
});

test('opening a folder, or a file in a folder that is missing, says what is wrong', async () => {
  const files = createLedgerFiles();
  await expect(files.open(folder, { create: true })).rejects.toMatchObject({ kind: 'invalid', reason: 'EISDIR' });
  const lost = join(folder, 'missing', 'file');
  await expect(files.open(lost, { create: true })).rejects.toMatchObject({ kind: 'notFound' });
});

test('a full disk is an error of the write, with its code', async () => {
  const file = await createLedgerFiles().open('/dev/full', { create: false });
  await expect(file.write(0, bytes('x'))).rejects.toMatchObject({ kind: 'unavailable', reason: 'ENOSPC' });
  await file.close();
});
