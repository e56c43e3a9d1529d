/** The mount of a volume on a share, by agents that die at every moment of it: at its path nobody sees what was not looked at. */
import { expect, it } from 'vitest';
import { createInjector } from '../../src/adapters/host/inject.ts';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { ownEngineName } from '../../src/domain/volume/engine-name.ts';
import { createFakeFileServer } from '../../src/engines/nfs/file-server.fake.ts';
import { createNfsEngine } from '../../src/engines/nfs/index.ts';
import type { DesiredAttachment, DesiredShare, DesiredVolume, Engine } from '../../src/ports/engine.ts';
import type { Host } from '../../src/ports/host.ts';

const signal = new AbortController().signal;
const SOURCE = 'files:/export/db';
const share: DesiredShare = {
  ...{ server: 'files', path: '/export', subDir: 'db', onDelete: 'delete', mountOptions: [] },
  volumeUid: 'aaaaaaaa-0000-4000-8000-000000000001',
};
const name = ownEngineName('db');
const volume: DesiredVolume = {
  ...{ subject: 'volume', isPresent: true, layout: 'single', bricks: [], options: {}, name, share },
};
const attachment: DesiredAttachment = {
  ...{
    subject: 'attachment',
    isPresent: true,
    mountPath: '/data',
    isReadOnly: false,
    servers: [],
    volume: name,
    share,
  },
};

async function settle(engine: Engine, desired: DesiredVolume | DesiredAttachment): Promise<void> {
  for (const step of engine.plan(desired, await engine.observe(desired, signal))) await engine.apply(step, signal);
}

async function start() {
  const server = createFakeFileServer();
  for (const each of ['files:/export', 'files:/secret']) server.export(each);
  const machine = server.machine('kube1');
  await settle(createNfsEngine({ ...machine, hash: sha256 }), volume);
  return machine;
}

/** As a server resolves a symlink on the way to a folder: to another export of its own. */
function lured(host: Host): Host {
  const mount: Host['mounts']['mount'] = (request) =>
    host.mounts.mount(request.source === SOURCE ? { ...request, source: 'files:/secret' } : request);
  return { ...host, mounts: { ...host.mounts, mount } };
}

/** @returns false where it did all of it before: there is no such moment */
async function dies(host: Host, machine: Awaited<ReturnType<typeof start>>, nth: number): Promise<boolean> {
  const moment = Math.ceil(nth / 2);
  const { wrapHost, trace } = createInjector([{ nth: moment, what: nth % 2 === 0 ? 'crash-before' : 'crash-after' }]);
  try {
    await settle(createNfsEngine({ ...machine, host: wrapHost(host), hash: sha256 }), attachment);
  } catch {
    // Its death, or that the folder is not the volume's.
  }
  return trace.length >= moment;
}

it('is that of its own folder alone, wherever an agent dies, and is there after the next one', async () => {
  for (let nth = 1; ; nth += 1) {
    const machine = await start();
    const hasDiedLured = await dies(lured(machine.host), machine, nth);
    expect(
      machine.mounts.filter(({ target }) => target === '/data'),
      `moment ${nth}`,
    ).toEqual([]);
    const hasDied = await dies(machine.host, machine, nth);
    const next = createNfsEngine({ ...machine, hash: sha256 });
    for (const each of [attachment, volume]) await settle(next, each);
    // With nothing that was aside.
    expect(
      machine.mounts.map(({ source, target }) => `${source} ${target}`),
      `moment ${nth}`,
    ).toEqual([`${SOURCE} /data`]);
    if (!hasDiedLured && !hasDied) {
      expect(nth).toBeGreaterThan(12);
      return;
    }
  }
});
