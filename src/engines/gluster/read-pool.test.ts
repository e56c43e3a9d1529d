import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planAdoption } from '../../domain/adopt/plan-adoption.ts';
import { engineNameOf } from '../../domain/volume/engine-name.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { DesiredVolume } from '../../ports/engine.ts';
import type { Command, Host } from '../../ports/host.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import type { PlanVolume } from '../../schemas/plan-file.ts';
import { createKeyedMutex } from '../image/keyed-mutex.ts';
import { createGlusterCli } from './cli.ts';
import { observeVolume } from './observe-volume.ts';
import { planVolume } from './plan-volume.ts';
import { createGlusterPoolReader } from './read-pool.ts';

const { signal } = new AbortController();
const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

/** Of a pool of 10.3 that knows kube4 by its address only, and has a volume with a name as Heketi gives them. */
const ANSWERS: readonly (readonly [argv: RegExp, fixture: string])[] = [
  [/ volume info/, 'others/volume-info.xml'],
  [/ pool list/, 'others/pool-list.xml'],
  [/ volume status .* detail/, 'others/volume-status-detail.xml'],
  [/ volume status/, 'others/volume-status.xml'],
  [/ volume heal .* info summary/, 'others/heal-info-summary.xml'],
  [/ quota storage01 list/, 'quota-list.xml'],
];
const HOSTS: Readonly<Record<string, string>> = {
  kube1: '10.91.1.1',
  kube2: '10.91.1.2',
  kube3: '10.91.1.3',
  kube4: '10.91.1.4',
};

/** kube1 of that pool; `hosts` are what it resolves. */
function machine(hosts: Readonly<Record<string, string>>, changeInfo = (xml: string) => xml) {
  const answer = (line: string): string => {
    const [, name = 'volume-info-missing.xml'] = ANSWERS.find(([argv]) => argv.test(line)) ?? [];
    return name === 'others/volume-info.xml' ? changeInfo(fixture(name)) : fixture(name);
  };
  const called = (address: string): string => {
    const [name] = Object.entries(hosts).find(([, each]) => each === address) ?? [];
    return name === undefined ? '' : `${address}      ${name}\n`;
  };
  const addressOf = (name: string): string => {
    const address = hosts[name] ?? (/^[\d.]+$/.test(name) ? name : undefined);
    return address === undefined ? '' : `${address}      STREAM ${name}\n`;
  };
  const stdoutOf = ({ file, args }: Command): string => {
    if (file === 'hostname') return 'kube1\n';
    if (file === 'gluster') return answer(` ${args.join(' ')}`);
    const asked = args.at(-1) ?? '';
    return args[0] === 'hosts' ? called(asked) : addressOf(asked);
  };
  const run = async (command: Command) => ({ stdout: stdoutOf(command), stderr: '', code: 0 });
  const mounts = { list: async () => [{ fsType: 'fuse.glusterfs', source: 'kube1:/vol_8A7b', target: '/mnt/vol' }] };
  return {
    host: { name: 'kube1', run, mounts } as unknown as Host,
    clock: createFakeClock(),
    random: createSeededRandom(1),
  };
}

async function adoptHeketis(): Promise<PlanVolume & { readonly adopted: NonNullable<PlanVolume['adopted']> }> {
  const found = planAdoption(await createGlusterPoolReader(machine(HOSTS)).read(signal));
  const volume = found.volumes.find(({ adopted }) => adopted?.engineName === 'vol_8A7b');
  if (volume?.adopted === undefined) throw new Error(JSON.stringify(found.refusals));
  return { ...volume, adopted: volume.adopted };
}

test('a pool is read with the names and addresses that it has, and its machines get names', async () => {
  const pool = await createGlusterPoolReader(machine(HOSTS)).read(signal);
  expect(
    pool.peers.map(({ names, address }) => [...names, address].join(' ')).toSorted((a, b) => (a < b ? -1 : 1)),
  ).toEqual(['10.91.1.4 kube4 10.91.1.4', 'kube1 10.91.1.1', 'kube2 10.91.1.2', 'kube3 10.91.1.3']);
  const found = planAdoption(pool);
  expect(found.nodes.map(({ host, ip }) => [host, ip])).toEqual(Object.entries(HOSTS));
  expect(await adoptHeketis()).toMatchObject({
    ...{ name: 'vol-8a7b', layout: 'arbiter', size: '960Mi' },
    adopted: {
      engineName: 'vol_8A7b',
      bricks: [{ node: 'kube2' }, { node: 'kube3' }, { node: 'kube4', host: '10.91.1.4' }],
    },
  });
  expect(found.notices).toContainEqual(expect.stringContaining('vol-8a7b: is mounted at /mnt/vol on kube1'));
});

test('an address that nothing is called by leaves its machine without a name', async () => {
  const { kube4: _, ...others } = HOSTS;
  const found = planAdoption(await createGlusterPoolReader(machine(others)).read(signal));
  expect(found.nodes.map(({ host }) => host)).toEqual(['kube1', 'kube2', 'kube3']);
  expect(found.notices[0]).toContain('the pool knows 10.91.1.4 by no host name');
});

async function look(changeInfo?: (xml: string) => string) {
  const { name, adopted } = await adoptHeketis();
  const deps = machine(HOSTS, changeInfo);
  const desired: DesiredVolume = {
    ...{ subject: 'volume', isPresent: true, layout: 'arbiter', options: {}, engineId: adopted.engineId },
    name: engineNameOf({ metadata: { name }, spec: { adopted } }),
    bricks: adopted.bricks.map(({ node, path }, at) => ({ node, path, isArbiter: at === 2 })),
    adopted: { ...adopted, takesOptions: false },
  };
  const cli = createGlusterCli(deps);
  const observed = await observeVolume({ ...deps, cli, locks: createKeyedMutex(), log: undefined }, desired, signal);
  return { observed, steps: planVolume(desired, observed) };
}

test('the adopted volume is looked at by its own name, and its bricks are on nodes', async () => {
  const { observed, steps } = await look();
  expect(
    observed.bricks.map(({ node, isOnline, isReadable, pendingHeals }) => ({
      node,
      isOnline,
      isReadable,
      pendingHeals,
    })),
  ).toEqual(['kube2', 'kube3', 'kube4'].map((node) => ({ node, isOnline: true, isReadable: true, pendingHeals: 0 })));
  expect(steps).toEqual([]);
});

test.each([
  ['the node by its name instead of its address', '10.91.1.4:/var/lib/heketi', 'kube4:/var/lib/heketi'],
  ['another address', '10.91.1.4:/var/lib/heketi', '10.91.1.5:/var/lib/heketi'],
  ['another machine', 'kube2:/var/lib/heketi', 'kube1:/var/lib/heketi'],
])('with a brick on %s it is another volume', async (_, from, to) => {
  const { steps } = await look((xml) => xml.replaceAll(from, to));
  expect(steps).toMatchObject([{ step: 'refuse', reason: 'ForeignVolume' }]);
});
