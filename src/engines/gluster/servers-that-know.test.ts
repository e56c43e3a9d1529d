import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { Host } from '../../ports/host.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createGlusterCli } from './cli.ts';
import { serversThatKnow } from './servers-that-know.ts';

const INFO = readFileSync(join(import.meta.dirname, 'fixtures/volume-info-one.xml'), 'utf8');
const ENCRYPTED = INFO.replace('<options>', '<options><option><name>client.ssl</name><value>on</value></option>');
const VOLUME = 'vrep3';
const SERVERS = ['kube3', 'kube1', 'kube2'];

/** Asks on a node whose own daemon answers this. */
function ask(stdout: string, wish: { readonly isEncrypted?: boolean; readonly servers?: readonly string[] }) {
  const commands: string[] = [];
  const run = async ({ args }: { readonly args: readonly string[] }) => {
    commands.push(args.join(' '));
    return { stdout, stderr: '', code: 0 };
  };
  const host = { name: 'kube3', run } as unknown as Host;
  const cli = createGlusterCli({ host, clock: createFakeClock(), random: createSeededRandom(1) });
  const step = { step: 'mountVolume', about: '', volume: VOLUME, mountPath: '/data', isReadOnly: false } as const;
  const servers = serversThatKnow(cli, { ...step, servers: SERVERS, ...wish }, new AbortController().signal);
  return { servers, commands };
}

describe('the servers that a mount begins with', () => {
  it.each([
    ['plain', INFO, false, SERVERS],
    ['plain, as before it was encrypted', INFO, true, ['kube1', 'kube2']],
    ['encrypted', ENCRYPTED, true, SERVERS],
    ['encrypted, as before that was taken off', ENCRYPTED, false, ['kube1', 'kube2']],
  ])('where this node calls the volume %s', async (_, info, isEncrypted, expected) => {
    expect(await ask(info, { isEncrypted }).servers).toEqual(expected);
  });

  it('are those that were named where nothing was ever encrypted, and nobody is asked', async () => {
    const { servers, commands } = ask(INFO, {});
    expect(await servers).toEqual(SERVERS);
    expect(commands).toEqual([]);
  });

  it('are waited for where no other node has the volume', async () => {
    const { servers } = ask(INFO, { isEncrypted: true, servers: ['kube3'] });
    await expect(servers).rejects.toMatchObject({ kind: 'unavailable', reason: 'NotHeardYet' });
  });
});
