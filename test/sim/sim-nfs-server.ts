/**
 * The NFS server of a simulated node, over the fake engine: each export is a client of its volume, as a mount is one, and
 * ends with the host. It outlives the agent that tells it what to serve.
 */

import type { ServedExport } from '../../src/domain/nfs-export/served-export.ts';
import { type FakeCluster, fakeAway, newMount, reachableBricks } from '../../src/engines/gluster/cluster.fake.ts';
import type { ExportLook, NfsServer } from '../../src/ports/nfs-server.ts';
import { never } from './mortality.ts';
import type { Pace } from './sim-engine.ts';
import type { SimProcess, World } from './world.ts';

export interface SimNfsOptions {
  readonly node: string;
  readonly world: World;
  readonly process: SimProcess;
  readonly pace: Pace;
  /** Paths that the node's server serves; kept by whoever outlives the agent. */
  readonly served: Set<string>;
}

/** Creates it for one agent process. */
export function createSimNfsServer(gluster: FakeCluster, options: SimNfsOptions): NfsServer {
  const { node, world, process, pace, served } = options;
  const pause = () => world.clock.sleep(Math.round((pace.stepMs / 4) * world.random.next()));
  return {
    serve: (exports) =>
      process.survive(async () => {
        const { mounts, isOn } = gluster.state.node(node);
        if (!isOn) throw fakeAway(node);
        await pause();
        if (!process.isAlive()) return never<readonly ExportLook[]>();
        for (const path of served) {
          if (exports.some((each) => each.path === path)) continue;
          mounts.delete(path);
          served.delete(path);
        }
        const looks = exports.map((wanted) => {
          served.add(wanted.path);
          return serveOne(gluster, node, wanted);
        });
        await pause();
        return looks;
      }),
  };
}

function serveOne({ state }: FakeCluster, node: string, { path, volume }: ServedExport): ExportLook {
  const { mounts } = state.node(node);
  const found = state.volumes.get(volume);
  const away = {
    path,
    connectedCopies: 0,
    copies: found?.bricks.length ?? 0,
    message: `nothing of ${volume} is reached`,
  };
  if (found?.isStarted !== true) return away;
  const reachable = reachableBricks(state, found, node);
  const had = mounts.get(path);
  const mount = had?.isServed === true && had.source === volume ? had : newMount(volume, reachable);
  mounts.set(path, mount);
  const connectedCopies = [...mount.connected].filter((brick) => reachable.has(brick)).length;
  mount.connected = reachable;
  return connectedCopies === 0 ? away : { path, connectedCopies, copies: found.bricks.length };
}
