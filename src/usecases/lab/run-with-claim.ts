/** `lab run`: a command in a host of a lab with the volume of a claim, which comes and goes with it as with a pod. */
import { volumeNameOf } from '../../domain/csi/claims.ts';
import { messageOf } from '../../domain/errors.ts';
import type { CsiDriver } from '../../ports/csi-driver.ts';
import type { HostProcesses } from '../../ports/host.ts';
import { type LabRuns, RUN_MARK } from '../../ports/lab-runs.ts';
import type { Random } from '../../ports/random.ts';
import type { Claim } from '../../schemas/claim.ts';
import type { LabRun } from '../../schemas/lab-run.ts';
import {
  type CallDeps,
  deleteVolume,
  detach,
  listVolumes,
  mount,
  type Patience,
  provision,
  type Reach,
  unmountFromPod,
} from './claimed-volume.ts';
import type { Lab } from './labs.ts';

/** What of a lab a run has to do with. */
export type RunLab = Pick<Lab, 'name' | 'host'>;

export interface RunDeps extends CallDeps {
  readonly random: Random;
  readonly runs: LabRuns;
  /** Of this machine. */
  readonly processes: HostProcesses;
  /** The driver's controller service of a lab. @throws {AppError} precondition, when the lab serves no CSI */
  readonly controllerOf: (lab: RunLab) => Promise<CsiDriver>;
  /** The node service of a host; undefined while it is off. */
  readonly nodeOf: (lab: RunLab, host: string) => Promise<CsiDriver | undefined>;
}

export interface RunRequest {
  readonly lab: RunLab;
  readonly host: string;
  readonly claim: Claim;
  readonly command: { readonly file: string; readonly args: readonly string[] };
  /** Else a volume that the run made goes with it; one that was there before never does. */
  readonly isVolumeKept: boolean;
  /** For bringing the volume, and once more for taking it away. */
  readonly timeoutMs: number;
}

