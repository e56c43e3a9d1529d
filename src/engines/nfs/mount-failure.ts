/** What mount.nfs(8) says when it fails, in words that say what to do. */
import { AppError, type ErrorKind, isAppError, messageOf } from '../../domain/errors.ts';
import { isRunError } from '../../ports/run-error.ts';

interface Known {
  readonly said: RegExp;
  readonly kind: ErrorKind;
  readonly reason: string;
  readonly why: string;
  readonly hint: string;
}

/** The texts are those of nfs-utils (utils/mount/error.c). */
const KNOWN: readonly Known[] = [
  {
    ...{ said: /access denied by server/i, kind: 'denied', reason: 'ShareDenied', why: 'the server refuses this node' },
    hint: 'export it to the addresses of all nodes; see "exportfs -v" on the server',
  },
  {
    ...{ said: /No such file or directory/i, kind: 'precondition', reason: 'NoSuchShare' },
    why: 'the server has no such folder',
    hint: 'see "showmount -e" or "exportfs -v" for what it exports; over NFSv4 the path begins at its root export',
  },
  {
    ...{ said: /Failed to resolve server|Name or service not known/i, kind: 'precondition', reason: 'UnknownServer' },
    why: 'the name of the server does not resolve',
    hint: 'correct the name, or use its address',
  },
  {
    ...{ said: /Resource temporarily unavailable/, kind: 'unavailable', reason: 'UnknownServer' },
    why: 'nobody answers what address the server has',
    hint: 'see whether the name servers of the node can be reached, or use its address',
  },
  {
    ...{ said: /requested NFS version or transport protocol is not supported|Protocol not supported/i },
    ...{ kind: 'precondition', reason: 'VersionNotServed', why: 'the server does not serve the version asked for' },
    hint: 'see whether its NFS service runs; if it does, choose another version with the mount option nfsvers',
  },
  {
    ...{ said: /rpc\.statd is not running/i, kind: 'precondition', reason: 'NoLockDaemon' },
    why: 'locks over NFSv3 need rpc.statd on the node',
    hint: 'start rpc-statd, use nfsvers=4.1, or the mount option nolock where one node alone uses the volume',
  },
  {
    ...{ said: /unknown filesystem type|No such device|need a helper program|bad option/i },
    ...{ kind: 'precondition', reason: 'NoNfsClient', why: 'the node cannot mount NFS' },
    hint: 'install nfs-common, and a kernel with the module nfs',
  },
  {
    ...{
      said: /Connection refused|No route to host|Connection timed out|Network is unreachable|timed out|mount system call failed/i,
    },
    ...{ kind: 'unavailable', reason: 'ServerSilent', why: 'the server does not answer' },
    hint: 'see whether it runs, and whether a firewall is between (port 2049, for NFSv3 also 111 and mountd)',
  },
];

/** The error for a mount of a share that failed. */
export function describeMountFailure(hostName: string, source: string, error: unknown): AppError {
  const text = isRunError(error) ? `${error.stderr}\n${error.message}` : messageOf(error);
  const known = KNOWN.find(({ said }) => said.test(text));
  const what = `${source} cannot be mounted on ${hostName}`;
  if (known !== undefined) {
    const { kind, reason, hint, why } = known;
    return new AppError(kind, `${what}: ${why}`, { reason, hint, cause: error });
  }
  if (isRunError(error, 'timeout')) {
    return new AppError('unavailable', `${what}: the server does not answer`, { reason: 'ServerSilent', cause: error });
  }
  if (isAppError(error) && !isRunError(error)) return error;
  return new AppError('unavailable', `${what}: ${messageOf(error)}`, { reason: 'MountFailed', cause: error });
}
