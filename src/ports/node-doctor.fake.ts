/** A machine in memory on which a doctor finds what a test puts there; nothing wrong unless it says so. */
import type { Repair } from '../domain/doctor/repair.ts';
import type { EngineFacts } from '../schemas/node-facts.ts';
import type { EngineDoctor, NodeSenses } from './node-doctor.ts';

/** Facts of an engine with which all is well. */
export function healthyEngineFacts(overrides: Partial<EngineFacts> = {}): EngineFacts {
  return {
    ...{ name: 'gluster', isAnswering: true, version: '10.3', id: 'uuid-of-kube1' },
    ...{ opVersion: 100000, maxOpVersion: 100000, noticesLostPeers: true },
    ...{ peers: [], bricks: [], emptyVolumeFiles: [], endpoints: [], mounts: [], copyFolders: [], leftovers: [] },
    blind: [],
    ...overrides,
  };
}

export interface FakeEngineDoctor extends EngineDoctor {
  /** What was repaired, in order. */
  readonly repairs: Repair[];
}

/** Creates the doctor of a node. @param see - what there is at the moment */
export function createFakeEngineDoctor(see: () => EngineFacts = healthyEngineFacts): FakeEngineDoctor {
  const repairs: Repair[] = [];
  return { repairs, examine: async () => see(), repair: async (repair) => void repairs.push(repair) };
}

/** Creates senses for which everybody answers. */
export function createFakeNodeSenses(): NodeSenses {
  return { reach: async () => undefined, certificates: async () => [] };
}
