/**
 * What stores and serves the bytes. Declarative: a reconciler says what should be, the engine observes what is,
 * plans the difference as data (pure) and applies one step at a time. Each step is safe to repeat after a crash at any line.
 */

import type { EngineVolumeName } from '../domain/names.ts';
import type { OnDelete, ShareAddress } from '../domain/nfs/share.ts';
import type { Ability } from '../domain/volume/abilities.ts';
import type { BrickKind, EngineName, FileSystemType, ImageEncryption } from '../domain/volume/engines.ts';
import type { LayoutName } from '../domain/volume/layout-faults.ts';
import type { VolumeProfile } from '../schemas/volume.ts';
import type { ShareWork } from './share-work.ts';

/** A planned action: a discriminated union per engine, loggable and shown by --dry-run. */
export interface Step {
  readonly step: string;
  /** One line for people: "create volume gv0 on kube1, kube2, kube3". */
  readonly about: string;
}

export interface EngineProbe {
  readonly isInstalled: boolean;
  readonly isRunning: boolean;
  readonly version?: string;
  /** What it calls itself in the engine's own cluster. */
  readonly id?: string;
  /** It has no peers and no volumes, as after an installation. */
  readonly isBlank?: boolean;
  /** It has the identity of a lost one, and has not learned all that the others know: nobody may count on it yet. */
  readonly isRejoining?: boolean;
  /** What it can do on this node and not on every one. */
  readonly abilities?: Ability[];
  /** Why it is not usable, or what about it should be changed, with the next step. */
  readonly message?: string;
}

/** A machine of the engine's own cluster (GlusterFS: a peer of the trusted pool). */
export interface DesiredPeers {
  readonly subject: 'peers';
  /** Name of the node this runs on; it is a member of the pool by itself. */
  readonly self: string;
  /** Names that must resolve on every node. */
  readonly members: readonly string[];
  /**
   * False on a node that is not the anchor: it joins nobody to the pool, it only tells its own engine the names of
   * peers that it knows by address. Default true.
   */
  readonly mayInvite?: boolean;
  /**
   * Names of machines that were members and are none any more: nothing of Holdfast is on them. The engine lets go of each
   * that is still its peer, as soon as no brick of any volume is there.
   */
  readonly leaving?: readonly string[];
}

export interface ObservedPeer {
  readonly uuid: string;
  /** Every name and address the engine knows the peer by. */
  readonly names: readonly string[];
  readonly isConnected: boolean;
  readonly isMember: boolean;
}