interface Talk {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** What a program gets to end by itself. */
const GRACE_MS = 10_000;
/** A program that has ended leaves nobody behind whom one would wait for. */
const ORPHAN_GRACE_MS = 1_000;
/** For what a dead run has left: its host may be off. */
const TIDY_MS = 30_000;

/**
 * Runs the command and returns its exit code, with the volume taken away again however it ends.
 *
 * @throws {AppError} what the driver says, with the volume taken away; what it says while that is done, with the record of
 *   the run kept for the next one
 */
export async function runWithClaim(deps: RunDeps, request: RunRequest, talk: Talk): Promise<number> {
  const { lab, timeoutMs, claim } = request;
  await tidyRuns(deps, lab, { timeoutMs, ...talk });
  const volumeName = volumeNameOf(claim, deps.sha256);
  const begun: LabRun = {
    ...{ version: 1, id: deps.random.uuid(), owner: await deps.processes.self(), claim, volumeName },
    ...{ host: request.host, isVolumeDeleted: false, isVolumeKept: request.isVolumeKept },
  };
  talk.say(`claim ${claim.namespace}/${claim.name} is volume ${volumeName}`);
  const end = () => takeAway(deps, lab, begun.id, { timeoutMs, graceMs: ORPHAN_GRACE_MS });
  let code: number;
  try {
    const path = await bring(deps, request, begun, talk.signal);
    code = await execute(deps, request, { id: begun.id, path, signal: talk.signal });
  } catch (error) {
    // Of two failures the first is the cause; both are told.
    await end().catch((second: unknown) => talk.say(`what was begun could not be taken away: ${messageOf(second)}`));
    throw error;
  }
  await end();
  return code;
}

async function bring(deps: RunDeps, request: RunRequest, begun: LabRun, signal: AbortSignal): Promise<string> {
  const { lab, timeoutMs, isVolumeKept } = request;
  const { volumeName } = begun;
  const patience = { timeoutMs, signal };
  const release = await deps.runs.lock(lab.name, volumeName, signal);
  try {
    return await withReach(deps, lab, begun.host, async (reach) => {
      const before = await listVolumes(deps, reach, patience);
      // Written before the call: were this process killed in the middle, the volume may be there.
      const first = { ...begun, isVolumeDeleted: !isVolumeKept && !before.includes(volumeName) };
      await deps.runs.write(lab.name, first);
      const made = await provision(deps, reach, first, patience);
      await deps.runs.write(lab.name, made);
      return mount(deps, reach, made, patience);
    });
  } finally {
    release();
  }
}

/** Ends with the program, or ends it when the signal aborts. */
async function execute(
  deps: RunDeps,
  { lab, host, command }: RunRequest,
  { id, path, signal }: { readonly id: string; readonly path: string; readonly signal: AbortSignal },
): Promise<number> {
  signal.throwIfAborted();
  let ending: Promise<void> | undefined;
  const end = () => {
    ending = deps.runs.endProcesses(id, { graceMs: GRACE_MS });
    // Awaited below; until then nobody has to hear of it.
    ending.catch(() => undefined);
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    // tini: a terminal's Ctrl-C reaches the program alone, and what the program leaves behind is reaped.
    const args = ['-s', '--', command.file, ...command.args];
    const env = { [RUN_MARK]: id, HOLDFAST_VOLUME_PATH: path };
    return await lab.host(host).runAttached({ file: 'tini', args, env, cwd: path });
  } finally {
    signal.removeEventListener('abort', end);
    await ending;
  }
}

/** Undoes what runs whose process has died have left in a lab. What cannot be undone now is told, and stays recorded. */
async function tidyRuns(
  deps: RunDeps,
  lab: RunLab,
  { timeoutMs, signal, say }: Talk & { readonly timeoutMs: number },
): Promise<void> {
  for (const run of await deps.runs.list(lab.name)) {
    if (await deps.processes.isAlive(run.owner)) continue;
    signal.throwIfAborted();
    say(`taking away what a run of claim ${run.claim.name} on ${run.host} has left`);
    try {
      await takeAway(deps, lab, run.id, { timeoutMs: Math.min(timeoutMs, TIDY_MS), graceMs: GRACE_MS });
    } catch (error) {
      // A host that is off for good must not keep other claims from being used.
      say(`it could not be taken away: ${messageOf(error)}`);
    }
  }
}

/** Not ended by a signal: what is half taken away is of no use to anyone. */
async function takeAway(
  deps: RunDeps,
  lab: RunLab,
  id: string,
  { timeoutMs, graceMs }: { readonly timeoutMs: number; readonly graceMs: number },
): Promise<void> {
  const { runs } = deps;
  const volumeName = (await runs.list(lab.name)).find((each) => each.id === id)?.volumeName;
  if (volumeName === undefined) return;
  await runs.endProcesses(id, { graceMs });
  const { signal } = new AbortController();
  const release = await runs.lock(lab.name, volumeName, signal);
  try {
    const users = (await runs.list(lab.name)).filter((each) => each.volumeName === volumeName);
    const run = users.find((each) => each.id === id);
    // Another command has just done it.
    if (run === undefined) return;
    const others = users.filter((each) => each !== run);
    await withReach(deps, lab, run.host, (reach) =>
      undo(deps, { lab: lab.name, reach, run, others, timeoutMs, signal }),
    );
    await runs.remove(lab.name, id);
  } finally {
    release();
  }
}

interface Undone extends Patience {
  readonly lab: string;
  readonly reach: Reach;
  readonly run: LabRun;
  /** Those that use the volume too. */
  readonly others: readonly LabRun[];
}

async function undo(deps: RunDeps, { lab, reach, run, others, ...patience }: Undone): Promise<void> {
  await unmountFromPod(deps, reach, run, patience);
  if (!others.some((other) => other.host === run.host)) await detach(deps, reach, run, patience);
  if (!run.isVolumeDeleted || others.some((other) => other.isVolumeKept)) return;
  const [heir] = others;
  if (heir === undefined) await deleteVolume(deps, reach, run, patience);
  else await deps.runs.write(lab, { ...heir, isVolumeDeleted: true });
}

async function withReach<T>(deps: RunDeps, lab: RunLab, host: string, use: (reach: Reach) => Promise<T>): Promise<T> {
  const controller = await deps.controllerOf(lab);
  try {
    const node = await deps.nodeOf(lab, host);
    try {
      return await use({ controller, node, files: lab.host(host).files });
    } finally {
      node?.close();
    }
  } finally {
    controller.close();
  }
}
