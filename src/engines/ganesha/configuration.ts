/**
 * NFS-Ganesha's configuration, written anew for each change. Pure. Nothing in it is text of a person: names are checked
 * here once more, since a quote or a bracket in one would be another configuration.
 */
import { AppError } from '../../domain/errors.ts';
import { ENGINE_VOLUME_NAME } from '../../domain/names.ts';
import { clientFault } from '../../domain/nfs-export/clients.ts';
import { MAX_EXPORT_ID } from '../../domain/nfs-export/export-id.ts';
import { NFS_PORT } from '../../domain/nfs-export/names.ts';
import type { ServedExport } from '../../domain/nfs-export/served-export.ts';

export interface ServerPaths {
  readonly configuration: string;
  /** Who had what open, for the time after a restart. */
  readonly recovery: string;
  readonly pidFile: string;
  readonly log: string;
  /** Of its connections to the engine. */
  readonly engineLog: string;
  /** What it prints. */
  readonly output: string;
}

/** Where everything of the server of a node is. */
export const SERVER_PATHS: ServerPaths = {
  configuration: '/var/lib/holdfast/nfs-server/ganesha.conf',
  recovery: '/var/lib/holdfast/nfs-server/recovery',
  pidFile: '/run/holdfast/nfs-server.pid',
  log: '/var/log/holdfast/nfs-server.log',
  engineLog: '/var/log/holdfast/nfs-server-gfapi.log',
  output: '/var/log/holdfast/nfs-server.out',
};

/** Seconds for which a client that is not heard of keeps what it has open, and for which only old claims are taken up. */
const LEASE_SECONDS = 20;
const PATH = /^\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * What holds for all exports; the server must be started anew for another one. NFSv4 alone: it has one port and needs no
 * rpcbind, statd or mountd, which NFSv3 in NFS-Ganesha does not start without. Attributes are kept for no time, since
 * others write the same files through mounts.
 */
export function serverPart({ recovery }: ServerPaths): string {
  return `NFS_CORE_PARAM {
  Protocols = 4;
  NFS_Port = ${NFS_PORT};
  Enable_UDP = false;
  Enable_NLM = false;
  Enable_RQUOTA = false;
}
NFS_KRB5 {
  Active_krb5 = false;
}
NFSv4 {
  Grace_Period = ${LEASE_SECONDS};
  Lease_Lifetime = ${LEASE_SECONDS};
  RecoveryBackend = fs;
  RecoveryRoot = "${recovery}";
  Delegations = false;
  Only_Numeric_Owners = true;
}
LOG {
  Default_Log_Level = WARN;
  Components {
    INIT = EVENT;
    CONFIG = EVENT;
  }
}
`;
}

/** The whole configuration. @throws {AppError} internal, for an export whose names could end up as something else */
export function renderConfiguration(exports: readonly ServedExport[], paths: ServerPaths): string {
  return serverPart(paths) + exports.map((each) => renderExport(each, paths)).join('');
}

/**
 * With SecType sys a client says itself who its user is. A port below 1024 is what only its root can take, so no other
 * program there can say that it is root.
 */
function renderExport(wanted: ServedExport, { engineLog }: ServerPaths): string {
  assertSafe(wanted);
  const { id, path, volume, clients, isReadOnly, squash } = wanted;
  return `EXPORT {
  Export_Id = ${id};
  Filesystem_Id = ${id}.${id};
  Path = "${path}";
  Pseudo = "${path}";
  Access_Type = None;
  Protocols = 4;
  Transports = TCP;
  SecType = sys;
  Attr_Expiration_Time = 0;
  CLIENT {
    Clients = ${clients.join(', ')};
    Access_Type = ${isReadOnly ? 'RO' : 'RW'};
    Squash = ${squash === 'root' ? 'Root_Squash' : 'No_Root_Squash'};
    Protocols = 4;
    Transports = TCP;
    SecType = sys;
    PrivilegedPort = true;
  }
  FSAL {
    Name = GLUSTER;
    Hostname = "localhost";
    Volume = "${volume}";
    Volpath = "/";
    glfs_log = "${engineLog}";
  }
}
`;
}

function assertSafe({ id, path, volume, clients }: ServedExport): void {
  const isSafe =
    Number.isInteger(id) &&
    id >= 1 &&
    id <= MAX_EXPORT_ID &&
    PATH.test(path) &&
    ENGINE_VOLUME_NAME.test(volume) &&
    clients.length > 0 &&
    clients.every((client) => clientFault(client) === undefined);
  if (isSafe) return;
  throw new AppError(
    'internal',
    `the export ${JSON.stringify(path)} of volume ${JSON.stringify(volume)} cannot be configured`,
  );
}
