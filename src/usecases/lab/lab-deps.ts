/** What the use cases of the lab need, and the ways they all change a record. */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostProcesses } from '../../ports/host.ts';
import type { LabHardware, LabStore } from '../../ports/lab.ts';
import type { Random } from '../../ports/random.ts';
import type { LabHostRecord, LabRecord } from '../../schemas/lab-record.ts';

/** Stands for this machine among the hosts of a lab; no label begins with an underscore. */
export const THIS_MACHINE = '_machine';

export interface LabDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: LabStore;
  readonly hardware: LabHardware;
  /** Processes of this machine. */
  readonly processes: HostProcesses;
}

/** @throws {AppError} notFound */
export async function readLab({ store }: LabDeps, name: string): Promise<LabRecord> {
  const record = await store.read(name);
  if (record !== undefined) return record;
  throw new AppError('notFound', `there is no lab ${name}`, {
    resource: `lab ${name}`,
    reason: 'LabNotFound',
    hint: 'see which there are with: holdfast lab status',
  });
}

/** Changes a record as it is at this moment. @throws {AppError} conflict, when the lab is being removed */
export async function updateLab(
  { store }: LabDeps,
  name: string,
  change: (record: LabRecord) => LabRecord,
): Promise<LabRecord> {
  return store.locked(async (records) => {
    const record = await store.read(name);
    if (record === undefined || record.phase === 'removing') {
      throw new AppError('conflict', `lab ${name} is being removed`, {
        resource: `lab ${name}`,
        reason: 'LabIsRemoved',
      });
    }
    const changed = change(record);
    await records.write(changed);
    return changed;
  });
}

/** Changes the record of one host. @throws {AppError} notFound, conflict */
export async function updateHost(
  deps: LabDeps,
  lab: string,
  host: string,
  change: (record: LabHostRecord) => LabHostRecord,
): Promise<LabRecord> {
  return updateLab(deps, lab, (record) => {
    findHost(record, host);
    return { ...record, hosts: record.hosts.map((each) => (each.name === host ? change(each) : each)) };
  });
}

/** @throws {AppError} notFound */
export function findHost(lab: LabRecord, name: string): LabHostRecord {
  const host = lab.hosts.find((each) => each.name === name);
  if (host !== undefined) return host;
  throw new AppError('notFound', `lab ${lab.name} has no host ${name}`, {
    resource: `host ${name}`,
    reason: 'HostNotFound',
    hint: `its hosts are ${lab.hosts.map((each) => each.name).join(', ')}`,
  });
}

/** Whoever made or removes the lab has died over it, so it is nobody's any more. */
export async function isAbandoned({ processes }: LabDeps, lab: LabRecord): Promise<boolean> {
  if (lab.phase === 'running' && lab.isKept) return false;
  return !(await processes.isAlive(lab.owner));
}
