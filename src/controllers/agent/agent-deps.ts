/** What the loops of one node's agent are given. */
import type { EngineEncryption } from '../../ports/encryption.ts';
import type { EngineTable } from '../../ports/engine.ts';
import type { EngineFencing } from '../../ports/fencing.ts';
import type { Host } from '../../ports/host.ts';
import type { NfsServer } from '../../ports/nfs-server.ts';
import type { EngineDoctor, NodeSenses } from '../../ports/node-doctor.ts';
import type { SnapshotTable } from '../../ports/snapshot-engine.ts';
import type { VolumeWork } from '../../ports/volume-work.ts';
import type { ControllerDeps } from '../deps.ts';
import type { Turns } from '../runtime/turns.ts';
import type { Pulse } from './pulse.ts';

export interface AgentDeps extends ControllerDeps {
  /** Name of the node this agent runs on. */
  readonly node: string;
  readonly host: Host;
  /** By the name that a volume's spec has. */
  readonly engines: EngineTable;
  /** Work on the contents of volumes that people ask for with Tasks. */
  readonly work: VolumeWork;
  /** Who is connected to copies of volumes; of the engine that is a cluster. */
  readonly fencing: EngineFencing;
  readonly snapshots: SnapshotTable;
  readonly encryption: EngineEncryption;
  /** Taken by whoever stops the engine's daemon: another one would start it before all is there that it needs. */
  readonly restarts: Turns;
  /** Serves volumes to machines that are no nodes. */
  readonly nfs: NfsServer;
  /** Looks at this machine, and repairs it, for `holdfast doctor`. */
  readonly doctor: EngineDoctor;
  readonly senses: NodeSenses;
  /** Of this run of the host; the agent does not outlive it. */
  readonly bootId: string;
  readonly agentVersion: string;
  /** Pools by name that were ready when last looked at, with their paths; written by the node loop only. */
  readonly readyPools: Map<string, string>;
  /** Held by the loop that looks at this machine. */
  readonly pulse: Pulse;
  /** What the node says of itself is of this boot now. */
  readonly onReported: () => void;
  /** Called when a copy took or gave back room, so that the pools' free space is reported at once. */
  readonly onRoomChanged: () => void;
}

/** Failures on a host are tried again within seconds: somebody may be waiting for the volume. */
export const AGENT_BACKOFF = { baseMs: 100, maxMs: 5_000 } as const;
