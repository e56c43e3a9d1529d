/** NFS-Ganesha of one node, as the NfsServer that the agent tells what to serve. One per node and process. */
import { AppError, messageOf } from '../../domain/errors.ts';
import type { EngineVolumeName } from '../../domain/names.ts';
import type { ServedExport } from '../../domain/nfs-export/served-export.ts';
import type { Clock, Millis } from '../../ports/clock.ts';
import type { MachineHost, ProcessId } from '../../ports/host.ts';
import type { ExportLook, NfsServer } from '../../ports/nfs-server.ts';
import { renderConfiguration, SERVER_PATHS, type ServerPaths, serverPart } from './configuration.ts';
import { type BrickEndpoint, countConnected, peersOf } from './connections.ts';
import { boundLogs } from './logs.ts';
import { findServer, reloadServer, startServer, stopServer } from './process.ts';

export interface GaneshaDeps {
  readonly host: MachineHost;
  readonly clock: Clock;
  /** Where the bricks of a volume listen. */
  readonly bricksOf: (volume: EngineVolumeName, signal: AbortSignal) => Promise<readonly BrickEndpoint[]>;
  /** Where its files are; on a node SERVER_PATHS. */
  readonly paths?: ServerPaths;
}

const SHORT_MS = 20_000;
/** Ports of bricks that are all connected are asked for again after this time. */
const BRICKS_MS = 60_000;
/** And those of a volume that is not whole: each question holds up other commands on the volume for a moment. */
const LACKING_MS = 3_000;
/** What it could not reach it is asked for again no sooner than this: it reads everything anew for that. */
const AGAIN_MS = 5_000;
/** Longer than any wait: one that was started so long ago has run, and ends for another reason now. */
const SOUND_MS = 180_000;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 120_000;

interface State {
  /** When it was started by this agent, and how often it has ended soon after that. */
  startedAt: Millis | undefined;
  deaths: number;
  /** Why the last start came to nothing. */
  lastWords: string | undefined;
  readonly bricks: Map<string, { readonly at: Millis; readonly endpoints: readonly BrickEndpoint[] }>;
  /** Exports that were not connected to anything at the last look: they are asked for once more at that time. */
  againAt: Millis | undefined;
}

/** Creates the server of the node whose Host is given. */
export function createGaneshaServer(deps: GaneshaDeps): NfsServer {
  const paths = deps.paths ?? SERVER_PATHS;
  const state: State = { startedAt: undefined, deaths: 0, lastWords: undefined, bricks: new Map(), againAt: undefined };
  return {
    serve: async (exports, signal) => {
      const { host, clock } = deps;
      if (exports.length === 0) {
        await stopServer({ host, clock, paths });
        state.startedAt = undefined;
        state.deaths = 0;
        return [];
      }
      await boundLogs(host, [paths.log, paths.engineLog, paths.output], signal);
      const id = await makeRun({ ...deps, paths }, state, renderConfiguration(exports, paths), signal);
      const looks = await look(deps, state, { id, exports, signal });
      if (!looks.some(({ message }) => message !== undefined)) state.againAt = undefined;
      else state.againAt ??= clock.monotonic() + AGAIN_MS;
      return looks;
    },
  };
}

/** It runs, and has read the configuration. */
async function makeRun(
  deps: GaneshaDeps & { readonly paths: ServerPaths },
  state: State,
  configuration: string,
  signal: AbortSignal,
): Promise<ProcessId> {
  const { host, paths } = deps;
  const running = await findServer(deps);
  const isAgain = state.againAt !== undefined && deps.clock.monotonic() >= state.againAt;
  if (running?.configuration === configuration && !isAgain) return running.id;
  state.againAt = undefined;
  await host.files.makeDirectory(paths.recovery);
  await host.files.writeText(paths.configuration, configuration);
  const isOther = running?.configuration?.startsWith(serverPart(paths)) === false;
  if (running !== undefined && !isOther) {
    await reloadServer(deps, running.id, { configuration, signal });
    return running.id;
  }
  if (running === undefined) holdOff(deps, state);
  else await stopServer(deps);
  state.startedAt = deps.clock.monotonic();
  state.lastWords = undefined;
  try {
    return await startServer(deps, configuration, signal);
  } catch (error) {
    state.lastWords = messageOf(error);
    throw error;
  }
}

/** @throws {AppError} unavailable, while one that ends again and again is not started anew */
function holdOff({ clock, host, paths }: GaneshaDeps & { readonly paths: ServerPaths }, state: State): void {
  if (state.startedAt === undefined) return;
  const now = clock.monotonic();
  const lived = now - state.startedAt;
  if (lived >= SOUND_MS) state.deaths = 0;
  // The first time it is started at once: somebody has ended it, and clients wait.
  const waitMs = state.deaths === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (state.deaths - 1), LONGEST_WAIT_MS);
  if (lived < waitMs) {
    throw new AppError(
      'unavailable',
      `${state.lastWords ?? `NFS-Ganesha on ${host.name} ends again and again`}; it is started again in at most ${waitMs / 1000} s`,
      { reason: 'NfsServerEnded', hint: `see ${paths.log} there` },
    );
  }
  state.deaths += 1;
}

async function look(
  deps: GaneshaDeps,
  state: State,
  {
    id,
    exports,
    signal,
  }: { readonly id: ProcessId; readonly exports: readonly ServedExport[]; readonly signal: AbortSignal },
): Promise<readonly ExportLook[]> {
  const { host } = deps;
  const args = ['--tcp', '--numeric', '--processes', '--no-header', 'state', 'established'];
  const answer = await host.run({ file: 'ss', args, timeoutMs: SHORT_MS, signal });
  const peers = peersOf(answer.stdout, id.pid);
  const looks: ExportLook[] = [];
  for (const wanted of exports) {
    const endpoints = await findBricks(deps, state, { wanted, peers, signal });
    if (endpoints === undefined) {
      looks.push({ path: wanted.path, connectedCopies: 0, copies: 0 });
      continue;
    }
    const connectedCopies = countConnected(endpoints, peers);
    const message = `NFS-Ganesha on ${host.name} reaches no copy of ${wanted.volume} now`;
    const seen = { path: wanted.path, connectedCopies, copies: endpoints.length };
    looks.push(connectedCopies > 0 ? seen : { ...seen, message });
  }
  return looks;
}

/** Where the bricks of a volume listen; undefined where the engine has not said it yet. */
async function findBricks(
  { clock, bricksOf }: GaneshaDeps,
  { bricks }: State,
  {
    wanted: { volume, copies },
    peers,
    signal,
  }: { readonly wanted: ServedExport; readonly peers: readonly string[]; readonly signal: AbortSignal },
): Promise<readonly BrickEndpoint[] | undefined> {
  const known = bricks.get(volume);
  const isWhole = known?.endpoints.length === copies && countConnected(known.endpoints, peers) === copies;
  if (known !== undefined && clock.monotonic() - known.at < (isWhole ? BRICKS_MS : LACKING_MS)) return known.endpoints;
  let endpoints = known?.endpoints;
  try {
    endpoints = await bricksOf(volume, signal);
  } catch {
    // The engine is busy or away, and says so elsewhere; the exports are served all the same.
    signal.throwIfAborted();
  }
  if (endpoints !== undefined) bricks.set(volume, { at: clock.monotonic(), endpoints });
  return endpoints;
}
