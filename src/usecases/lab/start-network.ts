/** Starts a lab's network; where labs are made at once, the kernel decides which of them has which. */
import { AppError } from '../../domain/errors.ts';
import type { LabNetwork, LabRecord } from '../../schemas/lab-record.ts';
import { chooseNetwork, hostAddress } from './choose-network.ts';
import { type LabDeps, updateLab } from './lab-deps.ts';

/**
 * Starts the network of the record, or the next free one when labs in other folders were faster.
 *
 * @returns the record, with the network that it has
 * @throws {AppError} capacity, when no network is left
 */
export async function startNetwork(deps: LabDeps, lab: LabRecord): Promise<LabRecord> {
  const taken: LabNetwork[] = [];
  for (let record = lab; ; ) {
    try {
      const id = await deps.hardware.startNetwork(record);
      return await updateLab(deps, lab.name, (now) => ({ ...now, switch: id }));
    } catch (error) {
      if (!(error instanceof AppError) || error.reason !== 'NetworkTaken') throw error;
      taken.push(record.network);
    }
    const network = chooseNetwork(await deps.hardware.networksInUse(), taken);
    // Recorded before it is made: whoever removes the lab looks for the interface of the record.
    record = await updateLab(deps, lab.name, (now) => ({
      ...now,
      network,
      hosts: now.hosts.map((host) => ({ ...host, address: hostAddress(network, host.index) })),
    }));
  }
}
