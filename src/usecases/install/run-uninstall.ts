/**
 * Takes Holdfast off the machines of a plan. No data is touched: disks and their pools, GlusterFS and its packages stay.
 *
 * Invariant: nothing here formats, unmounts a pool, or removes a path that is not a constant of this program.
 */
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { withBlock } from '../../domain/install/marked-block.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import type { PlanFile } from '../../schemas/plan-file.ts';
import {
  COMMAND_MS,
  CONFIG_FOLDER,
  CONTROLLER_FOLDER,
  type InstallDeps,
  NODE_KUBECONFIG,
  PROGRAM_FOLDER,
  type Target,
} from './install-deps.ts';
import { withInstallLock } from './install-lock.ts';
import { readIfThere } from './node-steps.ts';
import { withTargets } from './run-install.ts';
import { removeServices } from './service-step.ts';

export interface LosableVolume {
  readonly name: string;
  readonly size: string;
  readonly layout: string;
  /** Nodes where it is mounted. */
  readonly mountedOn: readonly string[];
  /** Claims that are bound to it, "namespace/name". */
  readonly copies: readonly string[];
}

/** What would be lost, and what would stay. */
export interface UninstallPlan {
  readonly nodes: readonly string[];
  /** Volumes that nobody would look after any more; their data stays on the pools. */
  readonly volumes: readonly LosableVolume[];
  /** What would be removed from each machine. */
  readonly removed: readonly string[];
  readonly kept: readonly string[];
}

export interface UninstallOptions {
  /** Volumes that may be left without Holdfast, by name. */
  readonly abandon: readonly string[];
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly confirm: (plan: UninstallPlan) => Promise<boolean>;
}

const REMOVED = [
  'the controller and the agents, with every certificate',
  `${CONTROLLER_FOLDER}: what Holdfast knows of nodes, volumes and copies`,
  `${PROGRAM_FOLDER}, ${CONFIG_FOLDER} and the blocks in /etc/hosts`,
];
const KEPT = [
  'disks, their file systems, their lines in /etc/fstab, and everything on them',
  'GlusterFS, its volumes and what is mounted of them',
  'packages',
];

/** What an uninstallation would lose. Changes nothing. */
export async function planUninstall(
  client: ResourceClient,
  plan: PlanFile,
  signal: AbortSignal,
): Promise<UninstallPlan> {
  const [volumes, copies, attachments] = await Promise.all([
    client.list('Volume', { signal }),
    client.list('VolumeCopy', { signal }),
    client.list('VolumeAttachmentRecord', { signal }),
  ]);
  return {
    nodes: (plan.storage?.nodes ?? []).map((node) => node.host),
    volumes: volumes.items.map(({ metadata: { name }, spec }) => ({
      ...{ name, size: spec.size, layout: spec.layout },
      mountedOn: attachments.items.filter((each) => each.spec.volume === name).map((each) => each.spec.node),
      copies: copies.items
        .filter((copy) => copy.spec.volume === name)
        .map((copy) => `${copy.spec.node}:${copy.status?.path ?? 'not made yet'}`),
    })),
    removed: REMOVED,
    kept: KEPT,
  };
}

/**
 * Uninstalls.
 *
 * @returns false when the person said no
 * @throws {AppError} precondition, while there are volumes that were not named, or somebody else installs there;
 *   unavailable, when nobody can tell
 */
export async function runUninstall(
  deps: InstallDeps,
  client: ResourceClient,
  plan: PlanFile,
  options: UninstallOptions,
): Promise<boolean> {
  const { abandon, signal, say, confirm } = options;
  const lost = await planUninstall(client, plan, signal).catch((error: unknown) => {
    if (!isAppError(error, 'unavailable')) throw error;
    throw new AppError('unavailable', `nobody can tell which volumes there are: ${messageOf(error)}`, {
      reason: 'ControllerSilent',
      hint: 'start the controller again (holdfast install), then uninstall',
    });
  });
  refuseVolumes(lost, abandon);
  if (!(await confirm(lost))) return false;
  await withTargets(deps, plan, options, (targets) =>
    withInstallLock(deps, targets, async () => {
      // The controller last: were this interrupted, it can still be asked what there is.
      const ordered = targets.toSorted((a, b) => Number(a.isController) - Number(b.isController));
      for (const target of ordered) {
        signal.throwIfAborted();
        await clean(target);
        say(`${target.node.name}: Holdfast is removed`);
      }
    }),
  );
  return true;
}

function refuseVolumes({ volumes }: UninstallPlan, abandon: readonly string[]): void {
  const unknown = abandon.find((name) => !volumes.some((volume) => volume.name === name));
  if (unknown !== undefined) throw new AppError('notFound', `there is no volume ${unknown} to abandon`);
  const left = volumes.filter(({ name }) => !abandon.includes(name)).map(({ name }) => name);
  if (left.length === 0) return;
  throw new AppError(
    'precondition',
    `there ${left.length === 1 ? 'is 1 volume' : `are ${left.length} volumes`}: ${left.join(', ')}; nothing was changed`,
    {
      reason: 'VolumesExist',
      hint: `delete what can go with: holdfast volume delete NAME; what is to stay in GlusterFS without Holdfast is named with: ${left.map((name) => `--abandon ${name}`).join(' ')}`,
    },
  );
}

async function clean({ host, hasSystemd }: Target): Promise<void> {
  const remove = (...paths: readonly string[]) =>
    host.run({ file: 'rm', args: ['-rf', '--one-file-system', '--', ...paths], timeoutMs: 4 * COMMAND_MS });
  await removeServices(host, [{ name: 'agent' }, { name: 'controller' }]);
  if (hasSystemd) await host.run({ file: 'systemctl', args: ['daemon-reload'], timeoutMs: COMMAND_MS });
  const hosts = (await readIfThere(host, '/etc/hosts')) ?? '';
  const without = withBlock(hosts, []);
  if (without !== hosts) await host.files.writeText('/etc/hosts', without);
  await remove(CONTROLLER_FOLDER, NODE_KUBECONFIG, `${CONFIG_FOLDER}/admin.kubeconfig`, '/usr/local/bin/holdfast');
  // The program last: with it gone nothing of the above could be looked at again.
  const releases = (await host.files.list(PROGRAM_FOLDER)).filter((name) =>
    /^(?:current|\.incoming-\w+|\d+\.\d+\.\d+[\w.+-]*)$/.test(name),
  );
  if (releases.length > 0) await remove(...releases.map((name) => `${PROGRAM_FOLDER}/${name}`));
}
