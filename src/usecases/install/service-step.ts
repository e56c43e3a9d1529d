/** Services of a machine: units where systemd runs, the plain supervisor where it does not. */

import { AppError } from '../../domain/errors.ts';
import { AGENT_FLAGS } from '../../domain/install/node-flags.ts';
import { type Service, unitName, unitText } from '../../domain/install/services.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ProcessId } from '../../ports/host.ts';
import type { RemoteHost } from '../../ports/remote-host.ts';
import { ServicesFile } from '../../schemas/supervisor.ts';
import { readSupervisorRecord } from '../supervise/run-supervisor.ts';
import {
  COMMAND_MS,
  CONFIG_FOLDER,
  LOG_FOLDER,
  type Release,
  SERVICES_FILE,
  SUPERVISOR_RECORD,
  type Target,
} from './install-deps.ts';
import { type NodeStep, readIfThere, releaseFolder } from './node-steps.ts';

const UNIT_FOLDER = '/etc/systemd/system';
const SUPERVISOR_LOG = `${LOG_FOLDER}/supervisor.log`;
const START_MS = 60_000;
const POLL_MS = 100;
const SERVICE_STOP_MS = 10_000;
const SYSTEMCTL_MS = 60_000;

/** Every service of a machine runs as it is described, also after a crash and, with systemd, after a restart. */
export function servicesStep(
  clock: Clock,
  release: Release,
  servicesOf: (target: Target) => readonly Service[],
): NodeStep {
  return {
    name: 'services',
    look: (target) => {
      const services = servicesOf(target);
      return target.hasSystemd ? lookAtUnits(target.host, services) : lookAtSupervisor(target.host, services);
    },
    act: async (target, signal) => {
      const services = servicesOf(target);
      if (target.hasSystemd) await startUnits(target.host, services);
      else
        await waitForSupervisor({ clock, signal }, target.host, await startSupervisor(target.host, release, services));
    },
  };
}

async function lookAtUnits(host: RemoteHost, services: readonly Service[]): Promise<string | undefined> {
  const toDo: string[] = [];
  for (const service of services) {
    const isWritten = (await readIfThere(host, `${UNIT_FOLDER}/${unitName(service)}`)) === unitText(service);
    if (!isWritten || !(await isActive(host, service))) toDo.push(service.name);
  }
  return toDo.length === 0 ? undefined : `start ${toDo.join(', ')}`;
}

async function isActive(host: RemoteHost, service: Service): Promise<boolean> {
  // 3 and 4: not active, no such unit (systemctl(1)).
  const args = ['is-active', '--quiet', unitName(service)];
  return (await host.run({ file: 'systemctl', args, okCodes: [0, 1, 2, 3, 4], timeoutMs: SYSTEMCTL_MS })).code === 0;
}

async function startUnits(host: RemoteHost, services: readonly Service[]): Promise<void> {
  const systemctl = (...args: readonly string[]) => host.run({ file: 'systemctl', args, timeoutMs: SYSTEMCTL_MS });
  for (const service of services) {
    const path = `${UNIT_FOLDER}/${unitName(service)}`;
    const isWritten = (await readIfThere(host, path)) === unitText(service);
    if (isWritten && (await isActive(host, service))) continue;
    await host.files.writeText(path, unitText(service));
    await systemctl('daemon-reload');
    await systemctl('enable', '--quiet', unitName(service));
    await systemctl('restart', unitName(service));
  }
}

function servicesText(services: readonly Service[]): string {
  return `${JSON.stringify({ services }, undefined, 2)}\n`;
}

async function lookAtSupervisor(host: RemoteHost, services: readonly Service[]): Promise<string | undefined> {
  const names = services.map((each) => each.name).join(', ');
  if ((await readIfThere(host, SERVICES_FILE)) !== servicesText(services)) return `start ${names}`;
  const record = await readSupervisorRecord(host.files, SUPERVISOR_RECORD);
  const isRunning = record !== undefined && (await host.processes.isAlive(record.supervisor));
  return isRunning ? undefined : `start ${names}`;
}

