/** Keeps packages from starting their services while they are installed (invoke-rc.d(8), policy-rc.d). */
import { isAppError } from '../../domain/errors.ts';
import type { Host, HostProcesses } from '../../ports/host.ts';

const POLICY = '/usr/sbin/policy-rc.d';
const MARK = '# Written by holdfast while it installs packages; without effect once that has ended.';

/**
 * Forbids starts of services until the returned function is called. A policy that the machine has is left as it is.
 *
 * The policy looks whether its writer is alive, so one that a killed process has left behind forbids nothing; the next
 * installation removes it.
 */
export async function suppressServices(deps: {
  readonly host: Host;
  readonly processes: Pick<HostProcesses, 'self'>;
}): Promise<() => Promise<void>> {
  const { host } = deps;
  const existing = await readPolicy(host);
  if (existing !== undefined && !existing.includes(MARK)) return async () => undefined;
  const { pid, startTicks } = await deps.processes.self();
  await host.files.writeText(POLICY, policyOf(pid, startTicks), { mode: 0o755 });
  return () => host.files.remove(POLICY);
}

async function readPolicy(host: Host): Promise<string | undefined> {
  try {
    return await host.files.readText(POLICY);
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    throw error;
  }
}

/** Exit code 101 forbids. Field 22 of /proc/PID/stat is the start time; the program's name before it is cut off first. */
function policyOf(pid: number, startTicks: number): string {
  return `#!/bin/sh
${MARK}
stat=$(cat /proc/${pid}/stat 2>/dev/null) || exit 0
set -- \${stat##*) }
[ "\${20}" = "${startTicks}" ] && exit 101
exit 0
`;
}
