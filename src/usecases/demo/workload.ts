/** The demo's workload: a ledger writer in one host, and the ledger on this machine, outside all of them. */
import { join } from 'node:path';
import { AppError } from '../../domain/errors.ts';
import { formatSocketAddress } from '../../domain/socket-address.ts';
import { LAB_NODE, LAB_PACKAGE_FOLDER } from '../../ports/lab.ts';
import { serveLedger } from '../ledger/serve.ts';
import { startSilenceAlarm } from '../waiting/silence-alarm.ts';
import type { DemoDeps, Stage } from './stage.ts';

const WRITER = 'demo';
const DAEMON = 'ledger-writer';
/** Longest time without one acknowledged record; far above what a lost host costs (ping-timeout 5 s, twice at worst). */
const SILENCE_LIMIT_MS = 60_000;

export interface Workload {
  /** File on the volume, as hosts see it. */
  readonly path: string;
  /** The ledger's own file on this machine. */
  readonly storePath: string;
  acknowledged(): number;
  longestStallMs(): number;
  /** Resolves when so many more records have been acknowledged. */
  writeMore(count: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Starts both. @throws {AppError} as {@link serveLedger} */
export async function startWorkload(deps: DemoDeps, { cast, world }: Stage): Promise<Workload> {
  const path = join(cast.mountPath, 'ledger.log');
  const storePath = join(deps.controllerFolder(world.lab.name), 'ledger');
  const server = await serveLedger(deps, { storePath, listen: { host: world.lab.gateway, port: 0 } });
  await world.lab.startDaemon(cast.writer, {
    name: DAEMON,
    argv: [
      ...[LAB_NODE, `${LAB_PACKAGE_FOLDER}/dist/main.mjs`, 'ledger', 'write', path],
      ...['--ledger', formatSocketAddress(server.address), '--writer', WRITER],
    ],
  });
  const progress = () => server.progress().find((each) => each.writer === WRITER);
  const acknowledged = () => progress()?.acknowledged ?? 0;
  let closing: Promise<void> | undefined;
  return {
    path,
    storePath,
    acknowledged,
    longestStallMs: () => progress()?.longestStall?.ms ?? 0,
    writeMore: async (count, signal) => {
      const target = acknowledged() + count;
      const alarm = new AbortController();
      const silence = startSilenceAlarm(deps.clock, SILENCE_LIMIT_MS, () =>
        alarm.abort(writerSilent(world.lab.logOf(cast.writer, DAEMON))),
      );
      const either = AbortSignal.any([signal, alarm.signal]);
      try {
        for await (const news of server.watch(either)) {
          silence.heard();
          if (news.acknowledged >= target) return;
        }
        either.throwIfAborted();
      } finally {
        silence.stop();
      }
    },
    close: () => {
      closing ??= server.close();
      return closing;
    },
  };
}

function writerSilent(logFile: string): AppError {
  return new AppError('timeout', `no record was acknowledged for ${SILENCE_LIMIT_MS / 1000} s`, {
    reason: 'WriterSilent',
    hint: `see the writer's log: ${logFile}`,
  });
}
