/** What must be so on the machines of a plan before anything is changed on any of them. Reads only. */
import { type CheckId, docOf, type Finding, type FindingStatus } from '../../domain/doctor/finding.ts';
import { isAppError, messageOf } from '../../domain/errors.ts';
import type { ResolvedNode } from '../../domain/plan/resolve-plan.ts';
import { decideDevice } from '../../domain/pool/decide-device.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import { observeDevice } from '../pools/observe-device.ts';
import { API_PORT, COMMAND_MS } from './install-deps.ts';

export interface PreflightSubject {
  readonly node: ResolvedNode;
  readonly host: Host;
  readonly isController: boolean;
}

interface Seen {
  readonly status: FindingStatus;
  readonly evidence: string;
  readonly meaning?: string;
  readonly fix?: string;
}

type Look = (
  subject: PreflightSubject,
  deps: { readonly clock: Clock; readonly signal: AbortSignal },
) => Promise<readonly Seen[]>;

const GIB = 1024 ** 3;
/** The program is 150 MB; the controller's state and the logs need room to grow. */
const ROOM_BYTES = GIB;
const SKEW_WARN_MS = 2_000;
/** Certificates begin five minutes in the past; leases and logs suffer much earlier. */
const SKEW_FAIL_MS = 60_000;

/** Title, number and what to look at. The numbers are those of {@link docOf}'s page. */
export const PREFLIGHT_CHECKS: readonly { readonly id: CheckId; readonly title: string; readonly look: Look }[] = [
  { id: 'HF101', title: 'operating system', look: lookAtSystem },
  { id: 'HF102', title: 'root', look: lookAtRoot },
  { id: 'HF103', title: 'free space for programs', look: lookAtRoom },
  { id: 'HF104', title: 'disks of pools', look: lookAtDisks },
  { id: 'HF105', title: 'ports', look: lookAtPorts },
  { id: 'HF106', title: 'clock', look: lookAtClock },
  { id: 'HF107', title: 'kernel', look: lookAtKernel },
  { id: 'HF108', title: 'name', look: lookAtName },
];

/** Checks one machine. A check that itself fails is a finding, not an exception. */
export async function preflight(
  deps: { readonly clock: Clock; readonly signal: AbortSignal },
  subject: PreflightSubject,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { id, title, look } of PREFLIGHT_CHECKS) {
    const seen = await look(subject, deps).catch((error: unknown): readonly Seen[] => {
      deps.signal.throwIfAborted();
      // What is installed later cannot be asked yet: nothing is known, which is no fault.
      if (isRunError(error, 'spawn')) return [{ status: 'unknown', evidence: error.message }];
      return [
        {
          ...{ status: 'failed', evidence: messageOf(error), meaning: 'nobody knows whether the machine is fit' },
          fix:
            (isAppError(error) ? error.hint : undefined) ??
            'look at the message, correct it on the machine, and try again',
        },
      ];
    });
    for (const { status, evidence, meaning = '', fix = '' } of seen) {
      const about = { id, title, subject: `node ${subject.node.name}`, doc: docOf(id), isFixable: false };
      findings.push({ ...about, status, evidence, meaning, fix });
    }
  }
  return findings;
}

async function say(host: Host, file: string, ...args: readonly string[]): Promise<string> {
  return (await host.run({ file, args, timeoutMs: COMMAND_MS })).stdout.trim();
}

async function lookAtSystem({ host }: PreflightSubject): Promise<readonly Seen[]> {
  const text = await host.files.readText('/etc/os-release');
  const valueOf = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  const name = valueOf('PRETTY_NAME') || valueOf('ID') || 'a system without a name';
  const family = `${valueOf('ID')} ${valueOf('ID_LIKE')}`.split(' ');
  if (family.includes('debian') || family.includes('ubuntu')) return [{ status: 'ok', evidence: name }];
  return [
    {
      ...{ status: 'failed', evidence: `${name} is neither Debian nor Ubuntu` },
      meaning: 'packages are installed with apt, which this system does not have',
      fix: 'install Debian or Ubuntu on the machine, or take it out of the plan',
    },
  ];
}

async function lookAtRoot({ host }: PreflightSubject): Promise<readonly Seen[]> {
  const id = await say(host, 'id', '-u');
  if (id === '0') return [{ status: 'ok', evidence: 'commands run as root' }];
  return [
    {
      ...{ status: 'failed', evidence: `commands run as user ${id}`, meaning: 'nothing can be installed' },
      fix: 'let the user of the section ssh use sudo without a password, or log in as root',
    },
  ];
}

async function lookAtRoom({ host }: PreflightSubject): Promise<readonly Seen[]> {
  const { freeBytes } = await host.files.usage('/');
  const evidence = `${(freeBytes / GIB).toFixed(1)} GiB are free on /`;
  if (freeBytes >= ROOM_BYTES) return [{ status: 'ok', evidence }];
  return [
    {
      ...{
        status: 'failed',
        evidence: `${evidence}, 1.0 GiB are needed`,
        meaning: 'the program and its logs have no room',
      },
      fix: 'make room on /',
    },
  ];
}

