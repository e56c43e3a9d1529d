/** Processes that stay in a lab host, recorded so that anyone can see and stop them later. */
import { AppError } from '../../domain/errors.ts';
import type { ProcessId } from '../../ports/host.ts';
import { findHost, type LabDeps, readLab, THIS_MACHINE, updateHost, updateLab } from './lab-deps.ts';
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

/** Starts a process beside the hosts; it carries the lab's mark, so it ends with the lab even if it is never recorded. */
export async function startMachineDaemon(deps: LabDeps, labName: string, daemon: DaemonRequest): Promise<ProcessId> {
  const lab = await readLab(deps, labName);
  const [file = '', ...args] = daemon.argv;
  const id = await deps.processes.start({
    file,
    args,
    logFile: deps.hardware.logFile(lab, THIS_MACHINE, daemon.name),
    env: { ...daemon.env, ...deps.hardware.markOf(lab, THIS_MACHINE) },
  });
  await updateLab(deps, labName, (record) => ({
    ...record,
    machineDaemons: { ...record.machineDaemons, [daemon.name]: id },
  }));
  return id;
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
