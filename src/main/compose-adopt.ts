/** Composition of `plan adopt`: a machine of the pool, and the plan file that it is written into. */
import { mkdtemp, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLocalHost } from '../adapters/host/local-host.ts';
import { ADOPTED_HEADER, addAdoptedToPlan } from '../adapters/plan-file/add-adopted.ts';
import { parsePlan } from '../adapters/plan-file/parse-plan.ts';
import { createSshHost } from '../adapters/ssh/ssh-host.ts';
import { createSystemClock } from '../adapters/system/clock.ts';
import { createSystemRandom } from '../adapters/system/random.ts';
import { AppError } from '../domain/errors.ts';
import { sshLoginOf } from '../domain/install/ssh-login.ts';
import { nodeNameOf } from '../domain/plan/node-name.ts';
import { createGlusterPoolReader } from '../engines/gluster/index.ts';
import type { Host } from '../ports/host.ts';
import type { PlanFile } from '../schemas/plan-file.ts';
import { PlanSsh } from '../schemas/plan-file.ts';
import type { ComposeAdoption } from '../shells/cli/commands/plan-adopt.ts';
import type { AdoptedPlanFile } from '../usecases/plan/adopt-pool.ts';

/** Creates everything that adopting needs; `close` lets go of it. */
export const composeAdoption: ComposeAdoption = async ({ file, poolOf, ssh: given, env, signal }) => {
  const clock = createSystemClock();
  const machine = createLocalHost({ clock });
  const text = file === '-' ? undefined : await readPlanText(machine, resolve(file));
  const plan = text === undefined ? undefined : parsePlan(new TextEncoder().encode(text), file);
  const ssh = given === undefined ? undefined : fillIn(given, plan);
  const reached = await reach(
    poolOf,
    { ...plan, ...(ssh === undefined ? {} : { ssh }) },
    { machine, clock, env, signal },
  );
  return {
    reader: createGlusterPoolReader({ host: reached.host, clock, random: createSystemRandom() }),
    file: planFileOf(machine, { file, text, plan, ssh }),
    close: reached.close,
  };
};

type Machine = ReturnType<typeof createLocalHost>;

function planFileOf(
  machine: Machine,
  known: {
    readonly file: string;
    readonly text: string | undefined;
    readonly plan: PlanFile | undefined;
    readonly ssh: PlanSsh | undefined;
  },
): AdoptedPlanFile {
  const { file, plan, ssh } = known;
  return {
    plan,
    add: (found) => {
      const text = addAdoptedToPlan(known.text ?? ADOPTED_HEADER, { ...found, ...(ssh === undefined ? {} : { ssh }) });
      parsePlan(new TextEncoder().encode(text), file === '-' ? 'the plan' : file);
      const write = async () => {
        const stat = await machine.files.stat(resolve(file));
        const mode = stat?.type === 'file' ? stat.mode : 0o644;
        await machine.files.writeText(resolve(file), text, { mode });
      };
      return { text, write };
    },
  };
}

/** What the plan says counts, in its own words or in Kismatic's. @throws {AppError} invalid */
function fillIn(given: PlanSsh, plan: PlanFile | undefined): PlanSsh {
  const { user, port, keyFile } = sshLoginOf(plan ?? {});
  const kismatic = { user, port, ...(keyFile === undefined ? {} : { key: keyFile }) };
  const said = plan?.ssh ?? (plan?.cluster === undefined ? {} : kismatic);
  const parsed = PlanSsh.safeParse({ ...given, ...absolute(given), ...said });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError('invalid', `ssh ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not usable'}`);
}

/** Paths of the command line are meant from here; a plan has absolute ones. */
function absolute({ key, known_hosts: knownHosts }: PlanSsh): Partial<PlanSsh> {
  return {
    ...(key === undefined ? {} : { key: resolve(key) }),
    ...(knownHosts === undefined ? {} : { known_hosts: resolve(knownHosts) }),
  };
}

async function readPlanText(machine: Machine, path: string): Promise<string | undefined> {
  if ((await machine.files.stat(path)) === undefined) return undefined;
  return machine.files.readText(path);
}

interface ReachDeps {
  readonly machine: Machine;
  readonly clock: ReturnType<typeof createSystemClock>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

async function reach(
  poolOf: string | undefined,
  plan: Pick<PlanFile, 'storage' | 'ssh' | 'cluster'>,
  { machine, clock, env, signal }: ReachDeps,
): Promise<{ readonly host: Host; close(): Promise<void> }> {
  if (poolOf === undefined) return { host: machine, close: async () => undefined };
  const node = (plan.storage?.nodes ?? []).find((each) => nodeNameOf(each.host) === nodeNameOf(poolOf));
  const name = node?.host ?? poolOf;
  // Below the system's own folder: the path of a socket must be short.
  const controlFolder = await mkdtemp(join(tmpdir(), 'holdfast-ssh-'));
  const agentSocket = env['SSH_AUTH_SOCK'];
  const deps = { clock, machine, controlFolder, ...(agentSocket === undefined ? {} : { agentSocket }) };
  const address = isIP(poolOf) === 0 ? (node?.ip ?? poolOf) : poolOf;
  const host = createSshHost(deps, { name, address, ...sshLoginOf(plan) });
  const close = async () => {
    await host.close();
    await rm(controlFolder, { recursive: true, force: true });
  };
  try {
    await host.open(signal);
    return { host, close };
  } catch (error) {
    await close();
    throw error;
  }
}
