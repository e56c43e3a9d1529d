/** Where the bricks of a volume listen, for whoever looks at connections to them. */
import type { EngineVolumeName } from '../../domain/names.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import type { Random } from '../../ports/random.ts';
import { createGlusterCli } from './cli.ts';
import { volumeStatusArgv } from './command.ts';
import { parseVolumeStatus } from './parse.ts';
import { resolveName } from './resolve-name.ts';

interface Endpoint {
  readonly addresses: readonly string[];
  readonly port?: number;
}

/** Creates the question for one node. Bricks of machines that are away are left out. */
export function createBrickEndpoints(deps: {
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
}): (volume: EngineVolumeName, signal: AbortSignal) => Promise<readonly Endpoint[]> {
  const cli = createGlusterCli(deps);
  return async (volume, signal) => {
    const about = `cannot see the bricks of ${volume}`;
    const reply = await cli.demand(volumeStatusArgv(volume), { about, resource: `volume ${volume}`, signal });
    const bricks = parseVolumeStatus(reply, volume);
    return Promise.all(
      bricks.map(async ({ node, port, isOnline }) => ({
        addresses: await resolveName(deps.host, node, signal),
        ...(isOnline && port !== undefined ? { port } : {}),
      })),
    );
  };
}
