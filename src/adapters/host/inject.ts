/** A Host on which chosen operations fail, wait, or are the last thing their caller lived to see. For tests. */
import type { AttachedCommand, Host, HostFiles, HostMounts, HostProcesses, MachineHost } from '../../ports/host.ts';
import { RunError } from '../../ports/run-error.ts';

/** An operation as one line: "run mkfs.xfs -q /dev/x", "file writeText /a", "mounts unmount /b", "processes start unshare ...". */
export type OperationText = string;

export interface Injection {
  /** Which operations count; all of them when left out. */
  readonly match?: RegExp | ((operation: OperationText) => boolean);
  /** Of those, which one it happens at, from 1; at each of them when left out. */
  readonly nth?: number;
  /**
   * `fail`: a RunError instead of the operation. `pause`: the operation waits for `until`.
   * `crash-before`, `crash-after`: the caller is dead from here on: this call and every later one throws {@link CrashError}.
   */
  readonly what: 'fail' | 'pause' | 'crash-before' | 'crash-after';
  readonly until?: Promise<unknown>;
}

/** Stands for the end of the caller: code under test must not handle it, and cannot do anything after it. */
export class CrashError extends Error {
  constructor(operation: OperationText) {
    super(`crashed at: ${operation}`);
    this.name = 'CrashError';
  }
}

export interface Injector {
  /** Wraps a host of which only commands, files and mounts are used. */
  wrapHost(host: Host): Host;
  /** Wraps a host on which processes are started too. */
  wrapMachine(host: MachineHost): MachineHost;
  /** Every operation on any of the wrapped hosts so far, in order; those that only look are among them. */
  readonly trace: readonly OperationText[];
}

/** Creates an injector; the hosts that it wraps share its counts, its trace and its crash. */
export function createInjector(injections: readonly Injection[]): Injector {
  const gate = createGate(injections);
  return {
    trace: gate.trace,
    wrapHost: (host) => wrapHost(host, gate),
    wrapMachine: (host) => ({
      ...wrapHost(host, gate),
      processes: wrapAll<HostProcesses>('processes', host.processes, gate),
      runAttached: (command: AttachedCommand) =>
        gate.pass(describeCall('attached', [command]), () => host.runAttached(command)),
    }),
  };
}

interface Gate {
  readonly trace: OperationText[];
  readonly pass: <T>(operation: OperationText, act: () => Promise<T>) => Promise<T>;
}

function createGate(injections: readonly Injection[]): Gate {
  const trace: OperationText[] = [];
  const seen = injections.map(() => 0);
  let crash: CrashError | undefined;

  const hitsNow = (operation: OperationText): Injection[] =>
    injections.filter((injection, index) => {
      if (!matches(injection, operation)) return false;
      const count = (seen[index] ?? 0) + 1;
      seen[index] = count;
      return injection.nth === undefined || injection.nth === count;
    });

  const pass = async <T>(operation: OperationText, act: () => Promise<T>): Promise<T> => {
    if (crash !== undefined) throw crash;
    trace.push(operation);
    const hits = hitsNow(operation);
    const has = (what: Injection['what']) => hits.some((hit) => hit.what === what);
    if (has('crash-before')) throw (crash = new CrashError(operation));
    for (const hit of hits) if (hit.what === 'pause') await hit.until;
    if (has('fail'))
      throw new RunError(`${operation} failed as injected`, { failure: 'exit', file: 'injected', code: 1 });
    const [outcome] = await Promise.allSettled([act()]);
    if (has('crash-after')) crash = new CrashError(operation);
    // Others that were under way at the crash do not get to know how they ended either.
    if (crash !== undefined) throw crash;
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  };
  return { trace, pass };
}

function matches({ match }: Injection, operation: OperationText): boolean {
  if (match === undefined) return true;
  return match instanceof RegExp ? match.test(operation) : match(operation);
}

function wrapHost(host: Host, gate: Gate): Host {
  return {
    name: host.name,
    run: (command) => gate.pass(describeCall('run', [command]), () => host.run(command)),
    files: wrapAll<HostFiles>('file', host.files, gate),
    mounts: wrapAll<HostMounts>('mounts', host.mounts, gate),
  };
}

/** Puts the gate before each method of an object of async functions. */
function wrapAll<T extends object>(prefix: string, methods: T, gate: Gate): T {
  const wrapped = Object.entries(methods).map(([name, method]) => [
    name,
    (...args: unknown[]) =>
      gate.pass(describeCall(`${prefix} ${name}`, args), () =>
        (method as (...each: unknown[]) => Promise<unknown>)(...args),
      ),
  ]);
  return Object.fromEntries(wrapped) as T;
}

function describeCall(verb: string, [first]: readonly unknown[]): OperationText {
  if (typeof first === 'string') return `${verb} ${first}`;
  if (typeof first !== 'object' || first === null) return verb;
  if ('file' in first && 'args' in first && Array.isArray(first.args))
    return [verb, first.file, ...first.args].join(' ');
  if ('source' in first && 'target' in first) return `${verb} ${String(first.source)} ${String(first.target)}`;
  return 'pid' in first ? `${verb} ${String(first.pid)}` : verb;
}
