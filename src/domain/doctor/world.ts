/** Everything that the checks of `holdfast doctor` judge by. */
import type { NodeFacts } from '../../schemas/node-facts.ts';
import type { StorageCluster } from '../../schemas/storage-cluster.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { findCondition } from '../find-condition.ts';
import type { CheckId, Finding, FindingStatus } from './finding.ts';
import type { Repair } from './repair.ts';

/** What came of looking at one node. */
export type Examination =
  | {
      readonly facts: NodeFacts;
      /** Certainly between these two by the API server's clock, the request and its answer happened (milliseconds). */
      readonly askedAt: number;
      readonly answeredAt: number;
    }
  | { readonly failure: string };

export interface DoctorWorld {
  readonly nodes: readonly StorageNode[];
  readonly volumes: readonly Volume[];
  /** Read after the nodes were looked at: a folder that is older than this list and not in it belongs to no copy. */
  readonly copies: readonly VolumeCopy[];
  readonly attachments: readonly VolumeAttachmentRecord[];
  readonly clusters: readonly StorageCluster[];
  readonly examinations: ReadonlyMap<string, Examination>;
  /** Version of the program that asks. */
  readonly version: string;
  /** Milliseconds since the epoch, for what ends some day. */
  readonly now: number;
}

/** A finding as a check makes it; the table of checks adds number, title and page. */
export interface Observation {
  readonly status: Exclude<FindingStatus, 'ok'>;
  readonly subject: string;
  readonly evidence: string;
  readonly meaning: string;
  readonly fix: string;
  /** What --fix would do, and whose agent does it. */
  readonly remedy?: { readonly node: string; readonly repair: Repair };
}

export interface Check {
  readonly id: CheckId;
  readonly title: string;
  look(world: DoctorWorld): readonly Observation[];
}

/** A finding with what --fix would do about it. */
export interface Judged {
  readonly finding: Finding;
  readonly remedy?: NonNullable<Observation['remedy']>;
}

/** Facts of the nodes that could be looked at, by name. */
export function factsOf({ examinations }: Pick<DoctorWorld, 'examinations'>): ReadonlyMap<string, NodeFacts> {
  const seen = [...examinations].flatMap(([node, examination]) =>
    'facts' in examination ? [[node, examination.facts] as const] : [],
  );
  return new Map(seen);
}

/** True while the controller hears the node. */
export function isHeard(node: StorageNode | undefined): boolean {
  const status = findCondition(node, 'Ready')?.status;
  return status === 'True' || status === 'False';
}

/** The name of a stored object, for checks. */
export function nameOf(object: { readonly metadata: { readonly name?: string | undefined } }): string {
  return object.metadata.name ?? '';
}

/** The node that acts on the pool as a whole: the anchor where it was looked at, else the first that was. */
export function poolSpeaker(world: DoctorWorld): string | undefined {
  const facts = factsOf(world);
  const answering = [...facts].filter(([, { engine }]) => engine.isAnswering).map(([node]) => node);
  const anchor = world.clusters[0]?.status?.anchor;
  return anchor !== undefined && answering.includes(anchor) ? anchor : answering.toSorted()[0];
}