export interface ObservedPeers {
  readonly subject: 'peers';
  /** The other machines of the pool; this one is not listed. */
  readonly peers: readonly ObservedPeer[];
  /** What this node's own engine calls itself. */
  readonly selfId?: string;
  /** Names and identities of the machines that some volume of the engine has a brick on; asked where some are to leave. */
  readonly brickHosts?: readonly string[];
  /** What the members' names resolve to on this node; a name that does not resolve is missing. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Who this node's engine is in the engine's own cluster, for a machine that was installed anew: a blank engine takes the
 * identity that the others know the node by.
 */
export interface DesiredIdentity {
  readonly subject: 'identity';
  readonly self: string;
  readonly id: string;
  /** Of the engine that may take it; one with any other is left as it is. */
  readonly blankId: string;
  /** All other members, by the names and identities that they know each other by. */
  readonly peers: readonly { readonly node: string; readonly id: string }[];
  /** Volumes that the engine's cluster has. */
  readonly volumes: readonly EngineVolumeName[];
}

export interface ObservedIdentity {
  readonly subject: 'identity';
  /** Undefined where the engine has never run. */
  readonly id?: string;
  readonly isRunning: boolean;
  readonly isBlank: boolean;
  /** An identity was, or is being, taken and the rest is not done yet. */
  readonly isUnderWay: boolean;
  /** Identities of the other members that it knows. */
  readonly peerIds: readonly string[];
  readonly volumes: readonly string[];
}

/** One copy on this node: the directory a GlusterFS brick lives in, backed by an image or by a plain folder. */
export interface DesiredCopy {
  readonly subject: 'copy';
  readonly isPresent: boolean;
  /** UID of the VolumeCopy; makes every path unique for ever. */
  readonly copyUid: string;
  readonly volume: EngineVolumeName;
  readonly volumeUid: string;
  readonly poolPath: string;
  readonly brick: BrickKind;
  /** What its image is formatted with; XFS when left out. */
  readonly fsType?: FileSystemType;
  /** Name of the Secret with the key that its image is encrypted with; it is not encrypted when left out. */
  readonly keySecret?: string;
  /** No room is reserved for its image, and discards take out of that what is not needed any more. */
  readonly thinProvision?: boolean;
  /** Image of a snapshot, in the same pool, that the copy begins with; it begins empty when left out. */
  readonly source?: { readonly snapshotUid: string; readonly copyUid: string };
  /** Usable bytes wanted in the copy. One that has more keeps it: copies grow and never shrink. */
  readonly sizeBytes: number;
  /**
   * The size that it was last seen to have. Where it is the wanted one the look is a short one; left out, or when it is
   * another, the engine asks the copy's file system itself.
   */
  readonly seenSizeBytes?: number;
  /**
   * It was ready before and a volume of the engine counts on it: where it is not there any more it is lost or out of sight,
   * and never made anew; and an engine that knows of no such volume has lost it with its machine.
   */
  readonly isInUse?: boolean;
  /** The anchor sees its process run and cannot reach it: worth asking the engine whether it has lost sight of it. */
  readonly isCutOff?: boolean;
  /** A directory that somebody else made for the volume of that identity: only looked at, and left where it is. */
  readonly adopted?: { readonly path: string; readonly engineId: string };
}

export interface ObservedCopy {
  readonly subject: 'copy';
  /** 'absent': nothing there. 'partial': begun. 'ready': brick directory there and its file system mounted. 'broken': cannot be read. */
  readonly state: 'absent' | 'partial' | 'ready' | 'broken';
  readonly brickPath: string;
  /** Usable bytes that it has, of those wanted; only of a copy that is ready, and where the engine can tell. */
  readonly sizeBytes?: number;
  /** Only of an adopted one: the size of the file system that it lies in. */
  readonly capacityBytes?: number;
  /** What its image is encrypted with; only of one that is, and is ready: then it is open. */
  readonly encryption?: ImageEncryption;
  readonly message?: string;
}

export interface DesiredBrick {
  readonly node: string;
  readonly path: string;
  readonly isArbiter: boolean;
  /** The brick whose place it is to take, if the engine still has that one. */
  readonly replaces?: { readonly node: string; readonly path: string };
  /** To be added to what the engine has. */
  readonly isJoining?: boolean;
  /** To be taken out of what the engine has; the others hold everything. */
  readonly isLeaving?: boolean;
  /** A change that was given up: not asked for any more, and taken as done all the same should the engine have made it. */
  readonly isWithdrawn?: boolean;
}

/** What of a file server a volume is, and what Holdfast may do there. */
export interface DesiredShare extends ShareAddress {
  readonly onDelete: OnDelete;
  /** Octal mode for a folder that is made. */
  readonly permissions?: string | undefined;
  /** Of mount.nfs(8); looked at when the Volume was stored. */
  readonly mountOptions: readonly string[];
  /** Whose the folder is. */
  readonly volumeUid: string;
}

/** The volume as the engine's cluster sees it; acted on by the agent of the anchor node only. */
export interface DesiredVolume {
  readonly subject: 'volume';
  readonly isPresent: boolean;
  readonly name: EngineVolumeName;
  readonly layout: LayoutName;
  /** How many sets the bricks form, each of as many; 1 when left out. */
  readonly sets?: number;
  /** Dispersed layouts: bricks of each set that may be lost. */
  readonly redundancy?: number;
  /** Size of the pieces that large files are cut into; whole files when left out. Only obeyed at creation. */
  readonly shardBytes?: number;
  /** What it is used for; the engine's defaults when left out. */
  readonly profile?: VolumeProfile;
  /** Sets of two of which each brick goes on alone, so that they can diverge; more than half must serve when left out. */
  readonly mayDiverge?: boolean;
  /** In order: consecutive bricks form a set. */
  readonly bricks: readonly DesiredBrick[];
  /** Engine options that must hold; the engine adds its own defaults. */
  readonly options: Readonly<Record<string, string>>;
  /** A mount may still write without the brick that joins: nothing is to be filled into that one yet. */
  readonly areMountsBehind?: boolean;
  /** True where it is not to be served for the time being: it is stopped if it is there, and nothing else is done. */
  readonly isStopped?: boolean;
  /**
   * Nodes that bricks and mounts of the volume accept, by their certificates; 'none' where their traffic is plain. What
   * the volume has is left as it is when left out.
   */
  readonly encryptedFor?: readonly string[] | 'none';
  /** Its copies are encrypted: the engine writes nothing of what is in them where it is not. */
  readonly isEncrypted?: boolean;
  /**
   * Clients that the volume refuses, the engine's own daemons on their machines included. Addresses that are refused and
   * not known were refused by somebody else, and stay so. What the volume refuses is left as it is when left out.
   */
  readonly refusal?: { readonly refused: readonly string[]; readonly known: readonly string[] };
  /** A limit that the engine itself enforces; for copies in plain folders, which have no size of their own. */
  readonly limitBytes?: number;
  /** What the engine called it when it was seen before. A volume that has had data is never created again. */
  readonly engineId?: string;
  /** UIDs of its copies as far as they are known; one that is to go must hold a brick of theirs. Not judged when left out. */
  readonly copyUids?: readonly string[];
  /**
   * Somebody else made the volume. Only one of exactly this identity, made of exactly these bricks, is touched, and one
   * that is not there is never made.
   */
  readonly adopted?: AdoptedVolume;
  /** Engine nfs. */
  readonly share?: DesiredShare;
}

export interface AdoptedVolume {
  readonly engineId: string;
  /** In the engine's order; `host` is what the engine calls the machine there, where that is not the node's name. */
  readonly bricks: readonly { readonly node: string; readonly path: string; readonly host?: string | undefined }[];
  /** It gets the options of the engine's own volumes; else only those that are asked for. */
  readonly takesOptions: boolean;
}

export interface ObservedBrick {
  /** The node; of a brick that was not asked for, what the engine calls its machine. */
  readonly node: string;
  /** Only of an adopted volume: what the engine calls the machine, where that is not the node's name. */
  readonly host?: string;
  readonly path: string;
  /** The engine says its process runs. */
  readonly isOnline: boolean;
  /** The engine could read it just now; false where only the process is alive but its disk is dead. */
  readonly isReadable: boolean;
  /** The engine's daemon on the brick's node answers; false when the node is off or cut off. */
  readonly isNodeReachable?: boolean;
  /** Entries not yet the same on all copies; undefined when it could not be asked. */
  readonly pendingHeals?: number;
  readonly splitBrainEntries?: number;
}

export interface ObservedVolume {
  readonly subject: 'volume';
  readonly isPresent: boolean;
  readonly isStarted: boolean;
  readonly engineId?: string;
  readonly bricks: readonly ObservedBrick[];
  readonly options: Readonly<Record<string, string>>;
  /** The limit that the engine enforces; undefined without one. */
  readonly limitBytes?: number;
  /** Of the file system behind a share, and what of it is free; enforced for nobody. */
  readonly capacityBytes?: number;
  readonly freeBytes?: number;
  /** The options of the wanted profile hold, and none of another's. */
  readonly hasProfile?: boolean;
  /** Addresses that it refuses; none when left out. */
  readonly refused?: readonly string[];
  /** Only of an adopted one: options of the engine's own volumes that it does not have. */
  readonly lacks?: Readonly<Record<string, string>>;
}

/** The volume mounted on this node. */
export interface DesiredAttachment {
  readonly subject: 'attachment';
  readonly isPresent: boolean;
  readonly volume: EngineVolumeName;
  readonly mountPath: string;
  readonly isReadOnly: boolean;
  /** What the volume is used for; the engine's defaults when left out. */
  readonly profile?: VolumeProfile;
  /** This mount was seen to have the options of the profile; it is not looked at for that again. */
  readonly isProfileSeen?: boolean;
  /** Nodes to fetch the volume's description from, the nearest first. */
  readonly servers: readonly string[];
  /** Where this node keeps a copy of it, if it does. */
  readonly copyPath?: string;
  /** Name of the Secret with the key of that copy, where it is an encrypted device: it is opened when it is attached. */
  readonly keySecret?: string;
  /** Whether traffic of the volume is encrypted; left out where that was never changed. */
  readonly isEncrypted?: boolean;
  /** Discards reach the image of the copy here. */
  readonly thinProvision?: boolean;
  /** Flags for the mount, such as nodev; the engine refuses those that it does not know. */
  readonly mountOptions?: readonly string[];
  /** Engine nfs. */
  readonly share?: DesiredShare;
}

export interface ObservedAttachment {
  readonly subject: 'attachment';
  /**
   * 'dead': in the mount table, but nothing serves it any more, so it can only be taken away. 'foreign': something
   * else is mounted there. A volume that has lost its quorum stays 'mounted': it answers again when copies return.
   */
  readonly state: 'absent' | 'mounted' | 'dead' | 'foreign';
  /** Only with 'mounted': whether a look at the mount was answered just now. */
  readonly isAnswering?: boolean;
  /** Only with 'mounted', where the engine can tell: copies that this mount has a connection to, of how many. */
  readonly connections?: { readonly connected: number; readonly copies: number };
  /** Only with 'mounted', and unless it was seen before: whether it was mounted with the options of the profile. */
  readonly hasProfile?: boolean;
  readonly message?: string;
}

export interface EngineSubjects {
  peers: { desired: DesiredPeers; observed: ObservedPeers };
  identity: { desired: DesiredIdentity; observed: ObservedIdentity };
  copy: { desired: DesiredCopy; observed: ObservedCopy };
  volume: { desired: DesiredVolume; observed: ObservedVolume };
  attachment: { desired: DesiredAttachment; observed: ObservedAttachment };
}
export type Subject = keyof EngineSubjects;
export type Desired<S extends Subject> = EngineSubjects[S]['desired'];
export type Observed<S extends Subject> = EngineSubjects[S]['observed'];

export interface EngineCapabilities {
  readonly layouts: readonly DesiredVolume['layout'][];
  readonly bricks: readonly DesiredCopy['brick'][];
  /** Smallest usable size of a copy. */
  readonly minSizeBytes: number;
  /**
   * Its machines form a cluster of the engine's own and serve each other over the network: a volume waits until its members
   * have joined, and its traffic may be encrypted. Otherwise a volume serves the node of its copy only.
   */
  readonly isClustered: boolean;
  /** A node without it lacks nothing: where it is not installed the node does not name it. */
  readonly isOptional?: boolean;
}

/** Every engine of a node; a volume's spec.engine chooses among them. Put together by src/main. */
export type EngineTable = Readonly<Record<EngineName, Engine>>;

export interface Engine {
  readonly name: EngineName;
  capabilities(): EngineCapabilities;
  probe(signal: AbortSignal): Promise<EngineProbe>;
  observe<S extends Subject>(desired: Desired<S> & { readonly subject: S }, signal: AbortSignal): Promise<Observed<S>>;
  /**
   * Bytes of their pools that the images of thin copies take now, by the UID of the copy; one that is not there is left out.
   * Undefined for an engine that reserves all room.
   */
  readonly takenBytes?: (
    copies: readonly Pick<DesiredCopy, 'copyUid' | 'poolPath' | 'brick'>[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, number>>;
  /** Of an engine whose volumes are folders that others keep. */
  readonly shareWork?: ShareWork;
  /** Pure: the steps from observed to desired, in order; empty when nothing is to be done. */
  plan<S extends Subject>(desired: Desired<S> & { readonly subject: S }, observed: Observed<S>): readonly Step[];
  /** Applies a step planned by this engine. @throws {AppError} with the engine's own words */
  apply(step: Step, signal: AbortSignal): Promise<void>;
}
