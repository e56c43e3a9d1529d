/**
 * How a cluster is taken from plain to encrypted storage traffic and back. Pure.
 *
 * GlusterFS daemons of the two kinds do not understand each other, and a brick or a mount keeps what it was started with:
 * so every mount is taken away, every volume stopped and every daemon restarted before the first volume is served again.
 *
 * Invariants (`decide-tls.test.ts`):
 * - nothing is interrupted before every node that is there has its certificate;
 * - no volume is stopped while it is mounted on a node that is there, so that nothing written is still in a mount;
 * - no daemon is restarted while a volume that can be asked is served;
 * - no volume is served again before every daemon that is there speaks what was asked for.
 * A node that is away holds nothing up: it is excluded by what it speaks until it has caught up.
 */
import type { StorageCluster, TlsPhase, TlsStatus } from '../../schemas/storage-cluster.ts';
import type { StorageNode, TlsMode } from '../../schemas/storage-node.ts';

/** Silence after which a node holds nothing up. Longer than an agent is away to be exchanged: its mounts are in use meanwhile. */
export const AWAY_MS = 30_000;

export interface TlsNode {
  readonly name: string;
  /** It was heard within AWAY_MS and the engine is installed on it; whether the daemon runs just now does not matter. */
  readonly isThere: boolean;
  readonly hasCertificate: boolean;
  readonly mode: TlsMode;
}

export interface TlsLook {
  readonly isWanted: boolean;
  readonly current: TlsStatus | undefined;
  readonly nodes: readonly TlsNode[];
  /** Mounts on nodes that are there, as "gv0 on kube1". */
  readonly mounted: readonly string[];
  /** Volumes that are served and whose anchor is there. */
  readonly served: readonly string[];
  /** The controller can sign certificates. */
  readonly hasAuthority: boolean;
}

/** The next state; undefined where encryption was never asked for. */
export function decideTls(look: TlsLook): TlsStatus | undefined {
  const { isWanted, current } = look;
  if (current === undefined && !isWanted) return undefined;
  const { phase, isEncrypted } = current ?? settled(false);
  return PHASES[phase](look, isEncrypted);
}

/** What follows each phase; `isEncrypted` is what the daemons speak so far. */
const PHASES: Readonly<Record<TlsPhase, (look: TlsLook, isEncrypted: boolean) => TlsStatus>> = {
  Off: (look) => (look.isWanted ? prepare(look) : settled(false)),
  Preparing: (look) => (look.isWanted ? prepare(look) : settled(false)),
  // Taken back before anything was stopped: the mounts return.
  Unmounting: (look, isEncrypted) =>
    look.isWanted === isEncrypted ? settled(isEncrypted) : unmount(look, isEncrypted),
  Stopping: stop,
  Restarting: restart,
  On: (look) => (look.isWanted ? settled(true) : unmount(look, true)),
};

function settled(isEncrypted: boolean): TlsStatus {
  return { phase: isEncrypted ? 'On' : 'Off', isEncrypted };
}

function prepare({ nodes, hasAuthority }: TlsLook): TlsStatus {
  const phase = 'Preparing' as const;
  const there = nodes.filter((node) => node.isThere);
  if (!hasAuthority) {
    const message = 'this controller has no authority to sign certificates with; it needs a data folder of its own';
    return { phase, isEncrypted: false, message };
  }
  if (there.length === 0) return { phase, isEncrypted: false, message: 'waits for a node that is there' };
  const missing = there.filter((node) => !node.hasCertificate).map((node) => node.name);
  if (missing.length > 0) {
    return { phase, isEncrypted: false, message: `waits for the certificates of ${missing.join(', ')}` };
  }
  return { phase: 'Unmounting', isEncrypted: false, message: 'volumes are being unmounted' };
}

function unmount({ mounted }: TlsLook, isEncrypted: boolean): TlsStatus {
  if (mounted.length > 0) {
    return { phase: 'Unmounting', isEncrypted, message: `waits for mounts to end: ${mounted.join(', ')}` };
  }
  return { phase: 'Stopping', isEncrypted, message: 'volumes are being stopped' };
}

function stop({ mounted, served, isWanted }: TlsLook, isEncrypted: boolean): TlsStatus {
  const phase = 'Stopping' as const;
  // Mounted in the last moment by an agent that had not heard yet.
  if (mounted.length > 0) return { phase, isEncrypted, message: `waits for mounts to end: ${mounted.join(', ')}` };
  if (served.length > 0) return { phase, isEncrypted, message: `waits for volumes to stop: ${served.join(', ')}` };
  // Taken back: only now, for a stop that is under way would reach a volume that is mounted again.
  if (isWanted === isEncrypted) return settled(isEncrypted);
  return { phase: 'Restarting', isEncrypted: isWanted, message: 'the daemons are being restarted' };
}

function restart({ nodes, isWanted }: TlsLook): TlsStatus {
  const mode: TlsMode = isWanted ? 'encrypted' : 'plain';
  const there = nodes.filter((node) => node.isThere);
  const waiting = there.filter((node) => node.mode !== mode).map((node) => node.name);
  if (there.length > 0 && waiting.length === 0) return settled(isWanted);
  const who = there.length === 0 ? 'a node that is there' : waiting.join(', ');
  return { phase: 'Restarting', isEncrypted: isWanted, message: `waits for the daemons of ${who} (${mode})` };
}

const WINDOW: ReadonlySet<TlsPhase> = new Set(['Unmounting', 'Stopping', 'Restarting']);

/** Volumes are to be stopped, and stay so. */
export function areVolumesStopped(tls: TlsStatus | undefined): boolean {
  return tls?.phase === 'Stopping' || tls?.phase === 'Restarting';
}

/** What the daemon of each node is to speak now; undefined while it stays as it is. */
export function wantedMode(tls: TlsStatus | undefined): TlsMode | undefined {
  if (tls === undefined || (tls.phase !== 'Restarting' && tls.phase !== 'On' && tls.phase !== 'Off')) return undefined;
  return tls.isEncrypted ? 'encrypted' : 'plain';
}

/** The node was seen to speak what the others do not: it missed the change, or joined later. */
export function isLeftBehind(tls: TlsStatus | undefined, node: StorageNode | undefined): boolean {
  const [wanted, mode] = [wantedMode(tls), node?.status?.tls?.mode];
  return wanted !== undefined && mode !== undefined && mode !== 'unknown' && mode !== wanted;
}

/** Volumes are not to be mounted on the node now, and what is mounted is to be unmounted. */
export function areMountsHeldBack(cluster: StorageCluster | undefined, node: StorageNode | undefined): boolean {
  const tls = cluster?.status?.tls;
  return tls !== undefined && (WINDOW.has(tls.phase) || isLeftBehind(tls, node));
}

/** Nodes need certificates from the moment on that encryption is prepared. */
export function areCertificatesWanted(tls: TlsStatus | undefined): boolean {
  return (
    tls !== undefined && tls.phase !== 'Off' && (tls.isEncrypted || tls.phase === 'Preparing' || WINDOW.has(tls.phase))
  );
}
