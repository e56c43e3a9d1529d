/** A ledger writer as a process of its own, for tests that kill it: arguments are the file, the ledger's port and a payload size. */
import { createLedgerFiles } from '../../src/adapters/ledger/durable-files.ts';
import { createLedgerNetwork } from '../../src/adapters/ledger/line-network.ts';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { writeLedger } from '../../src/usecases/ledger/write.ts';

const [path = '', port = '', payloadBytes = ''] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

const result = await writeLedger(
  {
    clock: createSystemClock(),
    files: createLedgerFiles(),
    network: createLedgerNetwork(),
    hash: sha256,
    log: createFakeLogger(),
  },
  {
    path,
    writer: 'w1',
    ledger: { host: '127.0.0.1', port: Number(port) },
    payloadBytes: Number(payloadBytes),
    onError: 'retry',
    giveUpAfterMs: 10_000,
    signal: stop.signal,
  },
);
console.log(JSON.stringify(result));
