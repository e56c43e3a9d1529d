/** Makes a lab: record first, then network, then all hosts at once; nothing is left when that fails. */

import { GIB } from '../../domain/bytes.ts';
import { AppError } from '../../domain/errors.ts';
import { parseLabName, parseNodeName } from '../../domain/names.ts';
import { BootAction, type LabHostRecord, type LabNetwork, type LabRecord } from '../../schemas/lab-record.ts';
import { chooseNetwork, hostAddress } from './choose-network.ts';
import { downLab } from './down-lab.ts';
import { isAbandoned, type LabDeps, updateLab } from './lab-deps.ts';
import type { LabOptions } from './labs.ts';
import { powerOn } from './power.ts';
import { startNetwork } from './start-network.ts';

const DEFAULT_HOSTS = 3;
const MAX_HOSTS = 32;

/** @throws {AppError} see {@link Labs.up} */
export async function upLab(deps: LabDeps, options: LabOptions, signal?: AbortSignal): Promise<void> {
  const hosts = hostNames(options);
  const missing = await deps.hardware.missing();
  if (missing.length > 0) {
    throw new AppError('precondition', `this machine cannot hold a lab: ${missing.join('; ')}`, {
      reason: 'LabNotPossible',
    });
  }
  await removeAbandoned(deps);
  signal?.throwIfAborted();
  const lab = await recordLab(deps, options, hosts);
  try {
    await build(deps, lab, signal);
  } catch (error) {
    // A lab that is not whole is of no use to anyone.
    await undo(deps, lab).catch((cause: unknown) => {
      throw new AggregateError([error, cause], `lab ${options.name} could neither be made nor removed`);
    });
    throw error;
  }
}

/** Removes what was made, also when somebody else has removed the lab meanwhile and could not see all of it yet. */
async function undo(deps: LabDeps, lab: LabRecord): Promise<void> {
  const { store, hardware } = deps;
  if ((await store.read(lab.name))?.mark === lab.mark) return downLab(deps, lab.name);
  await store.locked(async (records) => {
    // By now the name may be that of a new lab, with images of the same names: that one is left alone.
    if ((await store.read(lab.name)) !== undefined) return;
    await hardware.clear(lab);
    await records.remove(lab.name);
  });
}

function hostNames({ hosts = DEFAULT_HOSTS }: LabOptions): readonly string[] {
  const names = typeof hosts === 'number' ? Array.from({ length: hosts }, (_, index) => `kube${index + 1}`) : hosts;
  for (const name of names) parseNodeName(name);
  if (names.length < 1 || names.length > MAX_HOSTS) {
    throw new AppError('range', `a lab has 1 to ${MAX_HOSTS} hosts, not ${names.length}`, { reason: 'HostCount' });
  }
  if (new Set(names).size !== names.length) {
    throw new AppError('invalid', `two hosts of a lab have the same name: ${names.join(', ')}`, {
      reason: 'HostNames',
    });
  }
  return names;
}

async function removeAbandoned(deps: LabDeps): Promise<void> {
  for (const name of await deps.store.list()) {
    const record = await deps.store.read(name);
    if (record !== undefined && (await isAbandoned(deps, record))) await downLab(deps, name);
  }
}

async function recordLab(deps: LabDeps, options: LabOptions, hosts: readonly string[]): Promise<LabRecord> {
  parseLabName(options.name);
  const owner = await deps.processes.self();
  const inUse = await deps.hardware.networksInUse();
  return deps.store.locked(async (records) => {
    if ((await deps.store.read(options.name)) !== undefined) {
      throw new AppError('exists', `there is a lab ${options.name} already`, {
        resource: `lab ${options.name}`,
        reason: 'LabExists',
        hint: `remove it with "holdfast lab down --name ${options.name}", or choose another name`,
      });
    }
    const others = await Promise.all((await deps.store.list()).map((name) => deps.store.read(name)));
    const network = chooseNetwork(
      inUse,
      others.flatMap((other) => (other === undefined ? [] : [other.network])),
    );
    const record: LabRecord = {
      version: 1,
      name: options.name,
      mark: deps.random.uuid(),
      createdAt: new Date(deps.clock.now()).toISOString(),
      phase: 'starting',
      owner,
      isKept: options.isKept ?? false,
      network,
      ...(options.installation === undefined ? {} : { installation: options.installation }),
      hosts: hosts.map((name, index) => newHost(deps, options, network, { name, index: index + 1 })),
      machineDaemons: {},
      bootActions: (options.bootActions ?? []).map((action) => BootAction.parse(action)),
    };
    await records.write(record);
    return record;
  });
}

function newHost(
  deps: LabDeps,
  options: LabOptions,
  network: LabNetwork,
  { name, index }: { readonly name: string; readonly index: number },
): LabHostRecord {
  const zone = options.zones?.[name];
  return {
    name,
    index,
    ...(zone === undefined ? {} : { zone }),
    address: hostAddress(network, index),
    machineId: deps.random.uuid().replaceAll('-', ''),
    dataDiskBytes: options.dataDiskBytes ?? 4 * GIB,
    isPlugged: true,
    daemons: {},
  };
}

async function build(deps: LabDeps, lab: LabRecord, signal: AbortSignal | undefined): Promise<void> {
  const { name, hosts } = await startNetwork(deps, lab);
  signal?.throwIfAborted();
  const boots = await Promise.allSettled(hosts.map((host) => powerOn(deps, name, host.name)));
  for (const boot of boots) if (boot.status === 'rejected') throw boot.reason;
  signal?.throwIfAborted();
  await updateLab(deps, name, (record) => ({ ...record, phase: 'running' }));
}
