/** A machine in memory that mounts shares of a file server in memory, and binds what it has mounted elsewhere. */
import type { FakeFileServer } from '../../src/engines/nfs/file-server.fake.ts';
import { PRIVATE_MOUNTS } from '../../src/engines/nfs/private-mount.ts';
import type { Host } from '../../src/ports/host.ts';
import type { ShareFolders } from '../../src/ports/share-folders.ts';
import { createCsiHost } from './csi-host.ts';

export interface ShareMachine {
  readonly host: Host;
  readonly folders: ShareFolders;
  /** What is mounted at a path, as mount(8) was told: "files:/export/db". */
  sourceAt(path: string): string | undefined;
  /** Files and folders by their paths. */
  readonly paths: () => readonly string[];
}

/** Creates the machine. */
export function createShareMachine(server: FakeFileServer, name: string, folders: readonly string[]): ShareMachine {
  const client = server.machine(name);
  const own = createCsiHost(name, folders);
  const host: Host = {
    ...own,
    run: (command) => {
      const isOfShares = command.args.includes('--format=%i') || command.args.includes('--format=%b');
      return (isOfShares || command.file !== 'stat' ? client.host : own).run(command);
    },
    files: {
      ...own.files,
      readText: async (path) => (path.endsWith('/boot_id') ? `boot-${name}\n` : client.host.files.readText(path)),
    },
    mounts: {
      list: own.mounts.list,
      mount: async (request) => {
        if (request.fsType !== 'nfs') {
          if (request.source.startsWith(PRIVATE_MOUNTS)) await client.host.mounts.mount(request);
          return own.mounts.mount(request);
        }
        await client.host.mounts.mount(request);
        const { source, target, options = [] } = request;
        own.addMount({ source, target, options, fsType: 'nfs4' });
      },
      unmount: async (target, options) => {
        await client.host.mounts.unmount(target, options);
        await own.mounts.unmount(target, options);
      },
    },
  };
  return {
    host,
    folders: client.folders,
    sourceAt: (path) => own.mountTable().findLast(({ target }) => target === path)?.source,
    paths: () => [...own.entries.keys()],
  };
}
