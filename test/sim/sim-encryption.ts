/** The encryption of one node as one agent process has it: restarts take time, and end with the process that asked. */
import type { FakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import type { FakeEncryption } from '../../src/ports/encryption.fake.ts';
import type { EngineEncryption } from '../../src/ports/encryption.ts';
import { never } from './mortality.ts';
import type { Pace } from './sim-engine.ts';
import type { SimProcess, World } from './world.ts';

export interface SimEncryptionOptions {
  readonly world: World;
  readonly process: SimProcess;
  readonly pace: Pace;
  readonly gluster: FakeCluster;
  /** A node that was left behind changes alone; the others may be served meanwhile. */
  readonly isInWindow: () => boolean;
}

function dieInIt(inner: FakeEncryption): Promise<void> {
  inner.isRestarting = false;
  return never<void>();
}

/** Creates it over what the node's daemon is, which outlives the process. */
export function createSimEncryption(inner: FakeEncryption, options: SimEncryptionOptions): EngineEncryption {
  const { world, process, pace, gluster, isInWindow } = options;
  const pause = () => world.clock.sleep(Math.round((pace.stepMs / 2) * world.random.next()));
  return {
    mode: (signal) => process.survive(() => inner.mode(signal)),
    isRestartUnderWay: () => process.survive(() => inner.isRestartUnderWay()),
    certificate: () => process.survive(() => inner.certificate()),
    request: (node) => process.survive(() => inner.request(node)),
    install: (certificate) => process.survive(() => inner.install(certificate)),
    look: (endpoint, signal) => process.survive(() => inner.look(endpoint, signal)),
    restart: (mode, signal) =>
      process.survive(async () => {
        inner.isRestarting = true;
        await pause();
        if (!process.isAlive()) return dieInIt(inner);
        const served = [...gluster.state.volumes.values()].filter((volume) => volume.isStarted);
        if (isInWindow() && served.length > 0) {
          throw new Error(`the daemon was restarted while ${served.map(({ name }) => name).join(', ')} was served`);
        }
        await inner.restart(mode, signal);
        await pause();
        inner.isRestarting = false;
      }),
  };
}
