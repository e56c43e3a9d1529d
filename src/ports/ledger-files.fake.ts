/** Files in memory that can fail and crash the way disks and network file systems do. */
import { AppError } from '../domain/errors.ts';
import type { DurableFile, LedgerFiles } from './ledger-files.ts';

type Operation = 'open' | 'read' | 'write' | 'sync' | 'truncate';

interface StoredFile {
  /** What a reader sees now. */
  bytes: Uint8Array;
  /** What would be there after a power cut. */
  durable: Uint8Array;
}

/** An injected error. */
export interface Failure {
  /** The system's error code: EIO, ENOTCONN. */
  readonly code: string;
  /** Of a failing write: how many of its bytes reach the file all the same. */
  readonly bytesWritten?: number;
}

export interface FakeLedgerFiles extends LedgerFiles {
  /** Asked before each operation; an answer makes it fail. */
  failWhen(decide: (operation: Operation, path: string) => Failure | undefined): void;
  /** From now on sync says yes and does nothing, as a disk with a lying cache. */
  lieAboutSync(): void;
  /**
   * Power cut: open files become unusable, and each file is what was synced, followed by `keptBytes` of what was
   * written behind it since.
   */
  crash(keptBytes?: number): void;
  /** The mount is gone: the file is not there. */
  remove(path: string): void;
  bytesOf(path: string): Uint8Array;
}

/** Creates an empty disk for tests. */
export function createFakeLedgerFiles(): FakeLedgerFiles {
  const files = new Map<string, StoredFile>();
  let decide: (operation: Operation, path: string) => Failure | undefined = () => undefined;
  let isLying = false;
  let generation = 0;

  const failIfTold = (operation: Operation, path: string): void => {
    const failure = decide(operation, path);
    if (failure !== undefined) throw unavailable(failure.code, path);
  };

  const handle = (path: string, file: StoredFile): DurableFile => {
    const openedIn = generation;
    const use = (operation: Operation): void => {
      if (openedIn !== generation) throw unavailable('EIO', path);
      failIfTold(operation, path);
    };
    return {
      size: async () => file.bytes.length,
      read: async (offset, length) => {
        use('read');
        return file.bytes.slice(offset, offset + length);
      },
      write: async (offset, bytes) => {
        if (openedIn !== generation) throw unavailable('EIO', path);
        const failure = decide('write', path);
        const written = failure === undefined ? bytes : bytes.subarray(0, failure.bytesWritten ?? 0);
        file.bytes = overwrite(file.bytes, offset, written);
        if (failure !== undefined) throw unavailable(failure.code, path);
      },
      sync: async () => {
        use('sync');
        if (!isLying) file.durable = file.bytes;
      },
      truncate: async (size) => {
        use('truncate');
        file.bytes = file.bytes.slice(0, size);
      },
      close: async () => undefined,
    };
  };

  return {
    open: async (path, { create }) => {
      failIfTold('open', path);
      let file = files.get(path);
      if (file === undefined && !create) throw new AppError('notFound', `cannot open ${path}`, { reason: 'ENOENT' });
      file ??= { bytes: new Uint8Array(), durable: new Uint8Array() };
      files.set(path, file);
      return handle(path, file);
    },
    failWhen: (next) => {
      decide = next;
    },
    lieAboutSync: () => {
      isLying = true;
    },
    crash: (keptBytes = 0) => {
      generation += 1;
      for (const file of files.values()) {
        const kept = file.bytes.slice(file.durable.length, file.durable.length + keptBytes);
        file.bytes = overwrite(file.durable, file.durable.length, kept);
        file.durable = file.bytes;
      }
    },
    remove: (path) => {
      generation += 1;
      files.delete(path);
    },
    bytesOf: (path) => files.get(path)?.bytes ?? new Uint8Array(),
  };
}

function overwrite(old: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
  const next = new Uint8Array(Math.max(old.length, bytes.length === 0 ? 0 : offset + bytes.length));
  next.set(old);
  next.set(bytes, bytes.length === 0 ? 0 : offset);
  return next;
}

function unavailable(code: string, path: string): AppError {
  return new AppError('unavailable', `${path}: ${code}`, { reason: code });
}
