/**
 * From bare machines to mounted volumes. Every step looks first and may be repeated, so an installation that was
 * interrupted anywhere goes on when it is started again, and one that is done changes nothing.
 */
import type { Finding } from '../../domain/doctor/finding.ts';
import { AppError } from '../../domain/errors.ts';
import { sshLoginOf } from '../../domain/install/ssh-login.ts';
import { type ResolvedPlan, resolvePlan } from '../../domain/plan/resolve-plan.ts';
import type { PlanFile } from '../../schemas/plan-file.ts';
import { applyPlan } from '../plan/apply-plan.ts';
import { adminLinkStep, type Cluster, certificateStep, openCluster } from './enroll.ts';
import { fstabStep } from './fstab-step.ts';
import type { InstallDeps, InstallOptions, Release, Target } from './install-deps.ts';
import { withInstallLock } from './install-lock.ts';
import { type NodeStep, nodeSteps } from './node-steps.ts';
import { preflight } from './preflight.ts';
import { servicesStep } from './service-step.ts';
import { agentService, controllerService, engineService } from './services-of.ts';
import { waitForNodes, waitForVolumes } from './waits.ts';

export interface InstallChange {
  readonly node: string;
  readonly step: string;
  /** What was done, or would be. */
  readonly change: string;
}

export interface Installed {
  readonly isDryRun: boolean;
  /** Empty when everything was so already. */
  readonly changes: readonly InstallChange[];
  /** What preflight remarked without refusing. */
  readonly warnings: readonly Finding[];
  /** Path of the administrator's kubeconfig on this machine; none for a dry run. */
  readonly kubeconfig?: string;
}

/**
 * Installs a plan.
 *
 * @throws {AppError} precondition, with every fault that preflight found on any machine, or while somebody else installs
 *   there: nothing was changed then;
 *   unavailable or denied, for a machine that cannot be reached; timeout, with what was waited for
 */
export async function runInstall(deps: InstallDeps, plan: PlanFile, options: InstallOptions): Promise<Installed> {
  const resolved = resolvePlan(plan);
  if (resolved.nodes.length === 0) {
    throw new AppError('invalid', 'the plan names no machines to install', { hint: 'list them under storage.nodes' });
  }
  return withTargets(deps, plan, options, (targets) => {
    const install = () => installTargets({ deps, plan, resolved, options, targets });
    return options.isDryRun ? install() : withInstallLock(deps, targets, install);
  });
}

async function installTargets({
  deps,
  plan,
  resolved,
  options,
  targets,
}: Pick<Finishing, 'deps' | 'plan' | 'resolved' | 'options' | 'targets'>): Promise<Installed> {
  const warnings = await check(deps, targets, options);
  const release = await deps.release();
  await refuseOtherMachines(targets, release);
  const run = createRun(options);
  await run.steps(targets, nodeSteps(deps, resolved, release));
  const controller = targets.find((each) => each.isController) as Target;
  const start = (withAgent: (target: Target) => boolean) => startStep(deps, release, withAgent);
  if (options.isDryRun) {
    await run.steps(targets, [start(() => true)]);
    return { isDryRun: true, changes: run.changes, warnings };
  }
  // The first machine of the cluster is complete before the others: they get their certificates from it.
  if (!(await answers(controller))) await run.steps([controller], [start(() => false)]);
  const cluster = await openCluster(deps, controller, options);
  try {
    await finish({ deps, plan, resolved, cluster, options, run, targets, release, controller });
  } finally {
    cluster.close();
  }
  return { isDryRun: false, changes: run.changes, warnings, kubeconfig: cluster.kubeconfig };
}

interface Finishing {
  readonly deps: InstallDeps;
  readonly plan: PlanFile;
  readonly resolved: ResolvedPlan;
  readonly cluster: Cluster;
  readonly options: InstallOptions;
  readonly run: Run;
  readonly targets: readonly Target[];
  readonly release: Release;
  readonly controller: Target;
}

async function finish(all: Finishing): Promise<void> {
  const { deps, plan, resolved, cluster, options, run, targets, release, controller } = all;
  const { client, authorityPem } = cluster;
  const { say, signal, waitMs } = options;
  await run.steps(targets, [certificateStep(release, controller, authorityPem, deps), adminLinkStep()]);
  const applied = await applyPlan({ client }, plan, { signal });
  for (const { kind, name, action } of applied.changes) {
    if (action !== 'unchanged') run.note({ node: 'cluster', step: 'plan', change: `${action} ${kind} ${name}` });
  }
  await run.steps(targets, [startStep(deps, release, () => true)]);
  const waiting = { client, clock: deps.clock };
  await waitForNodes(waiting, resolved, { say, signal, waitMs });
  await run.steps(targets, [fstabStep(client)]);
  await waitForVolumes(waiting, resolved, { say, signal, waitMs });
}

