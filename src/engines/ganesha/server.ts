/** NFS-Ganesha of one node, as the NfsServer that the agent tells what to serve. One per node and process. */
import { AppError, messageOf } from '../../domain/errors.ts';
import type { EngineVolumeName } from '../../domain/names.ts';
import type { Clock, Millis } from '../../ports/clock.ts';
import type { MachineHost, ProcessId } from '../../ports/host.ts';
import type { ExportLook, NfsServer, ServedExport } from '../../ports/nfs-server.ts';
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
  /** Exports that were not connected to anything at the last look: they are asked for once more. */
  hasUnserved: boolean;
}

/** Creates the server of the node whose Host is given. */
export function createGaneshaServer(deps: GaneshaDeps): NfsServer {
  const paths = deps.paths ?? SERVER_PATHS;
  const state: State = { startedAt: undefined, deaths: 0, lastWords: undefined, bricks: new Map(), hasUnserved: false };
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
      state.hasUnserved = looks.some(({ message }) => message !== undefined);
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
  if (running?.configuration === configuration && !state.hasUnserved) return running.id;
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
  const { host, clock } = deps;
  const args = ['--tcp', '--numeric', '--processes', '--no-header', 'state', 'established'];
  const answer = await host.run({ file: 'ss', args, timeoutMs: SHORT_MS, signal });
  const peers = peersOf(answer.stdout, id.pid);
  const looks: ExportLook[] = [];
  for (const { volume, path } of exports) {
    const known = state.bricks.get(volume);
    let endpoints = known?.endpoints ?? [];
    let connectedCopies = countConnected(endpoints, peers);
    if (known === undefined || connectedCopies < endpoints.length || clock.monotonic() - known.at > BRICKS_MS) {
      endpoints = await deps.bricksOf(volume, signal);
      state.bricks.set(volume, { at: clock.monotonic(), endpoints });
      connectedCopies = countConnected(endpoints, peers);
    }
    const message =
      connectedCopies > 0 ? {} : { message: `NFS-Ganesha on ${host.name} reaches no copy of ${volume} now` };
    looks.push({ path, connectedCopies, copies: endpoints.length, ...message });
  }
  return looks;
}
