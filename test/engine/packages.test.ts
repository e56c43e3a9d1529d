/** apt-get for real, in a lab host: its root file system is a private overlay, so this machine's packages are not touched. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApt } from '../../src/adapters/packages/apt.ts';
import { suppressServices } from '../../src/adapters/packages/suppress-services.ts';
import type { MachineHost } from '../../src/ports/host.ts';
import { installMissing } from '../../src/usecases/lab/install-missing.ts';
import { createTestLabs, type TestLabs } from './lab-fixture.ts';

const TIMEOUT_MS = 60_000;
const POLICY = '/usr/sbin/policy-rc.d';
const REPOSITORY = '/srv/packages';
/** Starts its service as Debian's packages do: through invoke-rc.d, which asks the policy. */
const POSTINST =
  '#!/bin/sh\nset -e\nupdate-rc.d holdfast-probe defaults >/dev/null\ninvoke-rc.d holdfast-probe start\n';
const INIT_SCRIPT = `#!/bin/sh
### BEGIN INIT INFO
# Provides: holdfast-probe
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
touch /run/holdfast-probe-was-started
`;
const NEEDED = [{ program: 'holdfast-probe', debianPackage: 'holdfast-probe' }];

let made: TestLabs;
let host: MachineHost;
const run = (file: string, ...args: string[]) => host.run({ file, args, timeoutMs: TIMEOUT_MS });
/** The writer of a policy as the host sees it: it knows the PIDs of its own namespace only. */
const processes = { self: async () => ({ pid: 1, startTicks: (await host.processes.self()).startTicks }) };
const apt = (userId = 0) => createApt({ host, processes, userId });

beforeAll(async () => {
  made = await createTestLabs();
  const lab = await made.labs.up({ name: 'packages', hosts: 1 });
  host = lab.host('kube1');
  await host.files.remove(POLICY);
  await makePackage();
});
afterAll(() => made.remove());

async function makePackage(): Promise<void> {
  const tree = '/srv/holdfast-probe';
  const write = async (path: string, text: string, mode = 0o644) => {
    await run('mkdir', '-p', '--', `${tree}${path}`.replace(/\/[^/]*$/, ''));
    await host.files.writeText(`${tree}${path}`, text, { mode });
  };
  const control = [
    'Package: holdfast-probe',
    'Version: 1.0',
    'Architecture: all',
    'Maintainer: nobody <nobody@example.invalid>',
    'Description: for a test',
    '',
  ].join('\n');
  await write('/DEBIAN/control', control);
  await write('/DEBIAN/postinst', POSTINST, 0o755);
  await write('/etc/init.d/holdfast-probe', INIT_SCRIPT, 0o755);
  await write('/usr/bin/holdfast-probe', '#!/bin/sh\n', 0o755);
  await host.files.makeDirectory(REPOSITORY);
  const file = `${REPOSITORY}/holdfast-probe.deb`;
  await run('dpkg-deb', '--root-owner-group', '--build', tree, file);
  const content = await host.files.readBytes(file, 0, 2 ** 20);
  const digest = createHash('sha256').update(content).digest('hex');
  const index = `${control}Filename: ./holdfast-probe.deb\nSize: ${content.length}\nSHA256: ${digest}\n\n`;
  await host.files.writeText(`${REPOSITORY}/Packages`, index);
  // The host reaches no registry; this folder is the only source it has.
  await run('rm', '-rf', '--', '/etc/apt/sources.list.d', '/etc/apt/sources.list');
  await host.files.writeText('/etc/apt/sources.list', `deb [trusted=yes] file:${REPOSITORY} ./\n`);
}

const purge = () => run('dpkg', '--purge', 'holdfast-probe');
const wasStarted = async () => (await host.files.stat('/run/holdfast-probe-was-started')) !== undefined;

test('without root it says what is missing and what to run, and changes nothing', async () => {
  await expect(apt(1000).install(NEEDED)).rejects.toMatchObject({
    kind: 'denied',
    message:
      'holdfast-probe is missing on kube1, and only root can install holdfast-probe: sudo apt-get install --no-install-recommends holdfast-probe',
  });
  expect(await apt().findMissing(NEEDED)).toEqual(NEEDED);
});

test('a package that nobody has is one clear error, and nothing is changed', async () => {
  const unknown = [...NEEDED, { program: 'no-such-thing', debianPackage: 'no-such-package' }];
  await expect(apt().install(unknown)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('Unable to locate package no-such-package'),
  });
  expect(await apt().findMissing(NEEDED)).toEqual(NEEDED);
  expect(await host.files.stat(POLICY)).toBeUndefined();
});

test('it is installed, named, its service is not started, and the policy is gone again', async () => {
  const said: string[] = [];
  const names = await installMissing({ packages: apt() }, [{ program: 'ls', debianPackage: 'coreutils' }, ...NEEDED], {
    say: (line) => said.push(line),
  });
  expect(names).toEqual(['holdfast-probe']);
  expect(said).toEqual(['installing holdfast-probe (for holdfast-probe)']);
  expect(await apt().findMissing(NEEDED)).toEqual([]);
  expect(await wasStarted()).toBe(false);
  expect(await host.files.stat(POLICY)).toBeUndefined();
  await purge();
});

test('a policy that the machine has decides, and stays', async () => {
  const own = '#!/bin/sh\nexit 0\n';
  await host.files.writeText(POLICY, own, { mode: 0o755 });
  await apt().install(NEEDED);
  expect(await wasStarted()).toBe(true);
  expect(await host.files.readText(POLICY)).toBe(own);
  await host.files.remove('/run/holdfast-probe-was-started');
  await host.files.remove(POLICY);
  await purge();
});

test('an installation that fails leaves no policy behind', async () => {
  await host.files.writeText('/etc/dpkg/dpkg.cfg.d/fail', 'pre-invoke=exit 1\n');
  await expect(apt().install(NEEDED)).rejects.toMatchObject({ kind: 'unavailable', reason: 'InstallFailed' });
  expect(await host.files.stat(POLICY)).toBeUndefined();
  await host.files.remove('/etc/dpkg/dpkg.cfg.d/fail');
});

test('a policy whose writer was killed forbids nothing, and goes with the next installation', async () => {
  const { pid, startTicks } = await processes.self();
  await suppressServices({ host, processes: { self: async () => ({ pid, startTicks: startTicks + 1 }) } });
  expect((await run(POLICY, 'x', 'start')).code).toBe(0);
  const restore = await suppressServices({ host, processes });
  const forbidden = await host.run({ file: POLICY, args: ['x', 'start'], okCodes: [101], timeoutMs: TIMEOUT_MS });
  expect(forbidden.code).toBe(101);
  await restore();
  expect(await host.files.stat(POLICY)).toBeUndefined();
});
