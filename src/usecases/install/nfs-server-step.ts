/** Machines whose plan has them export volumes by NFS get the server for it; agents start it themselves. */
import type { ResolvedPlan } from '../../domain/plan/resolve-plan.ts';
import type { Host } from '../../ports/host.ts';
import { COMMAND_MS, type InstallDeps, type Target } from './install-deps.ts';
import type { NodeStep } from './node-steps.ts';

/** Debian's own server: started with the machine it would take the port that the agent's needs. */
const UNIT = 'nfs-ganesha.service';

/**
 * Installs NFS-Ganesha where volumes are exported, and sees to it that the unit that comes with it does not start with the machine.
 * One that runs is left alone: somebody uses it, and the agent says that the port is taken.
 */
export function nfsServerStep(
  { packagesOf, nfsServerPrograms }: Pick<InstallDeps, 'packagesOf' | 'nfsServerPrograms'>,
  { volumes }: Pick<ResolvedPlan, 'volumes'>,
): NodeStep {
  const exporters = new Set(volumes.flatMap(({ exports = [] }) => exports.map(({ node }) => node)));
  const missing = ({ host }: Target) => packagesOf(host).findMissing(nfsServerPrograms);
  return {
    name: 'nfs server',
    look: async (target) => {
      if (!exporters.has(target.node.name)) return undefined;
      const names = [...new Set((await missing(target)).map((each) => each.debianPackage))];
      if (names.length > 0) return `install ${names.join(', ')}`;
      return (await startsAtBoot(target)) ? `disable ${UNIT}` : undefined;
    },
    act: async (target, signal) => {
      await packagesOf(target.host).install(await missing(target), signal);
      if (await startsAtBoot(target)) {
        await target.host.run({ file: 'systemctl', args: ['disable', '--quiet', UNIT], timeoutMs: COMMAND_MS });
      }
    },
  };
}

async function startsAtBoot({ host, hasSystemd }: Target): Promise<boolean> {
  return hasSystemd && (await says(host, 'is-enabled')) && !(await says(host, 'is-active'));
}

async function says(host: Host, question: 'is-active' | 'is-enabled'): Promise<boolean> {
  // Other codes than 0: it is not so, or there is no such unit.
  const okCodes = [0, 1, 2, 3, 4];
  return (
    (await host.run({ file: 'systemctl', args: [question, '--quiet', UNIT], okCodes, timeoutMs: COMMAND_MS })).code ===
    0
  );
}
