/** A machine below the CSI node service whose shares are really mounted: what an agent does of a volume, by the real engine. */
import { createLocalHost } from '../../../src/adapters/host/local-host.ts';
import { createShareFolders } from '../../../src/adapters/host/share-folders.ts';
import { sha256 } from '../../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../../src/adapters/system/clock.ts';
import { desiredShare } from '../../../src/controllers/agent/desired-share.ts';
import { ownEngineName } from '../../../src/domain/volume/engine-name.ts';
import { createNfsEngine } from '../../../src/engines/nfs/index.ts';
import type { DesiredAttachment, DesiredVolume } from '../../../src/ports/engine.ts';
import type { Resource } from '../../../src/ports/resource-client.ts';
import type { CsiHost } from '../../contract/csi-host.ts';
import type { Mounter } from '../../contract/csi-world.ts';

export interface ShareHost {
  readonly host: CsiHost;
  readonly mounter: Mounter;
}

const signal = new AbortController().signal;

/** Creates the machine; it is this one. */
export function createShareHost(name: string): ShareHost {
  const machine = createLocalHost({ clock: createSystemClock() }, { name });
  const folders = createShareFolders({ hostName: name, run: (command) => machine.run(command) });
  const engine = createNfsEngine({ host: machine, folders, hash: sha256 });
  const settle = async (desired: DesiredVolume | DesiredAttachment): Promise<void> => {
    for (const step of engine.plan(desired, await engine.observe(desired, signal))) await engine.apply(step, signal);
  };
  const wanted = (stored: Resource<'Volume'>, isPresent: boolean): DesiredVolume => ({
    ...{ subject: 'volume', isPresent, layout: 'single', bricks: [], options: {} },
    ...{ name: ownEngineName(stored.metadata.name), ...desiredShare(stored) },
  });
  const mounts = new Map<string, DesiredAttachment>();
  const absent = (): never => {
    throw new Error('of shares the mounter mounts all there is');
  };
  const host: CsiHost = {
    ...machine,
    ...{ mountVolume: absent, addMount: absent, unmountVolume: absent, bindDirectory: absent },
    ...{ bindDevice: absent, kill: absent, onMount: absent, swap: absent },
    ...{ entries: new Map(), mountTable: () => [] },
  };
  const mounter: Mounter = {
    mount: async (stored, mountPath) => {
      await settle(wanted(stored, true));
      const base = { subject: 'attachment', isPresent: true, isReadOnly: false, servers: [] } as const;
      const volume = ownEngineName(stored.metadata.name);
      const attachment: DesiredAttachment = { ...base, volume, mountPath, ...desiredShare(stored) };
      mounts.set(mountPath, attachment);
      await settle(attachment);
    },
    unmount: async (path) => {
      const attachment = mounts.get(path);
      if (attachment !== undefined) await settle({ ...attachment, isPresent: false });
    },
    letGo: (volume) => settle(wanted(volume, false)),
  };
  return { host, mounter };
}
