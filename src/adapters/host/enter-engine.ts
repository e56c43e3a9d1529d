/**
 * Turns this process into a role of Holdfast that runs beside the engine of this machine, whose pod is another one.
 *
 * Mounts of volumes are processes. Were they the agent's, in its pod, an upgrade of the agent would end them under the
 * applications that use them. So the agent joins the mount namespace and the control groups of the engine's pod: what it
 * starts belongs there, and only the agent itself ends with its own pod (docs/adr/0025-install-on-kubernetes.md).
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../domain/errors.ts';
import type { ProcessId } from '../../ports/host.ts';
import { joinControlGroups } from './control-groups.ts';
import { isAlive } from './process-id.ts';
import { PROGRAM_PATH } from './run.ts';

/** Where both pods see it: the engine's has a program of its own version. */
const PROGRAM_FOLDER = '/var/lib/holdfast/program';
const NSENTER = '/usr/bin/nsenter';
const KEEP_MS = 24 * 60 * 60_000;

export interface EnterRequest {
  /** What keeps the engine running. */
  readonly engine: ProcessId;
  /** Path of this program's first file. */
  readonly entry: string;
  /** Of the role: "node", "--name", ... */
  readonly args: readonly string[];
}

/**
 * Does not return: the process goes on as the role, with the pid that it has.
 *
 * @throws {AppError} unavailable, when the engine has ended in the meantime; precondition, where it cannot be entered
 */
export async function enterEngine({ engine, entry, args }: EnterRequest): Promise<never> {
  const folder = await copyProgram(dirname(entry));
  await joinControlGroups(engine.pid);
  // Only now: a pid that was taken by another process in between is never entered.
  if (!(await isAlive(engine))) throw new AppError('unavailable', `the engine, process ${engine.pid}, has ended`);
  const program = [join(folder, 'node'), ...process.execArgv, join(folder, 'main.mjs')];
  const argv = [NSENTER, '-t', String(engine.pid), '-m', '--wdns=/', '--', ...program, ...args];
  if (process.execve === undefined) throw new AppError('internal', 'this Node cannot replace its process');
  return process.execve(NSENTER, argv, { ...process.env, PATH: PROGRAM_PATH });
}

/** @returns the folder of the copy: named by its contents, and whole as soon as it is there */
async function copyProgram(own: string): Promise<string> {
  const digest = createHash('sha256')
    .update(process.version)
    .update(await readFile(join(own, 'main.mjs')));
  const name = digest.digest('hex').slice(0, 16);
  const target = join(PROGRAM_FOLDER, name);
  await mkdir(PROGRAM_FOLDER, { recursive: true, mode: 0o755 });
  if ((await stat(target).catch(() => undefined)) === undefined) {
    const made = join(PROGRAM_FOLDER, `.${name}.${process.pid}`);
    await rm(made, { recursive: true, force: true });
    await cp(own, made, { recursive: true });
    await rename(made, target);
  }
  const now = new Date();
  await utimes(target, now, now);
  await removeOld(name, now.getTime());
  return target;
}

/** An agent that is just ending may still want a part of its program. */
async function removeOld(current: string, now: number): Promise<void> {
  for (const name of await readdir(PROGRAM_FOLDER)) {
    const path = join(PROGRAM_FOLDER, name);
    const info = name === current ? undefined : await stat(path).catch(() => undefined); // another agent was faster
    if (info !== undefined && now - info.mtimeMs > KEEP_MS) await rm(path, { recursive: true, force: true });
  }
}
