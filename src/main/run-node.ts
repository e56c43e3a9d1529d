/** Composition root of the role `node`: one machine's agent. */
import { join } from 'node:path';
import { createLocalHost } from '../adapters/host/local-host.ts';
import { createShareFolders } from '../adapters/host/share-folders.ts';
import { createKubeClient } from '../adapters/kube/client.ts';
import { loadKubeconfig } from '../adapters/kube/kubeconfig.ts';
import { createSecretKeys } from '../adapters/kube/volume-keys.ts';
import { sha256 } from '../adapters/ledger/sha256.ts';
import { measureEngines } from '../adapters/metrics/measure-engines.ts';
import { createSystemClock } from '../adapters/system/clock.ts';
import { lockFile } from '../adapters/system/file-lock.ts';
import { createLogger, type LoggerOptions } from '../adapters/system/logger.ts';
import { createNodeSenses } from '../adapters/system/node-senses.ts';
import { createSystemRandom } from '../adapters/system/random.ts';
import { lookAtPort } from '../adapters/tls/look-at-port.ts';
import { createNodeKeys } from '../adapters/tls/node-keys.ts';
import { runAgent } from '../controllers/agent/run-agent.ts';
import { AppError } from '../domain/errors.ts';
import { sample } from '../domain/metrics/definitions.ts';
import type { SocketAddress } from '../domain/socket-address.ts';
import { createGaneshaServer } from '../engines/ganesha/index.ts';
import {
  createBrickEndpoints,
  createGlusterDoctor,
  createGlusterEncryption,
  createGlusterEngine,
  createGlusterFencing,
  createGlusterSnapshots,
  createGlusterWork,
} from '../engines/gluster/index.ts';
import { createLocalEngine, createLocalSnapshots } from '../engines/local/index.ts';
import { createNfsEngine } from '../engines/nfs/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { EngineTable } from '../ports/engine.ts';
import type { Logger } from '../ports/logger.ts';
import type { SampleSource } from '../ports/metrics.ts';
import type { NodeSenses } from '../ports/node-doctor.ts';
import type { StorageNodeSpec } from '../schemas/storage-node.ts';
import type { serveCsiNode } from '../shells/csi/serve-csi.ts';
import { runTogether } from './run-together.ts';
import { type Measuring, startMetrics } from './start-metrics.ts';
import { VERSION } from './version.ts';

export interface NodeOptions {
  readonly name: string;
  /** Path of a kubeconfig whose user is this node. */
  readonly kubeconfig: string;
  /** What the node registers with when no plan has described it yet. */
  readonly initialSpec: StorageNodeSpec;
  /** Silence of the API server that is taken for a dead connection. */
  readonly watchIdleMs: number;
  readonly log: LoggerOptions;
  /** Where it says how it is; nowhere when left out. */
  readonly healthListen?: SocketAddress;
  /** Where it tells its metrics; nowhere when left out, and then there are none. */
  readonly metricsListen?: SocketAddress;
  /** The CSI node service; none when left out. */
  readonly csi?: { readonly socketPath: string; readonly targetRoot: string; readonly isRegistered: boolean };
}

const LOCK_FOLDER = '/run/holdfast';
/** An agent that is being stopped lets go within this time. */
const LOCK_WAIT_MS = 5_000;

/**
 * Runs the agent until the signal aborts.
 *
 * @throws {AppError} precondition, when the machine has another agent
 */
export async function runNode(options: NodeOptions, signal: AbortSignal): Promise<void> {
  const clock = createSystemClock();
  const log = createLogger({ clock }, options.log).child({ node: options.name });
  const release = await lockMachine(clock);
  try {
    await runLocked({ ...options, clock, log }, signal);
  } finally {
    release();
  }
}

/**
 * Steps are safe to repeat, not to be done twice at once: of two agents one could still format the image of a copy that
 * the other has mounted already.
 */
async function lockMachine(clock: Clock): Promise<() => void> {
  await createLocalHost({ clock }).files.makeDirectory(LOCK_FOLDER, { mode: 0o700 });
  const path = join(LOCK_FOLDER, 'agent.lock');
  const release = await lockFile(clock, path, { waitMs: LOCK_WAIT_MS });
  if (release !== undefined) return release;
  throw new AppError('precondition', 'another agent of Holdfast runs on this machine', {
    reason: 'AgentRuns',
    hint: `see which one with: fuser -v ${path}; stop it first`,
  });
}

interface LockedOptions extends Omit<NodeOptions, 'log'> {
  readonly clock: Clock;
  readonly log: Logger;
}

