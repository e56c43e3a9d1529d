/** Processes that stay in a lab host, recorded so that anyone can see and stop them later. */
import { AppError } from '../../domain/errors.ts';
import { findHost, type LabDeps, readLab, updateHost } from './lab-deps.ts';
import type { DaemonRequest } from './labs.ts';

/** @throws {AppError} exists, when one of the name runs in the host */
export async function startDaemon(
  deps: LabDeps,
  labName: string,
  hostName: string,
  daemon: DaemonRequest,
): Promise<void> {
  const lab = await readLab(deps, labName);
  const { init, daemons } = findHost(lab, hostName);
  const running = daemons[daemon.name];
  if (running !== undefined && (await deps.processes.isAlive(running))) {
    throw new AppError('exists', `${daemon.name} runs in ${hostName} already, as process ${running.pid}`, {
      resource: `host ${hostName}`,
      reason: 'DaemonRuns',
    });
  }
  const [file = '', ...args] = daemon.argv;
  const id = await deps.hardware
    .host(lab, hostName, async () => init)
    .processes.start({
      file,
      args,
      logFile: deps.hardware.logFile(lab, hostName, daemon.name),
      env: { ...daemon.env, ...deps.hardware.markOf(lab, hostName) },
    });
  await updateHost(deps, labName, hostName, (host) => ({ ...host, daemons: { ...host.daemons, [daemon.name]: id } }));
}

/** No error when it does not run. */
export async function stopDaemon(
  deps: LabDeps,
  labName: string,
  hostName: string,
  { daemon, graceMs }: { readonly daemon: string; readonly graceMs: number },
): Promise<void> {
  const id = findHost(await readLab(deps, labName), hostName).daemons[daemon];
  if (id !== undefined) await deps.processes.stop(id, { graceMs });
}
