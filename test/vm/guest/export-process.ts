/**
 * NFS-Ganesha of the host of a lab that this runs in, as an agent that comes anew would have it serve: the server is known by its process,
 * which has another number outside. Takes the host's name and exports as JSON; once the server is connected to every copy of each it prints
 * what it sees.
 */
import { createLocalHost } from '../../../src/adapters/host/local-host.ts';
import { createSystemClock } from '../../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../../src/adapters/system/random.ts';
import type { ServedExport } from '../../../src/domain/nfs-export/served-export.ts';
import { createGaneshaServer } from '../../../src/engines/ganesha/index.ts';
import { createBrickEndpoints } from '../../../src/engines/gluster/index.ts';
import { createPatientHost } from '../../contract/patient-host.ts';
import { PATIENCE } from './patience.ts';

const POLL_MS = 500;
const signal = AbortSignal.timeout(5 * 60_000);
const [, , name = '', exports = '[]'] = process.argv;
const [clock, random] = [createSystemClock(), createSystemRandom()];
const host = createPatientHost(createLocalHost({ clock }, { name }), PATIENCE);
const server = createGaneshaServer({ host, clock, bricksOf: createBrickEndpoints({ host, clock, random }) });
const wanted = JSON.parse(exports) as readonly ServedExport[];
for (let isWhole = false; !isWhole; ) {
  const looks = await server.serve(wanted, signal);
  isWhole = looks.every(({ connectedCopies }, index) => connectedCopies === wanted[index]?.copies);
  if (isWhole) process.stdout.write(JSON.stringify(looks));
  else await clock.sleep(POLL_MS, signal);
}
