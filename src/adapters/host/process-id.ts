/** Processes by pid and start time, read from /proc, so that a reused pid is never taken for the one that was meant. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ProcessId } from '../../ports/host.ts';

/** What /proc/PID/stat says that matters here (proc(5)). */
export interface ProcessStat {
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly startTicks: number;
}

/** Reads one line of /proc/PID/stat; the program's name in it may hold spaces and brackets. */
export function parseProcessStat(line: string): ProcessStat | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const startTicks = Number(fields[19]);
  if (state === undefined || parent === undefined || group === undefined || !Number.isInteger(startTicks)) {
    return undefined;
  }
  return { state, parent: Number(parent), group: Number(group), startTicks };
}

/** Undefined when there is no such process. */
export async function readProcessStat(pid: number): Promise<ProcessStat | undefined> {
  try {
    return parseProcessStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // ENOENT or ESRCH: it has ended.
    return undefined;
  }
}

/** The full identity of a process that is known to exist (a zombie counts). Undefined when it does not. */
export function readProcessIdSync(pid: number): ProcessId | undefined {
  try {
    const stat = parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return stat === undefined ? undefined : { pid, startTicks: stat.startTicks };
  } catch {
    return undefined;
  }
}

/** True while that very process runs; a zombie has ended. */
export async function isAlive(id: ProcessId): Promise<boolean> {
  const stat = await readProcessStat(id.pid);
  return stat !== undefined && stat.startTicks === id.startTicks && !'ZX'.includes(stat.state);
}
