import { expect, test } from 'vitest';
import { type NeededProgram, NFS_SERVER_PROGRAMS } from '../../domain/needed-programs.ts';
import type { ResolvedPlan } from '../../domain/plan/resolve-plan.ts';
import type { RemoteHost } from '../../ports/remote-host.ts';
import type { Target } from './install-deps.ts';
import { nfsServerStep } from './nfs-server-step.ts';

const PLAN = { volumes: [{ exports: [{ node: 'kube1' }] }, {}] } as unknown as ResolvedPlan;
const signal = AbortSignal.timeout(5_000);

/** A machine with systemd, in memory, where Debian's package enables its unit. */
function createMachine(name: string, { hasSystemd = true, isActive = false } = {}) {
  let installed = false;
  let isEnabled = false;
  const calls: string[] = [];
  const host = {
    run: async ({ file, args: [verb = ''] }: { file: string; args: readonly string[] }) => {
      if (file !== 'systemctl') throw new Error(`${file} was not expected`);
      const isSo = { 'is-enabled': isEnabled, 'is-active': isActive }[verb];
      if (isSo !== undefined) return { stdout: '', stderr: '', code: isSo ? 0 : 3 };
      calls.push(verb);
      isEnabled = false;
      return { stdout: '', stderr: '', code: 0 };
    },
  } as unknown as RemoteHost;
  const packages = {
    findMissing: async (needed: readonly NeededProgram[]) => (installed ? [] : needed),
    install: async (missing: readonly NeededProgram[]) => {
      for (const { debianPackage } of missing) {
        calls.push(`install ${debianPackage}`);
        [installed, isEnabled] = [true, true];
      }
    },
  };
  const target = { node: { name }, host, hasSystemd } as unknown as Target;
  const deps = { packagesOf: () => packages, nfsServerPrograms: NFS_SERVER_PROGRAMS };
  return { target, calls, step: nfsServerStep(deps, PLAN), enable: () => void (isEnabled = true) };
}

test('a machine that exports a volume gets the server, whose own unit does not start with it', async () => {
  const { target, calls, step } = createMachine('kube1');
  expect(await step.look(target)).toBe('install nfs-ganesha-gluster');
  await step.act(target, signal);
  expect(calls).toEqual(['install nfs-ganesha-gluster', 'disable']);
  expect(await step.look(target)).toBeUndefined();
});

test('an installation that ended before the unit was disabled goes on there', async () => {
  const { target, calls, step, enable } = createMachine('kube1');
  await step.act(target, signal);
  enable();
  expect(await step.look(target)).toBe('disable nfs-ganesha.service');
  await step.act(target, signal);
  expect(calls.slice(2)).toEqual(['disable']);
});

test('others get nothing, a server that somebody runs is left alone, and without systemd there is no unit', async () => {
  const other = createMachine('kube2');
  expect(await other.step.look(other.target)).toBeUndefined();
  for (const options of [{ isActive: true }, { hasSystemd: false }]) {
    const { target, calls, step } = createMachine('kube1', options);
    await step.act(target, signal);
    expect(calls).toEqual(['install nfs-ganesha-gluster']);
    expect(await step.look(target)).toBeUndefined();
  }
});
