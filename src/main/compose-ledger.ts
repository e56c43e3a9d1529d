/** Composition of the ledger: files that are synced, lines over TCP, SHA-256. */
import { createLedgerFiles } from '../adapters/ledger/durable-files.ts';
import { createLedgerNetwork } from '../adapters/ledger/line-network.ts';
import { sha256 } from '../adapters/ledger/sha256.ts';
import { createLogger, type LoggerOptions } from '../adapters/system/logger.ts';
import type { Clock } from '../ports/clock.ts';
import type { WriteLedgerDeps } from '../usecases/ledger/write.ts';

/** What writers, servers and checkers of a ledger need beside a clock. */
export function composeLedger(clock: Clock, log: LoggerOptions): Omit<WriteLedgerDeps, 'clock'> {
  return {
    files: createLedgerFiles(),
    network: createLedgerNetwork(),
    hash: sha256,
    log: createLogger({ clock }, log),
  };
}