async function startSupervisor(host: RemoteHost, release: Release, services: readonly Service[]): Promise<ProcessId> {
  const unchanged = await servicesThere(host);
  await endSupervisor(host, (name) => {
    const service = services.find((each) => each.name === name);
    return service !== undefined && unchanged.get(name) === service.argv.join('\0');
  });
  await host.files.makeDirectory(LOG_FOLDER, { mode: 0o750 });
  await host.files.makeDirectory(CONFIG_FOLDER, { mode: 0o755 });
  await host.files.writeText(SERVICES_FILE, servicesText(services), { mode: 0o600 });
  const folder = releaseFolder(release);
  const args = [...AGENT_FLAGS, `${folder}/main.mjs`, 'supervise', '--services', SERVICES_FILE];
  return host.processes.start({ file: `${folder}/node`, args, logFile: SUPERVISOR_LOG });
}

/** Returns when it has written down that it runs: from then on whoever looks finds it. */
async function waitForSupervisor(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  host: RemoteHost,
  id: ProcessId,
): Promise<void> {
  for (const end = clock.monotonic() + START_MS; clock.monotonic() < end; await clock.sleep(POLL_MS, signal)) {
    const record = await readSupervisorRecord(host.files, SUPERVISOR_RECORD);
    if (record?.supervisor.pid === id.pid && record.supervisor.startTicks === id.startTicks) return;
    if (!(await host.processes.isAlive(id))) break;
  }
  const log = (await readIfThere(host, SUPERVISOR_LOG)) ?? '';
  throw new AppError(
    'unavailable',
    `the services of ${host.name} do not start: ${log.trim().split('\n').at(-1) ?? ''}`,
    {
      reason: 'SupervisorFailed',
      hint: `its log is ${SUPERVISOR_LOG} on ${host.name}`,
    },
  );
}

/** Command lines of the services that the file names, by name. */
async function servicesThere(host: RemoteHost): Promise<ReadonlyMap<string, string>> {
  const text = await readIfThere(host, SERVICES_FILE);
  if (text === undefined) return new Map();
  const { services } = ServicesFile.parse(JSON.parse(text));
  return new Map(services.map(({ name, argv }) => [name, argv.join('\0')]));
}

/**
 * Ends the supervisor and those of its services that are not kept; no error when none runs. What is kept goes on by
 * itself, and the next supervisor takes it over: were glusterd restarted on several nodes at once, their server quorum
 * would stop the bricks under the applications.
 */
async function endSupervisor(host: RemoteHost, isKept: (service: string) => boolean): Promise<void> {
  const record = await readSupervisorRecord(host.files, SUPERVISOR_RECORD);
  if (record === undefined) return;
  // SIGKILL: asked politely, it would stop all of them.
  await host.processes.stop(record.supervisor, { graceMs: 0 });
  const last = await readSupervisorRecord(host.files, SUPERVISOR_RECORD);
  for (const [name, id] of Object.entries(last?.services ?? {})) {
    if (!isKept(name)) await host.processes.stop(id, { graceMs: SERVICE_STOP_MS });
  }
}

/** Stops and forgets the services, but for the engine's own daemon: it goes on serving what it serves. */
export async function removeServices(host: RemoteHost, services: readonly Pick<Service, 'name'>[]): Promise<void> {
  for (const service of services) {
    const path = `${UNIT_FOLDER}/${unitName(service)}`;
    if ((await host.files.stat(path)) === undefined) continue;
    const args = ['disable', '--now', '--quiet', unitName(service)];
    await host.run({ file: 'systemctl', args, timeoutMs: COMMAND_MS });
    await host.files.remove(path);
  }
  await endSupervisor(host, (name) => !services.some((each) => each.name === name));
  await host.files.remove(SUPERVISOR_RECORD);
  await host.files.remove(SERVICES_FILE);
}
