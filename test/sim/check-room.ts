/** The promise that no pool is promised to more copies than it holds. */
import { poolBytesOf } from '../../src/domain/volume/copy-size.ts';
import { bytesFor } from '../../src/domain/volume/granted-sizes.ts';
import type { Check, CheckContext } from './invariants.ts';
import type { Seen } from './observer.ts';

/** Recorded copies and stored placements together never take more than a pool has. */
export function createRoomCheck({ gluster, seen, foreignBytes, report }: CheckContext): Check {
  let isChecked = false;
  return {
    onChange: (kind) => {
      if (kind === 'Volume' || kind === 'VolumeCopy') isChecked = false;
    },
    onEffect: (step, node) => {
      if (step.step !== 'makeImage' && step.step !== 'cloneImage' && step.step !== 'growImage') return;
      const { copies, pools } = gluster.state.node(node);
      const { copyUid, poolPath } = step.copy;
      const others = [...copies.values()].filter((copy) => copy.poolPath === poolPath && copy.uid !== copyUid);
      const free = (pools.get(poolPath) ?? 0) - others.reduce((sum, copy) => sum + copy.reservedBytes, foreignBytes);
      if (free < step.imageBytes) report(`${node} has no room for a copy that was placed on it: ${step.about}`);
    },
    onTick: () => {
      if (isChecked) return;
      isChecked = true;
      for (const { node, pool, bytes } of promised(seen)) {
        const found = seen.StorageNode.get(node)?.status?.pools?.find((each) => each.name === pool);
        const isTooMuch = found?.isReady === true && bytes > found.capacityBytes - foreignBytes;
        if (isTooMuch) report(`${bytes} of ${found.capacityBytes} bytes of pool ${pool} on ${node} are promised`);
      }
    },
  };
}

interface Promised {
  readonly node: string;
  readonly pool: string;
  bytes: number;
}

function promised(seen: Seen): Iterable<Promised> {
  const sums = new Map<string, Promised>();
  const add = (node: string, pool: string, bytes: number) => {
    const sum = sums.get(`${node}/${pool}`) ?? { node, pool, bytes: 0 };
    sum.bytes += bytes;
    sums.set(`${node}/${pool}`, sum);
  };
  for (const { spec } of seen.VolumeCopy.values()) {
    // Nothing of it is there: the machine was installed anew, and its successor takes the room that it had.
    if (spec.replacement?.reason === 'NodeRejoined') continue;
    add(spec.node, spec.pool, poolBytesOf(spec, spec.sizeBytes));
  }
  for (const { metadata, spec, status } of seen.Volume.values()) {
    // Of a volume that is going only the copies that are left take room.
    if (metadata.deletionTimestamp !== undefined) continue;
    for (const placed of status?.placement ?? []) {
      const isRecorded = seen.VolumeCopy.has(placed.copy);
      if (!isRecorded)
        add(placed.node, placed.pool, poolBytesOf(spec, bytesFor(spec, placed.role, status?.grantedSize ?? spec.size)));
    }
  }
  return sums.values();
}
