/** What holds when a verb has ended, whatever died on the way: as asked for, nothing lost, nothing left, room accounted right. */
import { poolBytesOf } from '../../src/domain/volume/copy-size.ts';
import type { FakeNode } from '../../src/engines/gluster/cluster.fake.ts';
import type { FakeCopy } from '../../src/engines/image/copy.fake.ts';
import type { SimCluster } from './cluster.ts';
import { isWhole } from './expectations.ts';
import { isOfOthers, volumeCalled, volumesWithoutWhole } from './truth.ts';

const PATIENCE_MS = 10 * 60_000;

/** Lets time pass until nothing is untidy any more. @throws {Error} with all that still is */
export async function expectTidy(sim: SimCluster): Promise<void> {
  try {
    await sim.until('everything is tidy', () => holdsTruth(sim) && findUntidy(sim).length === 0, PATIENCE_MS);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`untidy: ${findUntidy(sim).join('; ')}\n${message}`, { cause: error });
  }
}

/** True, as long as of all that was acknowledged some copy has everything. @throws {Error} when something is lost */
export function holdsTruth({ gluster }: SimCluster): boolean {
  const lost = volumesWithoutWhole(gluster);
  if (lost.length > 0) throw new Error(`acknowledged records are lost: no copy of ${lost.join()} has everything`);
  return true;
}

/** What is not as it has to be in the end, one line each. */
function findUntidy(sim: SimCluster): readonly string[] {
  return [...volumes(sim), ...copies(sim), ...snapshots(sim), ...room(sim), ...processes(sim)];
}

function volumes(sim: SimCluster): readonly string[] {
  const { seen, gluster } = sim;
  const lines: string[] = [];
  for (const { metadata, status } of seen.Volume.values()) {
    if (!isWhole(sim, metadata.name)) lines.push(`${metadata.name} is not whole`);
    const marks = status?.placement?.flatMap(
      ({ replaces, isJoining, isLeaving }) => replaces ?? isJoining ?? isLeaving ?? [],
    );
    if (marks !== undefined && marks.length > 0) lines.push(`${metadata.name} has marks of a change`);
  }
  for (const [name, { bricks, stale }] of gluster.state.volumes) {
    const isTheirs = bricks.every(({ path }) => isOfOthers(path));
    if (volumeCalled(seen, name) === undefined && !isTheirs) lines.push(`the engine has ${name}, and nobody else`);
    if (stale.size > 0) lines.push(`copies of ${name} differ`);
  }
  return lines;
}

/** Copies are recorded, placed and on disk, or none of these. Disks of a node that is given up are nobody's any more. */
function copies({ seen, gluster, nodes }: SimCluster): readonly string[] {
  const lines: string[] = [];
  const placed = new Set(
    [...seen.Volume.values()].flatMap(({ status }) => (status?.placement ?? []).map(({ copy }) => copy)),
  );
  for (const { metadata, spec } of seen.VolumeCopy.values()) {
    if (!placed.delete(metadata.name)) lines.push(`${metadata.name} is recorded and not placed`);
    if (spec.replacement !== undefined || spec.isReleased === true) lines.push(`${metadata.name} is to go`);
    const found = findOnDisk(gluster.state.node(spec.node), { uid: metadata.uid, adopted: spec.adopted });
    if (found === undefined) lines.push(`${metadata.name} is not on the disk of ${spec.node}`);
    else if (spec.brick === 'image' && found.reservedBytes !== poolBytesOf(spec, spec.sizeBytes))
      lines.push(`${metadata.name} takes ${found.reservedBytes} bytes and counts as ${spec.sizeBytes}`);
  }
  for (const name of placed) lines.push(`${name} is placed and not recorded`);
  return [...lines, ...leftCopies({ seen, gluster, nodes })];
}

