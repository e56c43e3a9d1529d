/** Runs the gluster program on one host: answers as replies, busy volumes tried again, deadlines on everything. */
import { AppError, messageOf } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import type { Random } from '../../ports/random.ts';
import type { Argv } from './command.ts';
import { isBusy, type Output, parseReply, type Reply, refusal } from './reply.ts';

export interface CliDeps {
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Ask {
  /** What it is for, as the beginning of a sentence: "cannot create volume gv0". */
  readonly about: string;
  /** The object concerned: "volume gv0". */
  readonly resource: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

export interface GlusterCli {
  /**
   * Runs a command and returns what it answered, yes or no; repeats it while another one is in its way.
   *
   * @throws {AppError} conflict EngineBusy when that goes on for a minute; unavailable when glusterd is not there
   */
  ask(argv: Argv, ask: Ask): Promise<Reply>;
  /** As {@link GlusterCli.ask}, for a command that must work. @throws {AppError} with the engine's own words */
  demand(argv: Argv, ask: Ask): Promise<Reply>;
  /** For the few commands that answer in text. */
  text(argv: Argv, ask: Ask): Promise<Output>;
}

/** Looking takes 0.1 s; twice the time glusterd gives a silent peer (30 s) is more than it ever needs. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** Busy is what another command of some seconds makes it; a minute of it means that something is stuck. */
const BUSY_DEADLINE_MS = 60_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
/** The exit code says nothing (see reply.ts), so each is accepted. */
const ANY_CODE: readonly number[] = Array.from({ length: 256 }, (_, code) => code);

/**
 * The gluster program asks each time whether the commands of geo-replication exist (`gsyncd --version`), which are written
 * in Python: five sixths of the processor time of any command (70 of 82 ms). gsyncd starts what PYTHON names, and without
 * it those commands, which nothing here gives, do not exist.
 */
const WITHOUT_GEO_REPLICATION = { PYTHON: '/bin/false' };

/** Creates the way to the gluster program of a host. */
export function createGlusterCli({ host, clock, random }: CliDeps): GlusterCli {
  const text = (argv: Argv, { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: Ask): Promise<Output> =>
    host.run({ file: 'gluster', args: argv, env: WITHOUT_GEO_REPLICATION, timeoutMs, okCodes: ANY_CODE, signal });

  /** One try: the reply, or the error of a busy volume. */
  const attempt = async (argv: Argv, ask: Ask): Promise<Reply | AppError> => {
    const reply = parseReply(await text(argv, ask), describe(argv));
    const error = reply.isOk ? undefined : refusal(reply, ask.about, ask.resource);
    return error !== undefined && isBusy(error) ? error : reply;
  };

  const ask = async (argv: Argv, request: Ask): Promise<Reply> => {
    const deadline = clock.monotonic() + BUSY_DEADLINE_MS;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const outcome = await attempt(argv, request);
      if (!(outcome instanceof AppError)) return outcome;
      if (clock.monotonic() + waitMs > deadline) throw stillBusy(outcome, request);
      // Drawn, so that the agents of several nodes do not meet again and again.
      await clock.sleep(waitMs * (0.5 + random.next()), request.signal);
    }
  };

  return {
    ask,
    demand: async (argv, request) => {
      const reply = await ask(argv, request);
      if (!reply.isOk) throw refusal(reply, request.about, request.resource);
      return reply;
    },
    text,
  };
}

function stillBusy(cause: AppError, { resource }: Ask): AppError {
  return new AppError('conflict', `${messageOf(cause)} (for ${BUSY_DEADLINE_MS / 1000} s)`, {
    resource,
    reason: 'EngineBusy',
    hint: 'find the command that holds the lock, or restart glusterd on the node that it names',
    cause,
  });
}

/** The command as a person would type it. */
function describe(argv: Argv): string {
  return ['gluster', ...argv.filter((word) => !word.startsWith('--'))].join(' ');
}
