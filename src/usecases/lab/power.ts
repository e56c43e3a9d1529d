/** Power on, off and cut, and reinstallation of lab hosts. */
import { AppError, messageOf } from '../../domain/errors.ts';
import type { BootAction, LabHostRecord, LabRecord } from '../../schemas/lab-record.ts';
import { startDaemon } from './daemons.ts';
import { findHost, type LabDeps, readLab, updateHost } from './lab-deps.ts';

/** Powers a host on and runs the boot actions. No error when it is on. */
export async function powerOn(deps: LabDeps, labName: string, hostName: string): Promise<void> {
  const lab = await readLab(deps, labName);
  const host = findHost(lab, hostName);
  if (host.init !== undefined && (await deps.processes.isAlive(host.init))) return;
  const booted = await bootRecorded(deps, lab, host);
  for (const action of booted.bootActions) {
    if (action.host === undefined || action.host === hostName) await runBootAction(deps, booted, hostName, action);
  }
}

/** A host that cannot boot, or that nobody may know of any more because its lab is being removed, is off again. */
async function bootRecorded(deps: LabDeps, lab: LabRecord, host: LabHostRecord): Promise<LabRecord> {
  try {
    const { init, bootId } = await deps.hardware.boot(lab, host);
    return await updateHost(deps, lab.name, host.name, (each) => ({ ...each, init, bootId, daemons: {} }));
  } catch (error) {
    await deps.hardware.powerOff(lab, host);
    throw error;
  }
}

async function runBootAction(deps: LabDeps, lab: LabRecord, hostName: string, action: BootAction): Promise<void> {
  const { argv, env, name, timeoutMs } = action;
  try {
    if (action.kind === 'daemon') {
      await startDaemon(deps, lab.name, hostName, { name, argv, ...(env === undefined ? {} : { env }) });
      return;
    }
    const [file = '', ...args] = argv;
    const { init } = findHost(lab, hostName);
    const inside = deps.hardware.host(lab, hostName, async () => init);
    await inside.run({ file, args, timeoutMs, ...(env === undefined ? {} : { env }) });
  } catch (error) {
    throw new AppError('unavailable', `${hostName} is on, but ${name} did not start in it: ${messageOf(error)}`, {
      resource: `host ${hostName}`,
      reason: 'BootActionFailed',
      cause: error,
    });
  }
}

/** Ends a host at once. No error when it is off. */
export async function powerOff(deps: LabDeps, labName: string, hostName: string): Promise<void> {
  const lab = await readLab(deps, labName);
  await deps.hardware.powerOff(lab, findHost(lab, hostName));
  await forgetBoot(deps, labName, hostName);
}

/** Ends a host at once, with what it had not synced. No error when it is off. */
export async function powerCut(deps: LabDeps, labName: string, hostName: string): Promise<void> {
  const lab = await readLab(deps, labName);
  await deps.hardware.powerCut(lab, findHost(lab, hostName));
  await forgetBoot(deps, labName, hostName);
}

/** Makes a host a new machine: empty disks, new identity. It is on afterwards. */
export async function reinstall(deps: LabDeps, labName: string, hostName: string): Promise<void> {
  await powerOff(deps, labName, hostName);
  const machineId = deps.random.uuid().replaceAll('-', '');
  const lab = await updateHost(deps, labName, hostName, (host) => ({ ...host, machineId }));
  await deps.hardware.wipe(lab, findHost(lab, hostName));
  await powerOn(deps, labName, hostName);
}

async function forgetBoot(deps: LabDeps, labName: string, hostName: string): Promise<void> {
  await updateHost(deps, labName, hostName, ({ init: _init, bootId: _bootId, ...host }) => ({ ...host, daemons: {} }));
}
