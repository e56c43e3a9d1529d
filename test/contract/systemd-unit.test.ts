/** The units that an installation writes, judged by systemd itself. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, unitName, unitText } from '../../src/domain/install/services.ts';

const ANALYZE = '/usr/bin/systemd-analyze';
const isThere = existsSync(ANALYZE);
if (!isThere) console.warn('NOT TESTED: systemd is not installed, so it was not asked about the units');

const HOSTILE = ['/usr/bin/env', 'a b', '100%', '%n', '$HOME', '"quoted"', "it's", 'back\\slash', 'two\nlines', 'ö'];
const AGENT = { name: 'agent', description: 'Holdfast agent of kube1' };
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-units-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What systemd has to say against a unit: nothing where it understands every line. */
async function objections(service: Service, text = unitText(service)): Promise<string> {
  const path = join(folder, unitName(service));
  await writeFile(path, text);
  const { status, stderr } = spawnSync(ANALYZE, ['verify', '--man=no', path], { encoding: 'utf8', timeout: 60_000 });
  expect(status, stderr).not.toBeNull();
  // Not of what else is on the machine.
  return stderr
    .split('\n')
    .filter((line) => line.includes(unitName(service)))
    .join('\n');
}

describe.runIf(isThere)('the unit of a service', () => {
  it('is understood, whatever the words of its command line', async () => {
    expect(await objections({ ...AGENT, argv: HOSTILE })).toBe('');
  });

  it('would be objected to if it were not', async () => {
    const service = { ...AGENT, argv: ['/usr/bin/env'] };
    const wrong = unitText(service).replace('KillMode=process', 'KillMode=nobody');
    expect(await objections(service, wrong)).toMatch(/KillMode|kill mode/i);
    expect(await objections({ ...service, argv: ['/no/such/program'] })).toContain('/no/such/program');
  });
});