async function runLocked({ clock, log, ...options }: LockedOptions, signal: AbortSignal): Promise<void> {
  const random = createSystemRandom();
  const { measuring, services: told } = await startMetrics(options.metricsListen, { log, role: 'agent' });
  const endpoint = await loadKubeconfig(options.kubeconfig);
  const client = createKubeClient(endpoint, { userAgent: `holdfast-node/${VERSION}` });
  const host = createLocalHost({ clock, ...measuring }, { name: options.name });
  const keys = createSecretKeys({ client });
  const folders = createShareFolders({ hostName: host.name, run: (command) => host.run(command) });
  const engines = measured(measuring, {
    gluster: createGlusterEngine({ host, keys, clock, random, log }),
    local: createLocalEngine({ host, keys }),
    nfs: createNfsEngine({ host, folders, hash: sha256 }),
  });
  const work = createGlusterWork({ host, clock, random });
  const fencing = createGlusterFencing({ host, clock, random });
  const snapshots = {
    gluster: createGlusterSnapshots({ host, clock, random }),
    local: createLocalSnapshots({ host }),
  };
  const doctor = createGlusterDoctor({ host, clock, random });
  const encryption = createGlusterEncryption({ host, clock, keys: createNodeKeys(), lookAtPort });
  const nfs = createGaneshaServer({ host, clock, bricksOf: createBrickEndpoints({ host, clock, random }) });
  const senses = createNodeSenses(options.kubeconfig);
  measuring.metrics?.addSource(certificateSource(senses));
  const identity = { name: options.name, initialSpec: options.initialSpec, agentVersion: VERSION };
  try {
    const { watchIdleMs } = options;
    const agent = {
      client,
      clock,
      random,
      log,
      identity,
      host,
      engines,
      work,
      fencing,
      snapshots,
      encryption,
      doctor,
      nfs,
      senses,
      ...measuring,
    };
    const { csi, healthListen } = options;
    const shared = { client, clock, log, host, engines, node: options.name, ...measuring };
    const services = [...csiOf(csi, shared), ...healthOf(healthListen, shared), ...told];
    await runTogether([(ending) => runAgent({ ...agent, watchIdleMs }, ending), ...services], signal);
  } finally {
    client.close();
  }
}

/** Metrics tell what the engines do, where somebody asks for them. */
function measured({ metrics }: Measuring, engines: EngineTable): EngineTable {
  return metrics === undefined ? engines : measureEngines(engines, metrics);
}

/** Read anew each time, since certificates are renewed in place. */
function certificateSource(senses: NodeSenses): SampleSource {
  return async () =>
    (await senses.certificates()).map(({ name, notAfter }) =>
      sample('holdfast_certificate_expiry_timestamp_seconds', { certificate: name }, notAfter / 1000),
    );
}

function csiOf(
  csi: NodeOptions['csi'],
  deps: Omit<ServeNodeOptions, 'socketPath' | 'targetRoot'>,
): readonly ((signal: AbortSignal) => Promise<void>)[] {
  if (csi === undefined) return [];
  const { isRegistered, ...places } = csi;
  const serve = (ending: AbortSignal) => serveNode({ ...places, ...deps }, ending);
  const register = async (ending: AbortSignal): Promise<void> => {
    const { serveRegistration } = await import('../shells/csi/registration.ts');
    const { clock, log } = deps;
    await serveRegistration({ kubeletRoot: csi.targetRoot, endpoint: csi.socketPath, clock, log }, ending);
  };
  return isRegistered ? [serve, register] : [serve];
}

type ServeNodeOptions = Omit<Parameters<typeof serveCsiNode>[0], 'version' | 'probe'> & {
  readonly engines: EngineTable;
};

/** Loaded only where it is wanted: an agent without it stays small. */
async function serveNode({ engines, ...options }: ServeNodeOptions, signal: AbortSignal): Promise<void> {
  const { serveCsiNode: serve } = await import('../shells/csi/serve-csi.ts');
  await serve({ ...options, version: VERSION, probe: anyEngineRuns(engines, options.node) }, signal);
}

/** A volume names its engine: one that is away keeps nobody from the volumes of the others. */
function anyEngineRuns(engines: EngineTable, node: string): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    const seen = await Promise.all(Object.values(engines).map((engine) => engine.probe(signal)));
    if (seen.some(({ isRunning }) => isRunning)) return;
    throw new AppError('precondition', `no engine runs on node ${node}`, {
      reason: 'EngineAway',
      hint: seen.find(({ message }) => message !== undefined)?.message ?? 'see: holdfast doctor',
    });
  };
}

type HealthDeps = Pick<ServeNodeOptions, 'client' | 'clock' | 'log' | 'engines' | 'node'>;

function healthOf(
  listen: SocketAddress | undefined,
  { client, clock, log, engines, node }: HealthDeps,
): readonly ((signal: AbortSignal) => Promise<void>)[] {
  if (listen === undefined) return [];
  const api = async (signal: AbortSignal): Promise<void> => {
    await client.get('StorageNode', node, { signal });
  };
  const serve = async (signal: AbortSignal): Promise<void> => {
    const { serveHealth } = await import('../shells/health/serve-health.ts');
    await serveHealth({ listen, clock, log, checks: { api, engine: anyEngineRuns(engines, node) } }, signal);
  };
  return [serve];
}