/** True when the controller's folder is there: then a certificate can be asked for before any service is looked at. */
async function answers(controller: Target): Promise<boolean> {
  const { stdout } = await controller.host.run({
    ...{ file: 'ss', args: ['-H', '-l', '-n', '-t', 'sport = :7443'], timeoutMs: LOOK_MS },
  });
  return stdout.trim() !== '';
}

const LOOK_MS = 20_000;

function startStep(deps: InstallDeps, release: Release, hasAgent: (target: Target) => boolean): NodeStep {
  return servicesStep(deps.clock, release, (target) => [
    ...(target.hasSystemd ? [] : [engineService(deps)]),
    ...(target.isController ? [controllerService(target, release)] : []),
    ...(hasAgent(target) ? [agentService(target, release)] : []),
  ]);
}

/** Connects to every machine of the plan, and lets go of all of them whatever happens. */
export async function withTargets<T>(
  deps: InstallDeps,
  plan: PlanFile,
  { signal, say }: Pick<InstallOptions, 'signal' | 'say'>,
  use: (targets: readonly Target[]) => Promise<T>,
): Promise<T> {
  const { nodes } = resolvePlan(plan);
  const login = sshLoginOf(plan);
  const chosen = plan.controller?.toLowerCase() ?? nodes[0]?.host.toLowerCase();
  const hosts = nodes.map((node) => ({ node, host: deps.reach(node, login) }));
  try {
    say(`connecting to ${nodes.map((node) => node.name).join(', ')}`);
    const targets = await onEach(hosts, async ({ node, host }): Promise<Target> => {
      await host.open(signal);
      // sd_booted(3): this folder is there exactly when systemd runs the machine.
      const hasSystemd = (await host.files.stat('/run/systemd/system')) !== undefined;
      return { node, host, isController: node.host.toLowerCase() === chosen, hasSystemd };
    });
    return await use(targets);
  } finally {
    await Promise.allSettled(hosts.map(({ host }) => host.close()));
  }
}

/** For all at once; the first failure in the order of the plan is the one told, when all have ended. */
async function onEach<A, B>(items: readonly A[], act: (item: A) => Promise<B>): Promise<readonly B[]> {
  const results = await Promise.allSettled(items.map(act));
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function check(
  deps: InstallDeps,
  targets: readonly Target[],
  options: InstallOptions,
): Promise<readonly Finding[]> {
  options.say('checking the machines');
  const findings = (
    await onEach(targets, (target) => preflight({ clock: deps.clock, signal: options.signal }, target))
  ).flat();
  const failed = findings.filter((each) => each.status === 'failed');
  const warnings = findings.filter((each) => each.status === 'warning');
  for (const { id, subject, evidence, meaning } of warnings)
    options.say(`note: ${id} ${subject}: ${evidence}; ${meaning}`);
  if (failed.length === 0) return warnings;
  throw new AppError(
    'precondition',
    `${failed.length === 1 ? '1 check' : `${failed.length} checks`} failed; nothing was changed`,
    {
      reason: 'PreflightFailed',
      faults: failed.map(({ id, subject, evidence, fix }) => ({
        field: `${id} ${subject}`,
        message: `${evidence}; ${fix}`,
      })),
      hint: 'correct them and install again',
    },
  );
}

async function refuseOtherMachines(targets: readonly Target[], release: Release): Promise<void> {
  const machines = await onEach(targets, async ({ node, host }) => ({
    name: node.name,
    machine: (await host.run({ file: 'uname', args: ['-m'], timeoutMs: LOOK_MS })).stdout.trim(),
  }));
  const other = machines.find(({ machine }) => machine !== release.machine);
  if (other === undefined) return;
  throw new AppError(
    'unsupported',
    `${other.name} is a ${other.machine} machine and this one is ${release.machine}: its program does not run there`,
    {
      reason: 'OtherArchitecture',
      hint: `install from a ${other.machine} machine; all machines of a plan are of one kind`,
    },
  );
}

interface Run {
  readonly changes: readonly InstallChange[];
  note(change: InstallChange): void;
  steps(targets: readonly Target[], steps: readonly NodeStep[]): Promise<void>;
}

function createRun({ isDryRun, say, signal }: InstallOptions): Run {
  const changes: InstallChange[] = [];
  const note = (change: InstallChange): void => {
    changes.push(change);
    say(`${change.node}: ${isDryRun ? 'would ' : ''}${change.change}`);
  };
  const runOne = async (target: Target, steps: readonly NodeStep[]): Promise<void> => {
    for (const { name, look, act } of steps) {
      signal.throwIfAborted();
      const change = await look(target);
      if (change === undefined) continue;
      note({ node: target.node.name, step: name, change });
      if (!isDryRun) await act(target, signal);
    }
  };
  return {
    changes,
    note,
    steps: async (targets, steps) => void (await onEach(targets, (target) => runOne(target, steps))),
  };
}
