/** Gets this node its certificate, and lets its daemons speak what the cluster speaks. */
import { areCertificatesWanted, isLeftBehind, wantedMode } from '../../domain/cluster/decide-tls.ts';
import { isAppError, messageOf } from '../../domain/errors.ts';
import type { HeldCertificate } from '../../ports/encryption.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { NodeTlsStatus, TlsMode } from '../../schemas/storage-node.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';

/** Somebody may have restarted the daemon by hand, or changed its files. */
const SETTLED_PERIOD_MS = 30_000;
const SETTLING_PERIOD_MS = 500;

type StoredCluster = Resource<'StorageCluster'>;

/** The loop for StorageNode.status.tls of this node. `onRestarted`: the daemon is another one now. */
export function createEncryptionLoop(deps: AgentDeps, onRestarted: () => void): ReconcileLoop {
  const { informers, node: self } = deps;

  const reconcile = async (_name: string, signal: AbortSignal) => {
    const node = informers.StorageNode.get(self);
    const cluster = informers.StorageCluster.list().find(({ spec }) => spec.nodes.includes(self));
    if (node === undefined || cluster?.status?.tls === undefined) return undefined;
    try {
      const { status, isSettled } = await bringAbout(deps, { node, cluster, signal }, onRestarted);
      await report(deps, node, status, signal);
      return { requeueAfterMs: isSettled ? SETTLED_PERIOD_MS : SETTLING_PERIOD_MS };
    } catch (error) {
      signal.throwIfAborted();
      const mode = await deps.encryption.mode(signal);
      await report(deps, node, { ...node.status?.tls, mode, message: messageOf(error) }, signal);
      throw error;
    }
  };

  return createReconcileLoop(deps, {
    name: 'agent-encryption',
    watches: [
      watchKeys(informers.StorageNode, (node) => (node.metadata.name === self ? [self] : [])),
      watchKeys(informers.StorageCluster, () => [self]),
      // What is mounted here holds up the restart.
      watchKeys(informers.VolumeAttachmentRecord, (record) => (record.spec.node === self ? [self] : [])),
    ],
    reconcile,
    backoff: AGENT_BACKOFF,
  });
}

interface Look {
  readonly node: Resource<'StorageNode'>;
  readonly cluster: StoredCluster;
  readonly signal: AbortSignal;
}

async function bringAbout(deps: AgentDeps, look: Look, onRestarted: () => void) {
  const certificate = await holdCertificate(deps, look);
  return deps.restarts.take(look.signal, () => speakAsWanted(deps, look, certificate, onRestarted));
}

async function speakAsWanted(
  deps: AgentDeps,
  look: Look,
  { held, request }: Certificate,
  onRestarted: () => void,
): Promise<{ readonly status: NodeTlsStatus; readonly isSettled: boolean }> {
  const { encryption } = deps;
  const { cluster, signal } = look;
  let mode = await encryption.mode(signal);
  const wanted = wantedMode(cluster.status?.tls);
  // One that was begun is brought to its end: its mounts were away then, and without the daemon none comes back.
  const isUnderWay = await encryption.isRestartUnderWay();
  const message = isUnderWay ? undefined : obstacle(deps, look, { mode, held });
  if (
    message === undefined &&
    wanted !== undefined &&
    wanted !== 'unknown' &&
    (await isToRestart(deps, look, { mode, isUnderWay }))
  ) {
    deps.log.info('restarting the engine', { mode: wanted });
    await encryption.restart(wanted, signal);
    onRestarted();
    mode = await encryption.mode(signal);
  }
  const status = describe({ mode, held, request, message });
  const isSettled = request === undefined && message === undefined && mode === (wanted ?? mode);
  return { status, isSettled };
}

function describe(seen: {
  readonly mode: TlsMode;
  readonly held: HeldCertificate | undefined;
  readonly request: string | undefined;
  readonly message: string | undefined;
}): NodeTlsStatus {
  const { mode, held, request, message } = seen;
  return {
    mode,
    ...(held === undefined ? {} : { notAfter: new Date(held.notAfter).toISOString() }),
    ...(request === undefined ? {} : { request }),
    ...(message === undefined ? {} : { message }),
  };
}

interface Certificate {
  readonly held?: HeldCertificate | undefined;
  readonly request?: string;
}

/** The certificate in use, and a request while there is none, or one that is to be replaced. */
async function holdCertificate(
  { encryption, clock, node: self }: AgentDeps,
  { node, cluster }: Look,
): Promise<Certificate> {
  if (!areCertificatesWanted(cluster.status?.tls)) return {};
  const held = await encryption.certificate();
  if (held !== undefined && !isDue(held, clock.now())) return { held };
  const { tls, certificate: answer } = node.status ?? {};
  const asked = tls?.request;
  if (asked === undefined) return { held, request: await encryption.request(self) };
  if (answer?.requestPem !== asked) return { held, request: asked };
  try {
    await encryption.install(answer);
  } catch (error) {
    // Asked for before the machine was installed anew, with a key that is gone.
    if (!isAppError(error, 'invalid')) throw error;
    return { held, request: await encryption.request(self) };
  }
  return { held: await encryption.certificate() };
}

/** Two thirds of its time are over: weeks are left to find out why it is not renewed. */
function isDue({ notBefore, notAfter }: HeldCertificate, now: number): boolean {
  return now > notBefore + ((notAfter - notBefore) * 2) / 3;
}

/** Why the daemon cannot be restarted yet, though it is to be. */
function obstacle(
  { informers, node: self }: AgentDeps,
  { cluster }: Look,
  { mode, held }: { readonly mode: TlsMode; readonly held: HeldCertificate | undefined },
): string | undefined {
  const wanted = wantedMode(cluster.status?.tls);
  if (wanted === undefined || mode === wanted) return undefined;
  if (wanted === 'encrypted' && held === undefined) return 'waits for its certificate';
  const mounts = informers.VolumeAttachmentRecord.list().filter(
    ({ spec, status }) => spec.node === self && status?.state !== 'HeldBack',
  );
  if (mounts.length === 0) return undefined;
  return `waits for mounts to end: ${mounts.map(({ spec }) => spec.mountPath).join(', ')}`;
}

/**
 * Only a daemon that was seen to speak the other way, or one that a restart cut short has left stopped; a silent one may
 * be busy. Asked of the API, not of the cache: an agent that was cut off must not take its node out of step again.
 */
async function isToRestart(
  { client }: AgentDeps,
  { cluster, node, signal }: Look,
  { mode, isUnderWay }: { readonly mode: TlsMode; readonly isUnderWay: boolean },
): Promise<boolean> {
  const seen = { ...node, status: { ...node.status, tls: { mode } } };
  if (!isLeftBehind(cluster.status?.tls, seen) && !(mode === 'unknown' && isUnderWay)) return false;
  const now = await client.get('StorageCluster', cluster.metadata.name, { signal });
  return now?.metadata.uid === cluster.metadata.uid && wantedMode(now.status?.tls) === wantedMode(cluster.status?.tls);
}

async function report(
  { statusWriter }: AgentDeps,
  node: Resource<'StorageNode'>,
  tls: NodeTlsStatus,
  signal: AbortSignal,
): Promise<void> {
  await statusWriter.write('StorageNode', node, { tls }, { signal, isCompareAndSwap: false });
}
