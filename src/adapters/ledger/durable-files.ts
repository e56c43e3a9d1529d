/** Durable files on a real file system. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, type ErrorKind } from '../../domain/errors.ts';
import type { DurableFile, LedgerFiles } from '../../ports/ledger-files.ts';
import { syncFolder } from '../system/sync-folder.ts';

const { O_RDWR, O_CREAT, O_EXCL } = constants;

const OPEN_ERROR_KINDS: Readonly<Record<string, ErrorKind>> = {
  ENOENT: 'notFound',
  ENOTDIR: 'notFound',
  EACCES: 'denied',
  EPERM: 'denied',
  EISDIR: 'invalid',
};

/** Creates the durable files of this machine. */
export function createLedgerFiles(): LedgerFiles {
  return {
    open: async (path, { create }) => {
      try {
        return durableFile(path, await openFile(path, create));
      } catch (error) {
        const code = codeOf(error);
        throw new AppError(OPEN_ERROR_KINDS[code] ?? 'unavailable', `cannot open ${path}: ${describe(error)}`, {
          resource: `file ${path}`,
          reason: code,
          cause: error,
        });
      }
    },
  };
}

async function openFile(path: string, create: boolean): Promise<FileHandle> {
  try {
    return await open(path, O_RDWR);
  } catch (error) {
    if (!create || codeOf(error) !== 'ENOENT') throw error;
  }
  const handle = await open(path, O_RDWR | O_CREAT | O_EXCL, 0o644);
  try {
    await syncFolder(dirname(path));
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function durableFile(path: string, handle: FileHandle): DurableFile {
  const attempt = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (error) {
      const details = { resource: `file ${path}`, reason: codeOf(error), cause: error };
      throw new AppError('unavailable', `cannot ${what} ${path}: ${describe(error)}`, details);
    }
  };
  return {
    size: () => attempt('look at', async () => (await handle.stat()).size),
    read: (offset, length) =>
      attempt('read', async () => {
        const buffer = new Uint8Array(length);
        const { bytesRead } = await handle.read(buffer, 0, length, offset);
        return buffer.subarray(0, bytesRead);
      }),
    write: (offset, bytes) =>
      attempt('write to', async () => {
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
          done += bytesWritten;
        }
      }),
    sync: () => attempt('sync', () => handle.datasync()),
    truncate: (size) => attempt('cut', () => handle.truncate(size)),
    close: async () => {
      try {
        await handle.close();
      } catch {
        // A network file system may report an old write error here. Whoever needed that write has synced it, and knows.
      }
    },
  };
}

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'UNKNOWN';
}

/** Node's messages are "EIO: i/o error, write"; the call and path at their end are said already. */
function describe(error: unknown): string {
  return error instanceof Error ? error.message.replace(/, \w+(?: '.*')?$/, '') : String(error);
}