async function lookAtDisks(
  { node, host }: PreflightSubject,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  for (const { path, device } of node.pools) {
    if (device === undefined) continue;
    const decision = decideDevice(await observeDevice(host, device, path, signal), path);
    if (decision.action === 'refuse') {
      const meaning = 'it may hold data, so no pool is made on it and nothing is installed anywhere';
      seen.push({
        status: 'failed',
        evidence: decision.message,
        meaning,
        fix: 'name another device in the plan, or empty this one yourself',
      });
      continue;
    }
    const words = { none: 'is mounted', mount: 'carries a pool of Holdfast', format: 'is empty' };
    seen.push({ status: 'ok', evidence: `device ${device} ${words[decision.action]}` });
  }
  return seen;
}

/** 24007 is glusterd's; who has it must be glusterd. */
const PORTS = [{ port: 24_007, program: 'glusterd' }];

async function lookAtPorts({ host, isController }: PreflightSubject): Promise<readonly Seen[]> {
  const listening = (await say(host, 'ss', '-H', '-l', '-n', '-t', '-p'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const wanted = [...PORTS, ...(isController ? [{ port: API_PORT, program: 'node' }] : [])];
  return wanted.map(({ port, program }): Seen => {
    const taken = listening.find((fields) => fields[3]?.endsWith(`:${port}`));
    if (taken === undefined) return { status: 'ok', evidence: `port ${port} is free` };
    const owner = /"([^"]+)"/.exec(taken.join(' '))?.[1] ?? 'somebody';
    if (owner === program || owner === 'MainThread') return { status: 'ok', evidence: `port ${port} is ${owner}'s` };
    return {
      ...{ status: 'failed', evidence: `port ${port} is taken by ${owner}`, meaning: `${program} cannot listen there` },
      fix: `stop ${owner}, or let it listen elsewhere`,
    };
  });
}

async function lookAtClock({ host }: PreflightSubject, { clock }: { readonly clock: Clock }): Promise<readonly Seen[]> {
  const before = clock.now();
  const there = Number(await say(host, 'date', '+%s%3N'));
  const after = clock.now();
  // Somewhere between the two moments; what lies between them is no difference.
  const skew = there < before ? before - there : Math.max(0, there - after);
  const evidence = `the clock differs by ${(skew / 1000).toFixed(1)} s from this machine's`;
  if (skew < SKEW_WARN_MS) return [{ status: 'ok', evidence }];
  return [
    {
      ...{ status: skew >= SKEW_FAIL_MS ? 'failed' : 'warning', evidence },
      meaning: 'certificates count as not yet valid, and nodes as lost, when clocks differ',
      fix: 'let all machines follow the same time server: timedatectl set-ntp true',
    },
  ];
}

async function lookAtKernel({ host }: PreflightSubject): Promise<readonly Seen[]> {
  const loaded = (await host.files.readText('/proc/filesystems')).split(/\s+/);
  const seen: Seen[] = [];
  for (const name of ['fuse', 'xfs']) {
    const isThere =
      loaded.includes(name) ||
      (
        await host.run({
          file: 'modprobe',
          args: ['--dry-run', '--quiet', '--', name],
          okCodes: [0, 1],
          timeoutMs: COMMAND_MS,
        })
      ).code === 0;
    seen.push(
      isThere
        ? { status: 'ok', evidence: `the kernel has ${name}` }
        : {
            ...{ status: 'failed', evidence: `the kernel has no ${name}` },
            meaning: name === 'fuse' ? 'volumes cannot be mounted' : 'pools cannot be made',
            fix: 'use a kernel of the distribution',
          },
    );
  }
  return seen;
}

async function lookAtName({ node, host }: PreflightSubject): Promise<readonly Seen[]> {
  const found = await host.run({ file: 'getent', args: ['ahosts', node.host], okCodes: [0, 2], timeoutMs: COMMAND_MS });
  const addresses = [...new Set(found.stdout.split('\n').flatMap((line) => line.split(/\s+/)[0] || []))];
  const mine = [node.ip, ...(node.internalIp === undefined ? [] : [node.internalIp])];
  // Debian gives a machine 127.0.1.1 for its own name.
  const others = addresses.filter((address) => !mine.includes(address) && !/^(?:127\.|::1$|fe80:)/.test(address));
  if (others.length === 0)
    return [{ status: 'ok', evidence: `${node.host} leads to ${addresses.join(', ') || 'nothing yet'}` }];
  return [
    {
      ...{
        status: 'warning',
        evidence: `${node.host} leads to ${others.join(', ')}, the plan says ${mine.join(', ')}`,
      },
      meaning: 'the name will be written into /etc/hosts with the address of the plan',
      fix: 'correct the address in the plan, or the name in DNS',
    },
  ];
}
