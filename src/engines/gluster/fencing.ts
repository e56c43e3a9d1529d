/** Who is connected to the bricks of a volume, and how a node that was fenced comes back (docs/adr/0021). */
import { AppError } from '../../domain/errors.ts';
import type { EngineVolumeName } from '../../domain/names.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EngineFencing } from '../../ports/fencing.ts';
import type { Host } from '../../ports/host.ts';
import type { Random } from '../../ports/random.ts';
import { createGlusterCli, type GlusterCli } from './cli.ts';
import { allVolumesArgv, volumeCallsArgv, volumeClientsArgv, volumeStartArgv } from './command.ts';
import { stopHelpers } from './daemon.ts';
import { parseVolumeInfo } from './parse.ts';
import { parseCalls, parseClients } from './parse-clients.ts';
import { refusedAddresses } from './refusal.ts';

export interface GlusterFencingDeps {
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
}

/** Creates the view of the node whose Host is given. */
export function createGlusterFencing(deps: GlusterFencingDeps): EngineFencing {
  const cli = createGlusterCli(deps);
  return {
    clients: async (volume, signal) =>
      parseClients(await cli.demand(volumeClientsArgv(volume), asking(volume, signal)), volume),
    calls: async (volume, signal) => {
      const output = await cli.text(volumeCallsArgv(volume), asking(volume, signal));
      const calls = parseCalls(output.stdout);
      if (calls.length > 0) return calls;
      const why = (output.stderr.trim() || output.stdout.trim()).slice(0, 200);
      throw new AppError('unavailable', `cannot see what the copies of volume ${volume} work on: ${why}`, {
        resource: `volume ${volume}`,
        reason: 'CallsUnknown',
      });
    },
    comeBack: (addresses, signal) => comeBack(deps, cli, addresses, signal),
  };
}

function asking(volume: EngineVolumeName, signal: AbortSignal) {
  return { about: `cannot see who uses volume ${volume}`, resource: `volume ${volume}`, signal };
}

/**
 * A self-heal daemon that was refused keeps its connections and never tries again, however the options change, and neither
 * does one that began to run meanwhile (GlusterFS 10.3): it is ended, and `start force` brings it anew.
 */
async function comeBack(
  deps: GlusterFencingDeps,
  cli: GlusterCli,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const ask = { about: `cannot look at the volumes of ${deps.host.name}`, resource: `node ${deps.host.name}`, signal };
  const volumes = parseVolumeInfo(await cli.demand(allVolumesArgv(), ask));
  const refusing = volumes.find(({ options }) => refusedAddresses(options).some((each) => addresses.includes(each)));
  if (refusing !== undefined) {
    throw new AppError('unavailable', `volume ${refusing.name} refuses ${deps.host.name} still`, {
      resource: `volume ${refusing.name}`,
      reason: 'StillRefused',
      hint: 'the agent of its anchor takes that away',
    });
  }
  await stopHelpers({ ...deps, signal });
  for (const { name, state } of volumes) {
    if (state !== 'started') continue;
    const about = `cannot start the daemons of volume ${name}`;
    await cli.demand(volumeStartArgv(name, true), { about, resource: `volume ${name}`, signal });
  }
}
