/** Records of runs below the folder of their lab, with which they go. */
import { join } from 'node:path';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MachineHost } from '../../ports/host.ts';
import { type LabRuns, RUN_MARK } from '../../ports/lab-runs.ts';
import { LabRun } from '../../schemas/lab-run.ts';
import { lockFile } from '../system/file-lock.ts';
import { labFolder } from './layout.ts';
import { findLeftovers } from './leftovers.ts';

/** Whoever holds it may be waiting for a volume to be made. */
const LOCK_WAIT_MS = 5 * 60_000;
const POLL_MS = 100;
/** A program may start another one in the moment in which it is told to end. */
const ROUNDS = 5;

export interface LabRunsDeps {
  readonly clock: Clock;
  readonly machine: MachineHost;
  readonly labsFolder: string;
}

/** Creates the store of runs of the labs in a folder. */
export function createLabRuns({ clock, machine, labsFolder }: LabRunsDeps): LabRuns {
  const { files } = machine;
  const folderOf = (lab: string) => join(labFolder(labsFolder, lab), 'runs');
  const pathOf = (lab: string, id: string) => join(folderOf(lab), `${id}.json`);
  return {
    list: async (lab) => {
      const names = (await files.list(folderOf(lab))).filter((name) => name.endsWith('.json'));
      const runs = await Promise.all(names.map((name) => read(machine, join(folderOf(lab), name))));
      return runs.filter((run) => run !== undefined);
    },
    write: async (lab, run) => {
      await files.makeDirectory(folderOf(lab), { mode: 0o700 });
      await files.writeText(pathOf(lab, run.id), `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
    },
    remove: (lab, id) => files.remove(pathOf(lab, id)),
    lock: async (lab, volumeName, signal) => {
      await files.makeDirectory(folderOf(lab), { mode: 0o700 });
      const path = join(folderOf(lab), `${volumeName}.lock`);
      for (const end = clock.monotonic() + LOCK_WAIT_MS; ; await clock.sleep(POLL_MS, signal)) {
        const release = await lockFile(clock, path, { waitMs: 0 });
        if (release !== undefined) return release;
        if (clock.monotonic() < end) continue;
        throw new AppError(
          'timeout',
          `another run has been at work on ${volumeName} for ${LOCK_WAIT_MS / 60_000} min`,
          {
            reason: 'RunLocked',
            hint: `see who it is with: fuser -v ${path}`,
          },
        );
      }
    },
    endProcesses: async (id, { graceMs }) => {
      const scope = { about: `run ${id}`, marks: [`${RUN_MARK}=${id}`], images: [] };
      for (let round = 0; round < ROUNDS; round += 1) {
        const { processes } = await findLeftovers(machine, scope);
        if (processes.length === 0) return;
        // Those outside last: they wait for what they started, and tell how it ended.
        const inside = processes.filter((each) => each.isInside);
        const dying = inside.length > 0 ? inside : processes;
        await Promise.all(dying.map((process) => machine.processes.stop(process, { graceMs })));
      }
      throw new AppError('timeout', `processes of run ${id} go on starting others`, {
        reason: 'RunGoesOn',
        hint: `they have ${RUN_MARK}=${id} in their environment`,
      });
    },
  };
}

/** Undefined for one that has ended meanwhile. @throws {AppError} invalid, for one of another version */
async function read(machine: MachineHost, path: string): Promise<LabRun | undefined> {
  try {
    return LabRun.parse(JSON.parse(await machine.files.readText(path)));
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    if (isAppError(error)) throw error;
    throw new AppError('invalid', `${path} is not the record of a run`, {
      reason: 'RunRecordInvalid',
      hint: 'it was written by another version of Holdfast; what it is about goes with the lab',
      cause: error,
    });
  }
}
