/** One machine reached with the system's ssh: a shared connection, and command lines through it. */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Command, CommandResult, Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import { describeRunFailure } from '../host/describe-run-failure.ts';
import { PROGRAM_PATH } from '../host/run.ts';
import { shellLine } from './quote.ts';
import { readExitMark, withExitMark } from './remote-exit.ts';

export interface SshTarget {
  /** Name of the machine in messages. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Private key; left out for what ssh finds itself (its agent, its configuration). */
  readonly keyFile?: string;
  /** Only keys in this file are accepted. Left out: a machine never seen before is, as `accept-new` (ssh_config(5)). */
  readonly knownHostsFile?: string;
}

export interface SshDeps {
  readonly clock: Clock;
  /** Where ssh runs. */
  readonly machine: Host;
  /** A folder that only this user can read; its path is short, for a socket's path may have 107 characters. */
  readonly controlFolder: string;
  /** $SSH_AUTH_SOCK of whoever installs: the runner passes no environment on by itself. */
  readonly agentSocket?: string;
}

const CONNECT_SECONDS = 15;
/** Added to a command's own deadline, which the remote machine keeps: for the way there and back. */
const TRAVEL_MS = 20_000;
/** A connection that nobody uses any more ends by itself, also when this program was killed. */
const PERSIST_SECONDS = 60;
const ANY_CODE = Array.from({ length: 256 }, (_, code) => code);
/** Beyond what the caller allows for stderr: the mark of the exit code. */
const MARK_BYTES = 64;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

