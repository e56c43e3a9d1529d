/** Wires `holdfast ledger` to this machine. */
import { createLocalHost } from '../adapters/host/local-host.ts';
import { createLedgerFiles } from '../adapters/ledger/durable-files.ts';
import { createLedgerNetwork } from '../adapters/ledger/line-network.ts';
import { sha256 } from '../adapters/ledger/sha256.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { CommandModule } from '../shells/cli/command-entry.ts';
import { createLedgerCommand } from '../shells/cli/commands/ledger.ts';

/** The module of the command, for the `load` of its entry in the list of commands. */
export function ledgerCommand(deps: { readonly clock: Clock; readonly log: Logger }): CommandModule {
  return createLedgerCommand({
    files: createLedgerFiles(),
    network: createLedgerNetwork(),
    hash: sha256,
    log: deps.log,
    hostFiles: createLocalHost({ clock: deps.clock }).files,
  });
}
