import { describe, expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { Command, Host } from '../../ports/host.ts';
import { RunError } from '../../ports/run-error.ts';
import { preflight } from './preflight.ts';

const clock = createFakeClock();
const NODE = { name: 'kube1', host: 'kube1', ip: '10.0.0.1', labels: {}, pools: [] };
const GIB = 1024 ** 3;

interface Machine {
  readonly osRelease: string;
  readonly fileSystems: string;
  readonly freeBytes: number;
  /** What commands print, or the failure they end with, by program. */
  readonly says: Readonly<Record<string, string | Error>>;
}

const FIT: Machine = {
  osRelease: 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n',
  fileSystems: 'nodev\tfuse\n\txfs\n',
  freeBytes: 5 * GIB,
  says: { id: '0\n', ss: '', date: `${clock.now()}\n`, getent: '127.0.1.1 STREAM kube1\n', modprobe: '' },
};

function hostOf({ osRelease, fileSystems, freeBytes, says }: Machine): Host {
  const texts: Readonly<Record<string, string>> = { '/etc/os-release': osRelease, '/proc/filesystems': fileSystems };
  return {
    name: 'kube1',
    run: async ({ file }: Command) => {
      const said = says[file];
      if (said === undefined || said instanceof Error) throw said ?? new Error(`${file} was not expected`);
      return { stdout: said, stderr: '', code: file === 'modprobe' && said !== '' ? 1 : 0 };
    },
    files: {
      readText: async (path: string) => texts[path] ?? '',
      usage: async () => ({ capacityBytes: 10 * GIB, freeBytes }),
    },
  } as unknown as Host;
}

async function notOk(machine: Partial<Machine>, isController = false) {
  const whole = { ...FIT, ...machine, says: { ...FIT.says, ...machine.says } };
  const findings = await preflight(
    { clock, signal: AbortSignal.timeout(5_000) },
    { node: NODE, host: hostOf(whole), isController },
  );
  return findings
    .filter(({ status }) => status !== 'ok')
    .map(({ id, status, evidence }) => `${id} ${status}: ${evidence}`);
}

test('a fit machine has no fault', async () => {
  expect(await notOk({})).toEqual([]);
  expect(await notOk({ osRelease: 'ID=ubuntu\nID_LIKE=debian\n' })).toEqual([]);
});

describe('each fault is found', () => {
  const gone = new RunError('ss cannot be started: it is not installed', { failure: 'spawn', file: 'ss' });
  const listening = (port: number, who: string) => `LISTEN 0 128 *:${port} *:* users:(("${who}",pid=1,fd=3))\n`;
  const cases: readonly (readonly [string, Partial<Machine>, string])[] = [
    ['system', { osRelease: 'PRETTY_NAME=Fedora\nID=fedora\n' }, 'HF101 failed: Fedora is neither Debian nor Ubuntu'],
    ['root', { says: { id: '1000\n' } }, 'HF102 failed: commands run as user 1000'],
    ['room', { freeBytes: GIB / 2 }, 'HF103 failed: 0.5 GiB are free on /, 1.0 GiB are needed'],
    ['port', { says: { ss: listening(24_007, 'nginx') } }, 'HF105 failed: port 24007 is taken by nginx'],
    ['nobody can look', { says: { ss: gone } }, 'HF105 unknown: ss cannot be started: it is not installed'],
    [
      'clock',
      { says: { date: `${clock.now() - 90_000}\n` } },
      "HF106 failed: the clock differs by 90.0 s from this machine's",
    ],
    [
      'clock, a bit',
      { says: { date: `${clock.now() + 5_000}\n` } },
      "HF106 warning: the clock differs by 5.0 s from this machine's",
    ],
    ['kernel', { fileSystems: '\txfs\n', says: { modprobe: 'no' } }, 'HF107 failed: the kernel has no fuse'],
    [
      'name',
      { says: { getent: '10.0.0.9 STREAM kube1\n' } },
      'HF108 warning: kube1 leads to 10.0.0.9, the plan says 10.0.0.1',
    ],
    [
      'a check that fails',
      { says: { id: new AppError('timeout', 'id took too long') } },
      'HF102 failed: id took too long',
    ],
  ];
  test.for(cases)('%s', async ([, machine, fault]) => {
    expect(await notOk(machine)).toEqual([fault]);
  });
});

test('ports that are taken already by whom they are for are no fault', async () => {
  const ss =
    'LISTEN 0 9 *:24007 *:* users:(("glusterd",pid=1,fd=3))\nLISTEN 0 9 *:7443 *:* users:(("nginx",pid=2,fd=3))\n';
  expect(await notOk({ says: { ss } })).toEqual([]);
  expect(await notOk({ says: { ss } }, true)).toEqual(['HF105 failed: port 7443 is taken by nginx']);
});
