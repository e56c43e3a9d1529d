import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createSystemClock } from './clock.ts';
import { lockFile } from './file-lock.ts';

it('is held by one at a time, and free again after its release', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-lock-'));
  try {
    const path = join(folder, 'lock');
    const take = () => lockFile(createSystemClock(), path, { waitMs: 0 });
    const release = await take();
    expect(release).toBeDefined();
    expect(await take()).toBeUndefined();
    release?.();
    const again = await take();
    expect(again).toBeDefined();
    again?.();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
