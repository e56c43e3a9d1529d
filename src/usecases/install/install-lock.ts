/**
 * One installation at a time on a machine. The lock is a file there that names who holds it; it counts as long as the
 * installing program runs, or, seen from elsewhere, its ssh connection lives: an installation that was killed leaves
 * nothing that a person would have to remove.
 */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { RemoteHost } from '../../ports/remote-host.ts';
import type { InstallDeps, Operator, Target } from './install-deps.ts';

/** Gone with a restart of the machine, as are the connections of whoever installs. */
const LOCK_FILE = '/run/holdfast/install.lock';
/** Of a lock whose holder is dead: somebody else may have taken it over in between. */
const MAX_ATTEMPTS = 5;

const Process = z.object({ pid: z.int(), startTicks: z.int() });
const Holder = z.object({
  who: z.string(),
  since: z.string(),
  /** Of the run of the machine that the installing program runs on. */
  bootId: z.string(),
  /** The installing program there. */
  process: Process,
  /** What serves its connection on the machine that is locked. */
  session: Process,
});
type Holder = z.infer<typeof Holder>;

/**
 * Does `use` while nobody else installs on any of the machines.
 *
 * @throws {AppError} precondition, naming who installs there and since when: nothing was changed then
 */
export async function withInstallLock<T>(
  deps: Pick<InstallDeps, 'clock' | 'operator'>,
  targets: readonly Target[],
  use: () => Promise<T>,
  path: string = LOCK_FILE,
): Promise<T> {
  const operator = await deps.operator();
  const since = new Date(deps.clock.now()).toISOString();
  const held: { readonly host: RemoteHost; readonly text: string }[] = [];
  const takeOne = async ({ host, node }: Target): Promise<void> => {
    const session = await host.processes.self();
    const { who, bootId, process } = operator;
    const text = JSON.stringify({ who, since, bootId, process, session } satisfies Holder);
    await take(host, { name: node.name, path, text, operator });
    held.push({ host, text });
  };
  try {
    // That of the controller first: of two who install the same plan, exactly one gets it.
    for (const target of targets.filter((each) => each.isController)) await takeOne(target);
    const others = await Promise.allSettled(targets.filter((each) => !each.isController).map(takeOne));
    for (const each of others) if (each.status === 'rejected') throw each.reason;
    return await use();
  } finally {
    // A machine that cannot be reached any more lets go by itself: the connection is what counts.
    await Promise.allSettled(held.map(({ host, text }) => host.swapText(path, text, '')));
  }
}

interface Taking {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  readonly operator: Operator;
}

async function take(host: RemoteHost, { name, path, text, operator }: Taking): Promise<void> {
  let dead = '';
  let holder: Holder | undefined;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const swap = await host.swapText(path, dead, text);
    if (swap.isDone) return;
    holder = readHolder(swap.now);
    if (holder !== undefined && (await isHeld(host, holder, operator))) break;
    dead = swap.now;
  }
  throw new AppError(
    'precondition',
    `${holder?.who ?? 'somebody'} is installing on ${name}, since ${holder?.since ?? 'just now'}; nothing was changed`,
    {
      reason: 'InstallUnderWay',
      resource: `node ${name}`,
      hint: 'wait until that has ended; one that died elsewhere lets go a minute later, when its ssh connection has ended',
    },
  );
}

/** From the same machine the program itself is seen; from elsewhere only what serves its connection. */
function isHeld(host: RemoteHost, { bootId, process, session }: Holder, operator: Operator): Promise<boolean> {
  return bootId === operator.bootId ? operator.isAlive(process) : host.processes.isAlive(session);
}

function readHolder(text: string): Holder | undefined {
  try {
    return Holder.parse(JSON.parse(text));
  } catch {
    // Half written by somebody who died at it: it is nobody's.
    return undefined;
  }
}