export interface SshConnection {
  /** Authenticates and keeps the connection open for the commands that follow. */
  open(signal: AbortSignal): Promise<void>;
  /** As {@link Host.run}, on the target; by root, or through sudo. */
  run(command: Command): Promise<CommandResult>;
  /** Copies folders and files of this machine into a folder there that the login user can write. */
  upload(paths: readonly string[], folder: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}

/** Creates the access to one machine; nothing is connected yet. */
export function createSshConnection(deps: SshDeps, target: SshTarget): SshConnection {
  const run = (command: Command) => runRemote(deps, target, command);
  return {
    run,
    open: async (signal) => {
      // A master of its own, so that commands at the same time do not each become one.
      const args = [...optionsOf(deps, target), ...portOf(target, '-p'), '-M', '-N', '-f', '--', target.address];
      const timeoutMs = CONNECT_SECONDS * 1000 + TRAVEL_MS;
      try {
        await deps.machine.run({ file: 'ssh', args, timeoutMs, signal, env: environmentOf(deps) });
      } catch (error) {
        throw isRunError(error, 'exit') ? unreachable(target, error.stderr, error) : error;
      }
    },
    upload: async (paths, folder, { timeoutMs, signal }) => {
      // scp takes IPv6 addresses in brackets only, ssh without them only.
      const to = `${target.address.includes(':') ? `[${target.address}]` : target.address}:${folder}`;
      const args = ['-q', '-r', '-p', ...optionsOf(deps, target), ...portOf(target, '-P'), '--', ...paths, to];
      const limits = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
      await deps.machine.run({ file: 'scp', args, ...limits, env: environmentOf(deps) });
    },
    close: async () => {
      const args = [...optionsOf(deps, target), ...portOf(target, '-p'), '-O', 'exit', '--', target.address];
      // 255: there is no connection to end.
      await deps.machine.run({ file: 'ssh', args, okCodes: [0, 255], timeoutMs: TRAVEL_MS, env: environmentOf(deps) });
    },
  };
}

async function runRemote(deps: SshDeps, target: SshTarget, command: Command): Promise<CommandResult> {
  const { file, timeoutMs, stdin, signal, okCodes = [0], maxBytes = DEFAULT_MAX_BYTES } = command;
  const shown = { file, shownAs: `${file} on ${target.name}`, timeoutMs };
  const line = withExitMark(shellLine(remoteArgv(target, command)));
  const began = deps.clock.monotonic();
  const result = await askSsh(deps, target, shown, {
    line,
    timeoutMs: timeoutMs + TRAVEL_MS,
    maxBytes: maxBytes + MARK_BYTES,
    ...(stdin === undefined ? {} : { stdin }),
    ...(signal === undefined ? {} : { signal }),
  });
  const { code, stderr } = readExitMark(result.stderr);
  const { stdout } = result;
  if (code === undefined) throw unreachable(target, stderr);
  if (code === KILLED && deps.clock.monotonic() - began >= timeoutMs) {
    throw describeRunFailure(shown, 'timeout', { stdout, stderr });
  }
  if (okCodes.includes(code)) return { stdout, stderr, code };
  if (code === NOT_FOUND && /^(?:timeout|env): (?:failed to run command )?.*No such file or directory$/m.test(stderr)) {
    const cause = Object.assign(new Error('not installed'), { code: 'ENOENT' });
    throw describeRunFailure(shown, 'spawn', { cause, stdout, stderr });
  }
  throw describeRunFailure(shown, 'exit', { code, stdout, stderr });
}

const KILLED = 137;
const NOT_FOUND = 127;

/** Failures of ssh itself are told as those of the command that it was to run. */
async function askSsh(
  deps: SshDeps,
  target: SshTarget,
  shown: { readonly file: string; readonly shownAs: string; readonly timeoutMs: number },
  { line, ...limits }: Pick<Command, 'timeoutMs' | 'maxBytes' | 'stdin' | 'signal'> & { readonly line: string },
): Promise<CommandResult> {
  const args = [...optionsOf(deps, target), ...portOf(target, '-p'), '-T', '--', target.address, line];
  try {
    return await deps.machine.run({ file: 'ssh', args, okCodes: ANY_CODE, env: environmentOf(deps), ...limits });
  } catch (error) {
    if (!isRunError(error) || error.failure === 'spawn') throw error;
    const { failure, cause, stdout, stderr } = error;
    throw describeRunFailure(shown, failure, { cause, stdout, stderr });
  }
}

/**
 * The deadline is kept by timeout(1) on the machine itself, which kills the program's whole group: the death of ssh here
 * would leave it running there.
 */
function remoteArgv(target: SshTarget, { file, args, timeoutMs, cwd, env }: Command): readonly string[] {
  const variables = Object.entries({ PATH: PROGRAM_PATH, LC_ALL: 'C', ...env }).map(
    ([name, value]) => `${name}=${value}`,
  );
  return [
    ...(target.user === 'root' ? [] : ['sudo', '-n', '--']),
    ...['env', ...(cwd === undefined ? [] : ['-C', cwd]), ...variables],
    ...['timeout', '-s', 'KILL', (timeoutMs / 1000).toFixed(3), file, ...args],
  ];
}

function optionsOf({ controlFolder }: SshDeps, target: SshTarget): readonly string[] {
  const options = {
    BatchMode: 'yes',
    ConnectTimeout: String(CONNECT_SECONDS),
    ControlPath: `${controlFolder}/%C`,
    ControlPersist: String(PERSIST_SECONDS),
    ServerAliveInterval: '5',
    ServerAliveCountMax: '3',
    StrictHostKeyChecking: target.knownHostsFile === undefined ? 'accept-new' : 'yes',
    ...(target.knownHostsFile === undefined ? {} : { UserKnownHostsFile: target.knownHostsFile }),
    ...(target.keyFile === undefined ? {} : { IdentitiesOnly: 'yes', IdentityFile: target.keyFile }),
    User: target.user,
  };
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function portOf({ port }: SshTarget, flag: '-p' | '-P'): readonly string[] {
  return [flag, String(port)];
}

function environmentOf({ agentSocket }: SshDeps): Readonly<Record<string, string>> {
  return agentSocket === undefined ? {} : { SSH_AUTH_SOCK: agentSocket };
}

function unreachable(
  { name, address, port, user, knownHostsFile }: SshTarget,
  stderr: string,
  cause?: unknown,
): AppError {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  const where = `${name} cannot be reached with ssh (${user}@${address}, port ${port})`;
  const hint = /host key|HOST IDENTIFICATION/i.test(stderr)
    ? `compare the machine's key with the one in ${knownHostsFile ?? 'your known_hosts'}; if the machine was installed anew, remove the old one with ssh-keygen -R`
    : `try: ssh -o BatchMode=yes -p ${port} ${user}@${address} true; user, key and port are in the section ssh of the plan`;
  const kind = /denied/i.test(stderr) ? 'denied' : 'unavailable';
  return new AppError(kind, `${where}: ${said === '' ? 'the connection ended' : said}`, {
    ...{ reason: 'SshFailed', resource: `host ${name}`, hint },
    ...(cause === undefined ? {} : { cause }),
  });
}
