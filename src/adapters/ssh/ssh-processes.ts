/** Long-lived processes of a machine behind ssh, by pid and start time as everywhere. */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Command, CommandResult, HostProcesses, ProcessId, ProcessRequest } from '../../ports/host.ts';
import { RunError } from '../../ports/run-error.ts';
import { parseProcessStat } from '../host/process-id.ts';
import { PROGRAM_PATH } from '../host/run.ts';

export interface SshProcessesOptions {
  readonly clock: Clock;
  readonly hostName: string;
  readonly run: (command: Command) => Promise<CommandResult>;
}

const TIMEOUT_MS = 20_000;
const POLL_MS = 100;
const KILL_WAIT_MS = 5_000;
const MISSING = 44;
const SHELL = '/bin/sh';
/**
 * The process of sshd that serves this connection (sshd, since OpenSSH 9.8 sshd-session): it lives as long as the
 * connection, and so as long as whoever installs.
 */
const SELF = `pid=$PPID
while [ "$pid" -gt 1 ]; do
  case "$(cat "/proc/$pid/comm")" in sshd*) break ;; esac
  line=$(cat "/proc/$pid/stat")
  set -- \${line##*) }
  pid=$2
done
cat "/proc/$pid/stat"`;
/** setsid gives it a session and group of its own; its output goes to the log, so that nothing holds the connection. */
const START = `log=$1; program=$2; shift 2
command -v -- "$program" > /dev/null || exit ${MISSING}
mkdir -p -- "$(dirname -- "$log")" || exit 1
setsid -- "$@" < /dev/null >> "$log" 2>&1 &
cat "/proc/$!/stat"`;
const STAT = `cat "/proc/$1/stat" 2> /dev/null || exit ${MISSING}`;
/** Signals only the process that began at that time, and the group if it leads one. */
const SIGNAL = `line=$(cat "/proc/$1/stat" 2> /dev/null) || exit 0
set -- "$1" "$2" "$3" \${line##*) }
[ "\${23}" = "$2" ] || exit 0
if [ "$6" = "$1" ]; then kill -s "$3" -- "-$1"; else kill -s "$3" "$1"; fi 2> /dev/null || exit 0`;

/** Creates the process control. */
export function createSshProcesses({ clock, hostName, run }: SshProcessesOptions): HostProcesses {
  const ask = (text: string, args: readonly string[], more: Partial<Command> = {}) =>
    run({ file: SHELL, args: ['-c', text, 'sh', ...args], timeoutMs: TIMEOUT_MS, ...more });
  const isAlive = async ({ pid, startTicks }: ProcessId): Promise<boolean> => {
    const { code, stdout } = await ask(STAT, [String(pid)], { okCodes: [0, MISSING] });
    const stat = code === MISSING ? undefined : parseProcessStat(stdout);
    return stat !== undefined && stat.startTicks === startTicks && !'ZX'.includes(stat.state);
  };
  const hasEndedWithin = async (id: ProcessId, ms: number): Promise<boolean> => {
    for (const end = clock.monotonic() + ms; ; await clock.sleep(POLL_MS)) {
      if (!(await isAlive(id))) return true;
      if (clock.monotonic() >= end) return false;
    }
  };
  const signal = ({ pid, startTicks }: ProcessId, name: 'TERM' | 'KILL') =>
    ask(SIGNAL, [String(pid), String(startTicks), name]);
  return {
    self: async () => idOf((await ask(SELF, [])).stdout),
    start: (request) => start(ask, request),
    isAlive,
    stop: async (id, { graceMs }) => {
      if (graceMs > 0) {
        await signal(id, 'TERM');
        if (await hasEndedWithin(id, graceMs)) return;
      }
      await signal(id, 'KILL');
      if (await hasEndedWithin(id, KILL_WAIT_MS)) return;
      throw new AppError('timeout', `process ${id.pid} of ${hostName} is still there after SIGKILL`, {
        reason: 'ProcessStuck',
        hint: `it waits inside the kernel for a disk or a mount; see /proc/${id.pid}/stack there`,
      });
    },
  };
}

type Ask = (text: string, args: readonly string[], more?: Partial<Command>) => Promise<CommandResult>;

async function start(ask: Ask, { file, args, logFile, cwd, env }: ProcessRequest): Promise<ProcessId> {
  const variables = Object.entries({ PATH: PROGRAM_PATH, LC_ALL: 'C', ...env }).map(
    ([name, value]) => `${name}=${value}`,
  );
  // The deadline's program, timeout(1), is no parent of it: setsid takes it out of the group that is killed.
  const found = await ask(START, [logFile, file, 'env', ...variables, file, ...args], {
    okCodes: [0, MISSING],
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (found.code === MISSING) {
    throw new RunError(`${file} cannot be started: it is not installed`, {
      ...{ failure: 'spawn', file, reason: 'ProgramMissing' },
    });
  }
  return idOf(found.stdout);
}

function idOf(statLine: string): ProcessId {
  const pid = Number.parseInt(statLine, 10);
  const stat = parseProcessStat(statLine.trim());
  if (stat === undefined || !Number.isInteger(pid)) {
    throw new AppError('unavailable', 'a process that was just started cannot be seen in /proc', {
      reason: 'ProcessGone',
    });
  }
  return { pid, startTicks: stat.startTicks };
}
