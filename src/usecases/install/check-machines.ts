/** `holdfast doctor --plan`: whether the machines of a plan are fit to be installed. Changes nothing on them. */
import { type CheckId, docOf, type Finding } from '../../domain/doctor/finding.ts';
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { sshLoginOf } from '../../domain/install/ssh-login.ts';
import { type ResolvedNode, resolvePlan } from '../../domain/plan/resolve-plan.ts';
import type { RemoteHost } from '../../ports/remote-host.ts';
import type { PlanFile } from '../../schemas/plan-file.ts';
import type { InstallDeps } from './install-deps.ts';
import { preflight } from './preflight.ts';

/** The check before all others: without a way in there is nothing to look at. */
export const LOGIN_CHECK: { readonly id: CheckId; readonly title: string } = { id: 'HF100', title: 'login' };

/**
 * Looks at every machine at once; one that cannot be reached is a finding too.
 *
 * @throws {AppError} invalid, when the plan names no machines
 */
export async function checkMachines(
  deps: Pick<InstallDeps, 'clock' | 'reach'>,
  plan: PlanFile,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { nodes } = resolvePlan(plan);
  if (nodes.length === 0) {
    throw new AppError('invalid', 'the plan names no machines to look at', { hint: 'list them under storage.nodes' });
  }
  const login = sshLoginOf(plan);
  const controller = plan.controller?.toLowerCase() ?? nodes[0]?.host.toLowerCase();
  const looks = nodes.map(async (node) => {
    const host = deps.reach(node, login);
    try {
      const refusal = await tryOpen(host, signal);
      if (refusal !== undefined) return [toFinding(node, refusal)];
      const isController = node.host.toLowerCase() === controller;
      const findings = await preflight({ clock: deps.clock, signal }, { node, host, isController });
      return [toFinding(node, undefined), ...findings];
    } finally {
      await host.close();
    }
  });
  return (await Promise.all(looks)).flat();
}

/** Why there is no way in; undefined when there is. */
async function tryOpen(host: RemoteHost, signal: AbortSignal): Promise<unknown> {
  try {
    await host.open(signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error;
  }
}

function toFinding(node: ResolvedNode, error: unknown): Finding {
  const about = { ...LOGIN_CHECK, subject: `node ${node.name}`, doc: docOf(LOGIN_CHECK.id), isFixable: false };
  if (error === undefined) return { ...about, status: 'ok', evidence: 'ssh works', meaning: '', fix: '' };
  return {
    ...about,
    ...{ status: 'failed', evidence: messageOf(error) },
    meaning: 'nothing could be looked at on this machine, and nothing can be installed there',
    fix: (isAppError(error) ? error.hint : undefined) ?? `try by hand: ssh ${node.ip}`,
  };
}
