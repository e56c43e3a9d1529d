/** Whether, and where, a volume can be made anew of a snapshot's images. Pure: the controller and the command line ask the same. */
import type { PlacedCopy, Volume, VolumeSpec } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { SnapshotCopy, VolumeSnapshotRecord } from '../../schemas/volume-snapshot-record.ts';
import type { RestorePlacement } from '../volume/decide-restore.ts';
import { copyEngine } from '../volume/engines.ts';
import { bytesFor, grantedSize, withGrants } from '../volume/granted-sizes.ts';
import { isMarked } from '../volume/membership.ts';
import { pieceBytes } from '../volume/profile.ts';
import { unrecordedCopies } from '../volume/promised-copies.ts';
import { fragmentsOf, replicasOf, setCount, wantedCopies } from '../volume/replica-sets.ts';
import { imagesInOrder, roomFault } from './clone-placement.ts';
import { lasting, lastingFaults, type SnapshotFault, type SnapshotWorld, snapshotFaults } from './snapshot-faults.ts';
import { snapshotPromises } from './snapshot-promises.ts';

/** Why the snapshot cannot be put in the volume's place; undefined when it can. */
export function restoredSnapshotFault(
  volume: Volume,
  snapshot: VolumeSnapshotRecord | undefined,
  uid: string,
): string | undefined {
  if (snapshot === undefined) return 'there is no such snapshot';
  const { metadata, spec, status } = snapshot;
  const what = `snapshot ${metadata.name}`;
  if (metadata.uid !== uid) return `${what} is another one of the same name by now`;
  if (spec.volumeUid !== volume.metadata.uid) return `${what} is of another volume; make a clone of it instead`;
  if (metadata.deletionTimestamp !== undefined) return `${what} is being deleted`;
  if (status?.phase !== 'Ready') return `${what} is ${status?.phase ?? 'Pending'}`;
  const other = status.volumeSpec === undefined ? [] : otherKind(volume.spec, status.volumeSpec);
  return other.length === 0
    ? undefined
    : `the volume was of another kind then (${other.join(', ')}); make a clone of ${what} instead`;
}

/** What must be as it was then, or the files in the images are not those that the engine expects. */
function otherKind(spec: VolumeSpec, was: VolumeSpec): readonly string[] {
  const kind = (each: VolumeSpec) => ({
    engine: each.engine,
    layout: each.layout,
    brick: each.brick,
    replicas: replicasOf(each),
    distribution: setCount(each),
    disperseData: fragmentsOf(each)?.data,
    redundancy: fragmentsOf(each)?.redundancy,
    shard: pieceBytes(each),
  });
  const [now, then] = [Object.entries(kind(spec)), new Map<string, unknown>(Object.entries(kind(was)))];
  return now.filter(([field, value]) => then.get(field) !== value).map(([field]) => field);
}

/** What is in the way of the volume itself; none when it can begin. The mounts are asked for elsewhere. */
export function restoreFaults(volume: Volume, world: SnapshotWorld): readonly SnapshotFault[] {
  if (volume.spec.adopted !== undefined) return [lasting('it was adopted, and its directories are never exchanged')];
  const { placement = [] } = volume.status ?? {};
  const left = world.copies.filter(({ metadata, spec }) => {
    if (spec.volumeUid !== volume.metadata.uid || spec.isReleased === true) return false;
    return !placement.some((placed) => placed.copy === metadata.name);
  });
  if (left.length > 0 && !placement.some(isMarked)) {
    const where = left.map((copy) => copy.spec.node).toSorted();
    return [lasting(`copies of before are not given up yet on ${where.join(', ')}`)];
  }
  return snapshotFaults(volume, world);
}

/**
 * Places the new copies beside the images; each is as large as the volume is now, which may have grown since. The images
 * of the safety snapshot have to find room beside them.
 *
 * @param newName - a name that no copy ever had
 */
export function placeRestore(
  volume: Volume,
  snapshot: VolumeSnapshotRecord | undefined,
  world: SnapshotWorld,
  newName: () => string,
): RestorePlacement {
  const images = snapshot === undefined ? [] : imagesInOrder(snapshot);
  const wanted = wantedCopies(volume.spec);
  if (images.length === 0 || images.length !== wanted.length) {
    return { ok: false, message: `the snapshot has ${images.length} images, the volume ${wanted.length} copies` };
  }
  const copies = images.map((image, at) => newCopy(volume, image, { name: newName(), set: wanted[at]?.set }));
  const promised = [...unrecordedCopies(world.volumes, world.copies), ...snapshotPromises(world.snapshots)];
  const taken = withGrants([...world.copies, ...promised], world.volumes);
  const faults = copies.flatMap(({ copy, image }, at) => {
    const others = copies.filter((_, other) => other !== at).map((other) => other.copy);
    return roomFault(image, copy.spec.sizeBytes, {
      nodes: world.nodes,
      copies: [...taken, ...others],
      kept: copy.spec,
    });
  });
  const all = [...world.copies, ...copies.map(({ copy }) => copy)];
  const later = lastingFaults(snapshotFaults(volume, { ...world, copies: all }));
  const [fault] = [...faults, ...later.map(({ message }) => message)];
  if (fault !== undefined) return { ok: false, message: `no room beside the old copies: ${fault}` };
  return { ok: true, placement: copies.map(({ placed }) => placed) };
}

function newCopy(
  volume: Volume,
  image: SnapshotCopy,
  { name, set }: { readonly name: string; readonly set: number | undefined },
): { readonly placed: PlacedCopy; readonly copy: VolumeCopy; readonly image: SnapshotCopy } {
  const { node, pool, role, index, uid } = image;
  const placed = { copy: name, node, pool, role, imageOf: uid, ...(set === undefined ? {} : { set }) };
  const sizeBytes = Math.max(image.sizeBytes, bytesFor(volume.spec, role, grantedSize(volume)));
  const { brick } = volume.spec;
  const engine = copyEngine(volume.spec.engine);
  const copy: VolumeCopy = {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'VolumeCopy',
    metadata: { name },
    spec: {
      volume: volume.metadata.name ?? '',
      volumeUid: volume.metadata.uid ?? '',
      ...{ node, pool, role, index, engine, brick, sizeBytes },
    },
  };
  return { placed, copy, image };
}
