/** The ledger's own file: every acknowledgement, synced before it is given. */
import { AppError } from '../../domain/errors.ts';
import { formatEntry, type LedgerEntry, parseEntry } from '../../domain/ledger/entry.ts';
import type { DurableFile, LedgerFiles } from '../../ports/ledger-files.ts';
import { type ReadBytes, readLines } from './read-lines.ts';

const MAX_ENTRY_BYTES = 256;

/** The entries of a ledger's file in order. @throws {AppError} dataLoss, when a line before the last is none */
export async function* readEntries(read: ReadBytes, path: string): AsyncIterable<LedgerEntry> {
  let damagedLine: number | undefined;
  let line = 0;
  for await (const each of readLines(read, MAX_ENTRY_BYTES)) {
    line += 1;
    if (damagedLine !== undefined) {
      throw new AppError('dataLoss', `the ledger ${path} is damaged at line ${damagedLine}`, {
        resource: `ledger ${path}`,
        reason: 'LedgerDamaged',
        hint: 'begin a new ledger with another --store, and a new file with another --path',
      });
    }
    const entry = each.isEnded && each.text !== undefined ? parseEntry(each.text) : undefined;
    // A last line that is no entry was being written when the ledger died; nobody was told that it is kept.
    if (entry === undefined) damagedLine = line;
    else yield entry;
  }
}

export interface LedgerStore {
  /** Returns when the entry is on stable storage. After an error it may be called again with the same or another entry. */
  append(entry: LedgerEntry): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the ledger's file, creating it if need be, and hands every entry that it holds to `onEntry`.
 *
 * @throws {AppError} dataLoss when the file is damaged; notFound, denied, unavailable when it cannot be opened or read
 */
export async function openStore(
  files: LedgerFiles,
  path: string,
  onEntry: (entry: LedgerEntry) => void,
): Promise<LedgerStore> {
  let file: DurableFile | undefined = await files.open(path, { create: true });
  let end = 0;
  try {
    const opened = file;
    for await (const entry of readEntries((offset, length) => opened.read(offset, length), path)) {
      end += formatEntry(entry).length;
      onEntry(entry);
    }
    await file.truncate(end);
    await file.sync();
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    append: async (entry) => {
      const bytes = new TextEncoder().encode(formatEntry(entry));
      try {
        file ??= await files.open(path, { create: false });
        await file.write(end, bytes);
        await file.sync();
        end += bytes.length;
      } catch (error) {
        // Written over at the same place next time; see DurableFile.sync for why the file has to be opened anew.
        await file?.close();
        file = undefined;
        throw error;
      }
    },
    close: async () => {
      await file?.close();
      file = undefined;
    },
  };
}
