/** What an agent sees of its own machine when `holdfast doctor` asks: facts only, judged elsewhere (domain/doctor). */
import { z } from 'zod';

const PeerFact = z.object({
  uuid: z.string(),
  names: z.array(z.string()),
  isConnected: z.boolean(),
  isMember: z.boolean(),
  /** The engine's own words: "Peer in Cluster", "Peer Rejected". */
  stateText: z.string(),
});

const BrickFact = z.object({
  volume: z.string(),
  path: z.string(),
  /** The engine calls it online. */
  isOnline: z.boolean(),
  /** Why its directory cannot be read; undefined while it can. */
  diskError: z.string().optional(),
});

const MountFact = z.object({
  path: z.string(),
  source: z.string(),
  /** 'silent': served by a process, but it does not answer. 'dead': nothing serves it any more. */
  state: z.enum(['answering', 'silent', 'dead']),
  message: z.string().optional(),
});

const LeftoverFact = z.object({
  path: z.string(),
  isEmpty: z.boolean(),
});

/** What the engine on a node says of itself. */
export const EngineFacts = z.object({
  name: z.string(),
  /** False when its daemon does not answer; what only the daemon knows is left out then. */
  isAnswering: z.boolean(),
  /** Why it does not, or what to change about how it runs. */
  message: z.string().optional(),
  version: z.string().optional(),
  /** Who it is among its peers. */
  id: z.string().optional(),
  opVersion: z.int().optional(),
  maxOpVersion: z.int().optional(),
  /** It notices peers that were cut off. */
  noticesLostPeers: z.boolean(),
  peers: z.array(PeerFact),
  /** Of this node only. */
  bricks: z.array(BrickFact),
  /** Volumes that have a description without contents on this node. */
  emptyVolumeFiles: z.array(z.string()),
  /** Where other nodes should answer. */
  endpoints: z.array(z.object({ node: z.string(), port: z.int(), serves: z.string() })),
  mounts: z.array(MountFact),
  /** Folders of copies in the pools. */
  copyFolders: z.array(z.object({ pool: z.string(), path: z.string(), copyUid: z.string() })),
  /** Directories below pools that bear a volume's ID and are no brick of this node. */
  leftovers: z.array(LeftoverFact),
  /** What could not be looked at, and why. */
  blind: z.array(z.string()),
});
export type EngineFacts = z.infer<typeof EngineFacts>;

/** Everything that one agent tells. */
export const NodeFacts = z.object({
  agentVersion: z.string(),
  /** By the node's clock, milliseconds since the epoch. */
  startedAt: z.number(),
  finishedAt: z.number(),
  kernel: z.object({
    release: z.string(),
    hasFuse: z.boolean(),
    hasXfs: z.boolean(),
    hasLoop: z.boolean(),
    hasDmCrypt: z.boolean(),
  }),
  /** Versions of programs by their name. */
  packages: z.record(z.string(), z.string()),
  /** Certificates that the node works with, and when they end (milliseconds since the epoch). */
  certificates: z.array(z.object({ name: z.string(), notAfter: z.number() })),
  /** Endpoints of other nodes that did not answer. */
  unreachable: z.array(z.object({ node: z.string(), port: z.int(), serves: z.string(), why: z.string() })),
  engine: EngineFacts,
});
export type NodeFacts = z.infer<typeof NodeFacts>;
