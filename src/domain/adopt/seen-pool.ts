/** A pool of the engine as it is, made by whoever made it: read as a whole, from one of its machines. */

export interface SeenPeer {
  readonly id: string;
  /** Every name and address that the engine knows the machine by, the first one first. */
  readonly names: readonly string[];
  /** Address of the machine, as the machine that was asked resolves it. */
  readonly address?: string;
  readonly isConnected: boolean;
}

export interface SeenPoolBrick {
  /** Name of the machine, as the volume has it. */
  readonly host: string;
  readonly hostId: string;
  readonly path: string;
  readonly isArbiter: boolean;
  /** Size of the file system that it lies in, and which one that is; undefined while its machine does not answer. */
  readonly capacityBytes?: number;
  readonly device?: string;
}

export interface SeenPoolVolume {
  readonly name: string;
  readonly id: string;
  readonly state: 'created' | 'started' | 'stopped';
  /** In the engine's words: Replicate, Distributed-Disperse ... */
  readonly type: string;
  /** Bricks of each set that hold everything, arbiter included; 1 for none. */
  readonly replicaCount: number;
  readonly arbiterCount: number;
  readonly hasThinArbiter: boolean;
  readonly stripeCount: number;
  /** Bricks of each dispersed set, and how many of them are spare; 0 for any other volume. */
  readonly disperseCount: number;
  readonly redundancyCount: number;
  readonly isTcp: boolean;
  /** In the engine's order. */
  readonly bricks: readonly SeenPoolBrick[];
  readonly options: Readonly<Record<string, string>>;
  /** The limit that the engine enforces for the whole volume. */
  readonly limitBytes?: number;
  readonly snapshotCount: number;
}

export interface SeenPool {
  /** The machine that was asked among them. */
  readonly peers: readonly SeenPeer[];
  readonly volumes: readonly SeenPoolVolume[];
  /** What is mounted on the machine that was asked. */
  readonly mounts: readonly { readonly host: string; readonly volume: string; readonly path: string }[];
}
