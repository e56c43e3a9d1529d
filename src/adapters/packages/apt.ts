/** Debian's and Ubuntu's packages, through apt-get. */
import { AppError, messageOf } from '../../domain/errors.ts';
import type { NeededProgram } from '../../domain/needed-programs.ts';
import type { Host, HostProcesses } from '../../ports/host.ts';
import type { Packages } from '../../ports/packages.ts';
import { isRunError } from '../../ports/run-error.ts';
import { PROGRAM_PATH } from '../host/run.ts';
import { suppressServices } from './suppress-services.ts';

/** A package manager that updates itself in the background holds its lock for minutes. */
const LOCK_WAIT_SECONDS = 300;
const APT_TIMEOUT_MS = 900_000;
const FIND_TIMEOUT_MS = 30_000;
const ENVIRONMENT = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' };

export interface AptDeps {
  readonly host: Host;
  readonly processes: Pick<HostProcesses, 'self'>;
  /** User ID on that host. */
  readonly userId: number;
}

/** Creates the access to a machine's Debian packages. */
export function createApt(deps: AptDeps): Packages {
  return {
    findMissing: (needed) => findMissing(deps.host, needed),
    install: (missing, signal) => install(deps, missing, signal),
  };
}

async function findMissing(host: Host, needed: readonly NeededProgram[]): Promise<readonly NeededProgram[]> {
  const there = await findPrograms(
    host,
    needed.map((each) => each.program),
  );
  return needed.filter((each) => !there.has(each.program));
}

/** Those of the programs that are there, asked in one command: the host may be far away. */
async function findPrograms(host: Host, programs: readonly string[]): Promise<ReadonlySet<string>> {
  if (programs.length === 0) return new Set();
  const names = programs.flatMap((program, index) => [...(index === 0 ? [] : ['-o']), '-name', program]);
  const { stdout } = await host.run({
    file: 'find',
    // -H: /bin is a symlink to /usr/bin.
    args: ['-H', ...PROGRAM_PATH.split(':'), '-maxdepth', '1', '(', ...names, ')', '-printf', '%f\\n'],
    // 1: one of the folders is missing, such as /usr/local/sbin.
    okCodes: [0, 1],
    timeoutMs: FIND_TIMEOUT_MS,
  });
  return new Set(stdout.split('\n').filter((name) => name !== ''));
}

async function install(deps: AptDeps, missing: readonly NeededProgram[], signal?: AbortSignal): Promise<void> {
  if (missing.length === 0) return;
  const { host } = deps;
  const names = [...new Set(missing.map((each) => each.debianPackage))].toSorted();
  const what = `${missing.map((each) => each.program).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing on ${host.name}`;
  const command = `apt-get install --no-install-recommends ${names.join(' ')}`;
  if ((await findPrograms(host, ['apt-get'])).size === 0) {
    throw new AppError('unsupported', `${what}, and there is no apt-get to install ${names.join(', ')} with`, {
      reason: 'NoPackageManager',
      hint: 'install them with the package manager of this system, then run the command again',
    });
  }
  if (deps.userId !== 0) {
    throw new AppError('denied', `${what}, and only root can install ${names.join(', ')}: sudo ${command}`, {
      reason: 'RootNeeded',
    });
  }
  const apt = (args: readonly string[]) =>
    host.run({
      file: 'apt-get',
      args: ['--yes', '--quiet', '-o', `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`, ...args],
      env: ENVIRONMENT,
      timeoutMs: APT_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  // Nothing that is there may go or change for it.
  const wanted = ['install', '--no-install-recommends', '--no-remove', '--no-upgrade'];
  await download(apt, [...wanted, '--download-only', '--', ...names], { what, command });
  const restore = await suppressServices(deps);
  try {
    await apt([...wanted, '--', ...names]);
  } catch (error) {
    throw aptFailed(error, what, command);
  } finally {
    await restore();
  }
  const still = await findMissing(host, missing);
  if (still.length === 0) return;
  const programs = still.map((each) => each.program).join(', ');
  throw new AppError('unavailable', `${names.join(', ')} were installed on ${host.name}, but without ${programs}`, {
    reason: 'ProgramNotInPackage',
  });
}

/** Fetches everything first: what cannot be had is found out before anything is changed. */
async function download(
  apt: (args: readonly string[]) => Promise<unknown>,
  args: readonly string[],
  { what, command }: { readonly what: string; readonly command: string },
): Promise<void> {
  try {
    await apt(args);
  } catch (error) {
    if (!isRunError(error, 'exit')) throw error;
    // The lists may be old, or never have been fetched.
    try {
      await apt(['update']);
      await apt(args);
    } catch (again) {
      throw aptFailed(again, what, command);
    }
  }
}

function aptFailed(error: unknown, what: string, command: string): unknown {
  if (!isRunError(error, 'exit')) return error;
  const said = error.stderr.split('\n').find((line) => line.startsWith('E: ')) ?? messageOf(error);
  return new AppError('unavailable', `${what}, and apt-get could not install it: ${said.replace(/^E: /, '')}`, {
    reason: 'InstallFailed',
    hint: `see what it says to: apt-get update && ${command}`,
    cause: error,
  });
}