/** On disk and recorded nowhere; others may leave theirs. */
function leftCopies({ seen, gluster, nodes }: Pick<SimCluster, 'seen' | 'gluster' | 'nodes'>): readonly string[] {
  const known = new Set([...seen.VolumeCopy.values()].map(({ metadata }) => metadata.uid));
  return nodes
    .filter((each) => seen.StorageNode.has(each))
    .flatMap((node) =>
      [...gluster.state.node(node).copies.values()]
        .filter(({ uid, brickPath }) => !known.has(uid) && !isOfOthers(brickPath))
        .map(({ uid }) => `copy ${uid} is left on ${node}`),
    );
}

/** What was adopted is found by its path: whoever made it knew no UID. */
function findOnDisk(
  { copies: onDisk }: FakeNode,
  { uid, adopted }: { readonly uid: string; readonly adopted: { readonly path: string } | undefined },
): FakeCopy | undefined {
  if (adopted === undefined) return onDisk.get(uid);
  return [...onDisk.values()].find(({ brickPath }) => brickPath === adopted.path);
}

/** The images are those of the snapshots that are Ready, each of one moment; and nobody is held back. */
function snapshots({ seen, snapshots: { images, barriers, frozen } }: SimCluster): readonly string[] {
  const lines: string[] = [];
  const left = new Set(images.keys());
  for (const { metadata, status } of seen.VolumeSnapshotRecord.values()) {
    if (status?.phase !== 'Ready') lines.push(`snapshot ${metadata.name} is ${status?.phase}`);
    const keys = Object.values(status?.copies ?? {}).map((copy) => `${copy.node} ${metadata.uid} ${copy.uid}`);
    if (!areOfOneMoment(keys.map((key) => images.get(key)))) lines.push(`${metadata.name} is of no one moment`);
    for (const key of keys) left.delete(key);
  }
  for (const key of left) lines.push(`image ${key} is left`);
  for (const volume of barriers.keys()) lines.push(`writers of ${volume} are held back`);
  for (const uid of frozen) lines.push(`the file system of copy ${uid} is frozen`);
  return lines;
}

function areOfOneMoment(moments: readonly unknown[]): boolean {
  const different = new Set(moments);
  return different.size === 1 && !different.has(undefined);
}

/** What a node reports as taken by copies is what its recorded copies take, and what its disk says. */
function room({ seen, gluster }: SimCluster): readonly string[] {
  const lines: string[] = [];
  for (const { metadata, status } of seen.StorageNode.values()) {
    const node = gluster.state.node(metadata.name);
    if (!node.isOn) continue;
    // Folders take what users put into them, and nothing before.
    const recorded = [...seen.VolumeCopy.values()].filter(
      ({ spec }) => spec.node === metadata.name && spec.brick === 'image',
    );
    const bytes = recorded.reduce((sum, { spec }) => sum + poolBytesOf(spec, spec.sizeBytes), 0);
    const reserved = [...node.copies.values()].reduce((sum, copy) => sum + copy.reservedBytes, 0);
    const reported = status?.pools?.[0]?.copyBytes ?? 0;
    // Of thin ones it is what is in them.
    const isThin = recorded.some(({ spec }) => spec.thinProvision === true);
    if ((reported !== bytes && !isThin) || reserved !== bytes)
      lines.push(`${metadata.name} reports ${reported} bytes of copies; ${bytes} are recorded, ${reserved} on disk`);
  }
  return lines;
}

/** Bricks run where the engine has bricks, and mounts are where records are. */
function processes({ seen, gluster, nodes }: SimCluster): readonly string[] {
  const lines: string[] = [];
  const bricks = [...gluster.state.volumes.values()].flatMap((volume) => volume.bricks);
  const paths = new Set(bricks.map((brick) => `${brick.node} ${brick.path}`));
  const mounts = [...seen.VolumeAttachmentRecord.values()].map(({ spec }) => `${spec.node} ${spec.mountPath}`);
  for (const node of nodes) {
    const { running, mounts: mounted } = gluster.state.node(node);
    for (const path of running) if (!paths.has(`${node} ${path}`)) lines.push(`a process serves ${path} on ${node}`);
    for (const path of mounted.keys())
      if (!mounts.includes(`${node} ${path}`)) lines.push(`${path} is mounted on ${node}`);
  }
  return lines;
}
