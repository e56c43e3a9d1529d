/** What the loss of nodes would do to every volume. Nothing is changed by asking. */
import type { Volume } from '../../schemas/volume.ts';
import { isServed, judgeVolume, type Outcome, type VolumeJudgement } from './judge-volume.ts';
import { loseNodes, type ServerQuorum, serverQuorum } from './lose-nodes.ts';
import { type Restore, restoreCopies } from './restore-copies.ts';
import type { StoredCluster } from './stored-cluster.ts';

export interface VolumeLoss {
  readonly volume: string;
  readonly before: Outcome;
  readonly after: Outcome;
  /** Why, in the words that the volume's condition would have. */
  readonly message: string;
  /** Copies that may still be lost after that with the volume being served. */
  readonly spareCopies: number;
  /** The nodes among the lost ones that hold a copy. */
  readonly lostCopies: readonly string[];
  /** The nodes among the lost ones that have it mounted: what runs there stops with them. */
  readonly lostMounts: readonly string[];
  /** What cannot be known from counting copies. */
  readonly warning?: string;
  /** Of volumes that lose a copy and are still served, since only those have something to copy from. */
  readonly restore?: Restore;
}

export interface LossReport {
  readonly nodes: readonly string[];
  readonly sentence: string;
  readonly serverQuorum: ServerQuorum;
  /** By name. */
  readonly volumes: readonly VolumeLoss[];
  /** How many volumes there are of each outcome. */
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Served now, and not any more. */
  readonly stopped: readonly string[];
  readonly restorable: { readonly volumes: number; readonly of: number; readonly bytes: number };
}

/** Answers `holdfast simulate lose-node|lose-zone`, by the same functions as the controller. */
export function simulateLoss(stored: StoredCluster, nodes: readonly string[]): LossReport {
  const names = new Set(nodes);
  const after = loseNodes(stored, names);
  const volumes = stored.volumes.toSorted(byName).map((volume) => loseVolume(stored, after, { volume, names }));
  const byOutcome = (outcome: Outcome) => volumes.filter((loss) => loss.after === outcome).length;
  const counts = {
    redundant: byOutcome('redundant'),
    served: byOutcome('served'),
    unavailable: byOutcome('unavailable'),
    notReady: byOutcome('notReady'),
  };
  const stopped = volumes.filter(stopsBeingServed).map((loss) => loss.volume);
  const wanting = new Set(volumes.filter(wantsRestore).map((loss) => loss.volume));
  const toRestore = after.volumes.filter((volume) => wanting.has(volume.metadata.name ?? '')).toSorted(byName);
  const restored = restoreCopies(after, toRestore);
  const withRoom = [...restored.values()].filter((each) => each.hasRoom);
  return {
    nodes: [...names].toSorted(),
    sentence: describeCounts(counts, stopped.length, volumes.length),
    serverQuorum: serverQuorum(after),
    volumes: volumes.map((loss) => addRestore(loss, restored.get(loss.volume))),
    counts,
    stopped,
    restorable: {
      volumes: withRoom.length,
      of: restored.size,
      bytes: withRoom.reduce((sum, each) => sum + each.bytes, 0),
    },
  };
}

function loseVolume(
  stored: StoredCluster,
  after: StoredCluster,
  { volume, names }: { readonly volume: Volume; readonly names: ReadonlySet<string> },
): VolumeLoss {
  const name = volume.metadata.name ?? '';
  const left = after.volumes.find((candidate) => candidate.metadata.name === name) ?? volume;
  const [now, then] = [judgeVolume(stored, volume), judgeVolume(after, left)];
  const holders = new Set((volume.status?.placement ?? []).map((placed) => placed.node));
  const lostCopies = [...holders].filter((node) => names.has(node));
  const mounts = stored.attachments.filter(({ spec }) => spec.volume === name && names.has(spec.node));
  return {
    volume: name,
    before: now.outcome,
    after: then.outcome,
    message: then.message,
    spareCopies: then.spareCopies,
    lostCopies,
    lostMounts: mounts.map(({ spec }) => spec.node).toSorted(),
    ...warn(now, then, lostCopies.length),
  };
}

/** A majority of copies is not enough while the only good copy of an entry may be among the lost ones. */
function warn(now: VolumeJudgement, then: VolumeJudgement, lost: number): { readonly warning?: string } {
  if (lost === 0 || now.unhealed === 0 || then.outcome !== 'served') return {};
  const entries = now.unhealed === 1 ? '1 entry differs' : `${now.unhealed} entries differ`;
  return { warning: `${entries} between copies now: what only a lost copy has cannot be read until that copy is back` };
}

function addRestore(loss: VolumeLoss, restore: Restore | undefined): VolumeLoss {
  return restore === undefined ? loss : { ...loss, restore };
}

function wantsRestore({ lostCopies, after }: VolumeLoss): boolean {
  return lostCopies.length > 0 && after === 'served';
}

function stopsBeingServed({ before, after }: VolumeLoss): boolean {
  return isServed(before) && after === 'unavailable';
}

function describeCounts(counts: Readonly<Record<Outcome, number>>, stopped: number, total: number): string {
  if (total === 0) return 'there are no volumes';
  const already = counts.unavailable - stopped;
  const parts = [
    `${counts.redundant} of ${total} ${total === 1 ? 'volume' : 'volumes'} would be redundant`,
    `${counts.served} served without redundancy`,
    `${stopped} no longer served`,
    ...(already > 0 ? [`${already} unavailable as before`] : []),
    ...(counts.notReady > 0 ? [`${counts.notReady} not ready yet`] : []),
  ];
  return parts.join(', ');
}

function byName(a: Volume, b: Volume): number {
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}
