/** The table of all checks, and the judgement they come to together. Pure. */
import {
  AGENT_VERSIONS,
  CERTIFICATES,
  CLOCKS_AGREE,
  KERNEL_FEATURES,
  NODE_EXAMINED,
  NODE_HEARD,
  PACKAGE_VERSIONS,
} from './check-nodes.ts';
import { ENGINE_RUNS, NODE_IDENTITY, OP_VERSION, PEERS_JOINED, PORTS_REACHABLE, SERVER_QUORUM } from './check-peers.ts';
import { LEFTOVER_IDS, ORPHAN_COPIES, POOLS_HAVE_ROOM, POOLS_READY } from './check-pools.ts';
import {
  ATTACHMENTS,
  BRICK_DISKS,
  BRICKS_RUN,
  COPIES_CURRENT,
  MOUNTS_ANSWER,
  SPLIT_BRAIN,
  VOLUME_FILES,
  VOLUMES_SERVE,
} from './check-volumes.ts';
import { docOf, type Finding, type FindingStatus } from './finding.ts';
import type { Check, DoctorWorld, Judged, Observation } from './world.ts';

/** In the order of their numbers, each of which stays with its check for ever. */
export const CHECKS: readonly Check[] = [
  NODE_HEARD,
  NODE_EXAMINED,
  ENGINE_RUNS,
  CLOCKS_AGREE,
  PORTS_REACHABLE,
  PEERS_JOINED,
  NODE_IDENTITY,
  OP_VERSION,
  SERVER_QUORUM,
  VOLUMES_SERVE,
  SPLIT_BRAIN,
  BRICKS_RUN,
  BRICK_DISKS,
  VOLUME_FILES,
  MOUNTS_ANSWER,
  ATTACHMENTS,
  POOLS_READY,
  POOLS_HAVE_ROOM,
  ORPHAN_COPIES,
  LEFTOVER_IDS,
  KERNEL_FEATURES,
  AGENT_VERSIONS,
  PACKAGE_VERSIONS,
  CERTIFICATES,
  COPIES_CURRENT,
];

/** What all checks find; a check that finds nothing wrong is one finding with status ok. */
export function judge(world: DoctorWorld): readonly Judged[] {
  return CHECKS.flatMap((check) => {
    const observations = check.look(world);
    return observations.length === 0 ? [passed(check)] : observations.map((each) => toJudged(check, each));
  });
}

function toJudged({ id, title }: Check, { remedy, ...observation }: Observation): Judged {
  const finding: Finding = { id, title, ...observation, doc: docOf(id), isFixable: remedy !== undefined };
  return remedy === undefined ? { finding } : { finding, remedy };
}

function passed({ id, title }: Check): Judged {
  const texts = { subject: 'cluster', evidence: 'nothing is wrong', meaning: '', fix: '' };
  return { finding: { id, title, status: 'ok', ...texts, doc: docOf(id), isFixable: false } };
}

/** What a repair is asked for by: both must still be found the same when it is done. */
export function keyOf({ id, subject }: Pick<Finding, 'id' | 'subject'>): string {
  return `${id} ${subject}`;
}

/** How many findings there are of each status. */
export function countFindings(findings: readonly Finding[]): Readonly<Record<FindingStatus, number>> {
  const count = (status: FindingStatus) => findings.filter((finding) => finding.status === status).length;
  return { ok: count('ok'), warning: count('warning'), failed: count('failed'), unknown: count('unknown') };
}
