/** A fence that is said to be held is held: nothing of what the node asks, or had asked, changes a volume. */
import type { Check, CheckContext } from './invariants.ts';

/** Creates the check. */
export function createFenceCheck({ seen, gluster, report }: CheckContext): Check {
  return {
    onTick: () => {
      const { state } = gluster;
      for (const { spec, status, metadata } of seen.FenceRecord.values()) {
        if (status?.phase !== 'Held' || metadata.deletionTimestamp !== undefined) continue;
        for (const volume of state.volumes.values()) {
          const what = `volume ${volume.name} although ${spec.node} is said to be fenced`;
          if (state.isUsable(volume, spec.node)) report(`${spec.node} can use ${what}`);
          const others = volume.bricks.filter(({ node }) => node !== spec.node);
          const late = others.filter(({ path }) => volume.late.has(path)).map(({ node }) => node);
          if (late.length > 0) report(`the copy on ${late.join(', ')} still works for ${spec.node} on ${what}`);
        }
      }
    },
  };
}
