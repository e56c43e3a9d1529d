/** Promises about data: it is erased only when its volume is to go, and served as long as somebody has it mounted. */
import { AWAY_MS } from '../../src/domain/cluster/decide-tls.ts';
import type { Resource } from '../../src/ports/resource-client.ts';
import type { Check, CheckContext } from './invariants.ts';
import { lostBricks, volumeCalled, volumeOfBrick, volumesWithoutWhole } from './truth.ts';

/** From the decision to stop the volumes to the last that is stopped. */
const TLS_STOP_MS = 10_000;
/** Times in conditions are whole seconds. */
const CLOCK_MS = 1_000;

/** No copy is erased or lost that a volume needs, and no volume is taken away that is wanted or in use. */
export function createDataCheck({ world, gluster, seen, report }: CheckContext): Check {
  const now = () => world.clock.monotonic();
  /** When volumes came to be in the engine, by name. */
  const madeAt = new Map<string, number>();
  /** When the erasure of a copy was begun, by its UID. */
  const erasedFrom = new Map<string, number>();
  /** Volumes that came to be while a copy of theirs was being erased, by their identity in the engine. */
  const late = new Set<string>();
  /** Brick paths that a volume in the engine was ever made of, and whose data therefore counts. */
  const used = new Set<string>();

  /** Since when a node has been called silent, and until when one was away. The change of encryption waits for no node that is. */
  const silentSince = new Map<string, number>();
  const awayUntil = new Map<string, number>();
  const isAway = (node: string): boolean =>
    now() - (silentSince.get(node) ?? Number.POSITIVE_INFINITY) >= AWAY_MS - CLOCK_MS;
  const wasAway = (node: string): boolean =>
    isTlsChanging() && (isAway(node) || now() - (awayUntil.get(node) ?? Number.NEGATIVE_INFINITY) < TLS_STOP_MS);

  const isWanted = (volumeName: string, uid: string): boolean => {
    const volume = seen.Volume.get(volumeName);
    return volume?.metadata.uid === uid && volume.metadata.deletionTimestamp === undefined;
  };

  const checkErasure = (node: string, uid: string): void => {
    const copy = gluster.state.node(node).copies.get(uid);
    if (copy === undefined) return;
    const inUse = volumeOfBrick(gluster, node, copy.brickPath);
    const isLate = inUse !== undefined && (madeAt.get(inUse.name) ?? 0) >= (erasedFrom.get(uid) ?? now());
    // A dead agent's order to create it was carried out in the middle of this step; the anchor takes it away again.
    if (isLate) late.add(inUse.id);
    else if (inUse !== undefined) report(`the copy of ${inUse.name} on ${node} is erased while the engine uses it`);
    const stored = [...seen.VolumeCopy.values()].find((each) => each.metadata.uid === uid);
    if (stored === undefined || !used.has(copy.brickPath)) return;
    const { volume, volumeUid } = stored.spec;
    if (!isWanted(volume, volumeUid) || (isReplaced(stored) && inUse === undefined)) return;
    report(`data of ${volume} on ${node} is erased although the volume is wanted`);
  };

  /** Another one took its place: it was released, the placement does not know it any more, and others have everything. */
  const isReplaced = ({ metadata: { name }, spec }: Resource<'VolumeCopy'>): boolean => {
    const placement = seen.Volume.get(spec.volume)?.status?.placement ?? [];
    const isPlaced = placement.some((placed) => placed.copy === name || placed.replaces === name);
    const isKept = !volumesWithoutWhole(gluster).includes(spec.volume);
    return spec.isReleased === true && !isPlaced && isKept;
  };

  /** All volumes are stopped meanwhile. */
  const isTlsChanging = (): boolean => {
    const phase = seen.StorageCluster.get('default')?.status?.tls?.phase;
    return phase === 'Stopping' || phase === 'Restarting';
  };

  /** For copies that hold a snapshot; what it held is one itself by then. */
  const isMakingWay = ({ status }: Resource<'Volume'>): boolean => {
    const { phase, safetySnapshot = '' } = status?.restore ?? {};
    return phase === 'Removing' && seen.VolumeSnapshotRecord.get(safetySnapshot)?.status?.phase === 'Ready';
  };

  const checkRemoval = (name: string, isForGood: boolean): void => {
    const volume = volumeCalled(seen, name);
    const mayGo = (!isForGood && isTlsChanging()) || (volume !== undefined && isMakingWay(volume));
    if (volume !== undefined && isWanted(volume.metadata.name, volume.metadata.uid) && !mayGo) {
      report(`${name} is removed from the engine although it is wanted`);
    }
    for (const node of gluster.state.nodes.values()) {
      const isMounted = [...node.mounts.values()].some((mount) => mount.source === name && mount.isServed);
      if (isMounted && !wasAway(node.name))
        report(`${name} is removed from the engine while it is mounted on ${node.name}`);
    }
  };

  /** Whoever lets go of a machine with a copy of a volume lets go of the copy. */
  const checkDetachment = (node: string): void => {
    // What lies there alone, and no Volume asks for any more, goes with it.
    const isLeftOver = (name: string) => !seen.Volume.has(name);
    const held = [...gluster.state.volumes.values()].filter(
      ({ name, bricks }) =>
        bricks.some((brick) => brick.node === node) &&
        !(isLeftOver(name) && bricks.every((brick) => brick.node === node)),
    );
    const placed = [...seen.Volume.values()].filter(({ status }) =>
      status?.placement?.some((each) => each.node === node),
    );
    const names = [...held.map(({ name }) => name), ...placed.map(({ metadata }) => metadata.name)];
    if (names.length > 0) report(`${node} is taken out of the pool although it has copies of ${names.join()}`);
    if (seen.StorageCluster.get('default')?.spec.nodes.includes(node) === true) {
      report(`${node} is taken out of the pool although it is a node of the cluster`);
    }
  };

  return {
    onChange: (kind, _before, after) => {
      if (kind !== 'StorageNode' || after === undefined) return;
      const { metadata, status } = after as Resource<'StorageNode'>;
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      if (ready?.status === 'Unknown')
        return void silentSince.set(metadata.name, silentSince.get(metadata.name) ?? now());
      if (isAway(metadata.name)) awayUntil.set(metadata.name, now());
      silentSince.delete(metadata.name);
    },
    onStep: (step) => {
      if (step.step === 'eraseCopy') erasedFrom.set(step.copy.copyUid, now());
    },
    onEffect: (step, node) => {
      if (step.step === 'createVolume') {
        if (!gluster.state.volumes.has(step.volume)) madeAt.set(step.volume, now());
        for (const brick of step.bricks) used.add(brick.path);
      }
      if (step.step === 'replaceBrick' || step.step === 'addBrick') used.add(step.brick.path);
      if (step.step === 'detachPeer') checkDetachment(step.node);
      if (step.step === 'eraseCopy') checkErasure(node, step.copy.copyUid);
      if (step.step === 'stopVolume' || step.step === 'deleteVolume')
        checkRemoval(step.volume, step.step === 'deleteVolume');
    },
    onTick: () => {
      for (const { volume, node } of lostBricks(gluster)) {
        if (!late.has(volume.id)) report(`volume ${volume.name} has lost its copy on ${node}`);
      }
      // A machine that was installed anew knows nothing: what is served there in the place of a lost copy is empty, and
      // would pass for what the volume holds.
      for (const { name, wiped, running } of gluster.state.nodes.values()) {
        for (const path of wiped) if (running.has(path)) report(`${name} serves a blank brick in the place of ${path}`);
      }
    },
  };
}
