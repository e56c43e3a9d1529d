/** lab.json of each lab below the folder of labs, changed under one lock for the whole machine. */
import { dirname, join } from 'node:path';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host } from '../../ports/host.ts';
import type { LabStore, LockedRecords } from '../../ports/lab.ts';
import { LabRecord } from '../../schemas/lab-record.ts';
import { lockFile } from '../system/file-lock.ts';
import { labFolder } from './layout.ts';

const LOCK_WAIT_MS = 30_000;
const REMOVE_TIMEOUT_MS = 60_000;

export interface LabStoreDeps {
  readonly clock: Clock;
  readonly machine: Host;
  readonly labsFolder: string;
}

/** Creates the store of lab records. */
export function createLabStore({ clock, machine, labsFolder }: LabStoreDeps): LabStore {
  const recordOf = (name: string) => join(labFolder(labsFolder, name), 'lab.json');
  const records: LockedRecords = {
    write: async (record) => {
      await machine.files.makeDirectory(labFolder(labsFolder, record.name), { mode: 0o700 });
      await machine.files.writeText(recordOf(record.name), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
    },
    remove: async (name) => {
      const folder = labFolder(labsFolder, name);
      // --one-file-system: were anything still mounted below, its content is not ours to delete.
      await machine.run({
        file: 'rm',
        args: ['-rf', '--one-file-system', '--', folder],
        timeoutMs: REMOVE_TIMEOUT_MS,
      });
    },
  };
  return {
    list: async () => {
      const names = await machine.files.list(labsFolder);
      return names.filter((name) => !name.startsWith('.'));
    },
    read: async (name) => {
      try {
        return parseRecord(await machine.files.readText(recordOf(name)), recordOf(name));
      } catch (error) {
        if (isAppError(error, 'notFound')) return undefined;
        throw error;
      }
    },
    locked: async (act) => {
      await machine.files.makeDirectory(dirname(labsFolder), { mode: 0o755 });
      await machine.files.makeDirectory(labsFolder, { mode: 0o700 });
      const release = await lock(clock, join(labsFolder, '.lock'));
      try {
        return await act(records);
      } finally {
        release();
      }
    },
  };
}

/** Undefined, which no record is, for a text that is no JSON. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says which file it was
  }
}

function parseRecord(text: string, path: string): LabRecord {
  const parsed = LabRecord.safeParse(readJson(text));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new AppError('invalid', `${path} is not the record of a lab (${where})`, {
    reason: 'LabRecordInvalid',
    hint: 'it was written by another version of Holdfast; remove that lab with the version that made it',
  });
}

async function lock(clock: Clock, path: string): Promise<() => void> {
  const release = await lockFile(clock, path, { waitMs: LOCK_WAIT_MS });
  if (release !== undefined) return release;
  throw new AppError('timeout', `another command has been changing the labs for ${LOCK_WAIT_MS / 1000} s`, {
    reason: 'LabsLocked',
    hint: `wait for it, or see who it is with: fuser -v ${path}`,
  });
}
