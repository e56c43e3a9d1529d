/** GlusterFS of one node as `holdfast doctor` needs it. */
import type { EngineDoctor } from '../../ports/node-doctor.ts';
import { type CliDeps, createGlusterCli } from './cli.ts';
import { examineGluster } from './examine.ts';
import { createRepairs } from './repair.ts';

/** Creates the doctor of the node whose Host is given. */
export function createGlusterDoctor(deps: CliDeps): EngineDoctor {
  const { host } = deps;
  const cli = createGlusterCli(deps);
  return {
    examine: (request, signal) => examineGluster({ host, cli }, request, signal),
    repair: createRepairs({ host, cli }),
  };
}
