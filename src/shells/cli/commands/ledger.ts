/** `holdfast ledger`: prove that a storage keeps what it said is safe. */
import { type Command, Option } from 'commander';
import { parseQuantity } from '../../../domain/bytes.ts';
import { parseDuration } from '../../../domain/duration.ts';
import { AppError } from '../../../domain/errors.ts';
import type { Finding } from '../../../domain/ledger/check.ts';
import type { LedgerProgress } from '../../../domain/ledger/progress.ts';
import { MAX_PAYLOAD_BYTES } from '../../../domain/ledger/record.ts';
import { labelFault } from '../../../domain/names.ts';
import { formatSocketAddress, parseSocketAddress, type SocketAddress } from '../../../domain/socket-address.ts';
import type { HostFiles } from '../../../ports/host.ts';
import { checkLedgerFile, type LedgerCheckResult } from '../../../usecases/ledger/check.ts';
import { type LedgerServer, serveLedger } from '../../../usecases/ledger/serve.ts';
import { type WriteLedgerDeps, type WriteLedgerResult, writeLedger } from '../../../usecases/ledger/write.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { globalOptions } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { parsedOption } from '../parsed-option.ts';
import { type Column, renderPairs } from '../table.ts';

/** What the commands need besides the CLI's own context. */
export interface LedgerCommandDeps extends Omit<WriteLedgerDeps, 'clock'> {
  readonly hostFiles: Pick<HostFiles, 'readBytes'>;
}

interface ServeFlags {
  readonly store: string;
  readonly listen: SocketAddress;
}

interface WriteFlags {
  readonly ledger: SocketAddress;
  readonly writer: string;
  readonly payload: number;
  readonly rate?: number;
  readonly count?: number;
  readonly duration?: number;
  readonly onError: 'retry' | 'stop';
  readonly giveUpAfter: number;
}

interface CheckFlags {
  readonly store: string;
  readonly writer?: string;
}

const DEFAULT_LISTEN: SocketAddress = { host: '127.0.0.1', port: 7410 };

/** The module of the command, for the list of commands in src/main. */
export function createLedgerCommand(deps: LedgerCommandDeps): CommandModule {
  return {
    register: (command, context) => {
      registerServe(command, context, deps);
      registerWrite(command, context, deps);
      registerCheck(command, context, deps);
    },
  };
}

function registerServe(parent: Command, context: CliContext, deps: LedgerCommandDeps): void {
  parent
    .command('serve')
    .description('Keep what writers were told is safe. Run it on a machine that no fault of the test reaches.')
    .requiredOption('--store <file>', 'the ledger; goes on where it ended when the file exists')
    .addOption(
      parsedOption('--listen <host:port>', 'where to listen', parseSocketAddress).default(
        DEFAULT_LISTEN,
        formatSocketAddress(DEFAULT_LISTEN),
      ),
    )
    .action(async (flags: ServeFlags, command: Command) => {
      const server = await serveLedger(
        { ...deps, clock: context.clock },
        { storePath: flags.store, listen: flags.listen },
      );
      say(context, `the ledger listens at ${formatSocketAddress(server.address)}`);
      await aborted(context.signal);
      await server.close();
      await printProgress(context, command, server);
    });
}

function registerWrite(parent: Command, context: CliContext, deps: LedgerCommandDeps): void {
  parent
    .command('write <file>')
    .description('Write records to a file on the storage under test, sync each, and report it to the ledger.')
    .addOption(
      parsedOption('--ledger <host:port>', 'where the ledger listens', parseSocketAddress).makeOptionMandatory(),
    )
    .addOption(parsedOption('--writer <name>', 'name of this writer in the ledger', parseWriter).default('writer'))
    .addOption(parsedOption('--payload <size>', 'bytes in each record besides its head', parsePayload).default(256))
    .addOption(
      parsedOption(
        '--rate <number>',
        'at most so many records a second (default: as fast as they are kept)',
        parseRate,
      ),
    )
    .addOption(parsedOption('--count <number>', 'stop after so many records', parseCount))
    .addOption(parsedOption('--duration <time>', 'stop after this time, for example 30s', parseTime))
    .addOption(
      new Option('--on-error <what>', 'when the storage reports an error: write the record again, or stop')
        .choices(['retry', 'stop'])
        .default('retry'),
    )
    .addOption(
      parsedOption('--give-up-after <time>', 'how long one record may take', parseTime).default(120_000, '120s'),
    )
    .action(async (path: string, flags: WriteFlags, command: Command) => {
      const {
        payload: payloadBytes,
        rate,
        count,
        duration,
        giveUpAfter: giveUpAfterMs,
        ledger,
        writer,
        onError,
      } = flags;
      const result = await writeLedger(
        { ...deps, clock: context.clock },
        {
          ...{ path, ledger, writer, payloadBytes, onError, giveUpAfterMs, signal: context.signal },
          ...(rate === undefined ? {} : { ratePerSecond: rate }),
          ...(count === undefined ? {} : { count }),
          ...(duration === undefined ? {} : { durationMs: duration }),
        },
      );
      await printResult(context, globalOptions(command), { data: result, names: [], text: () => describeRun(result) });
    });
}

function registerCheck(parent: Command, context: CliContext, deps: LedgerCommandDeps): void {
  parent
    .command('check <file>')
    .description(
      'Read the file back and say what became of every record that was acknowledged. Exit code 8: not all is well.',
    )
    .requiredOption('--store <file>', 'the ledger that the file was written with')
    .addOption(parsedOption('--writer <name>', 'which writer, when the ledger has several', parseWriter))
    .action(async (path: string, flags: CheckFlags, command: Command) => {
      const readFrom = (file: string) => (offset: number, length: number) =>
        deps.hostFiles.readBytes(file, offset, length);
      const { arrivals: _, ...result } = await checkLedgerFile({
        hash: deps.hash,
        readFile: readFrom(path),
        readStore: readFrom(flags.store),
        storePath: flags.store,
        ...(flags.writer === undefined ? {} : { writer: flags.writer }),
      });
      await printResult(context, globalOptions(command), {
        data: result,
        names: [],
        text: () => describeVerdict(result),
      });
      if (!result.isIntact) throw notIntact(path, result);
    });
}

const PROGRESS_COLUMNS: readonly Column<LedgerProgress>[] = [
  { name: 'writer', value: (each) => each.writer },
  { name: 'acknowledged', value: (each) => each.acknowledged },
  {
    name: 'longest stall',
    value: (each) => (each.longestStall === undefined ? undefined : seconds(each.longestStall.ms)),
  },
  { name: 'last hash', value: (each) => each.lastHash, isWide: true },
];

async function printProgress(context: CliContext, command: Command, server: LedgerServer): Promise<void> {
  const items = server.progress();
  await printResult(context, globalOptions(command), {
    data: items,
    names: items.map((each) => `writer/${each.writer}`),
    table: { columns: PROGRESS_COLUMNS, items, empty: 'no writer came' },
  });
}

function describeRun(result: WriteLedgerResult): string {
  const errors = Object.entries(result.storageErrors).map(([code, count]) => `${code} x ${count}`);
  return renderPairs([
    ['acknowledged', `${result.acknowledged} in ${result.seconds.toFixed(1)} s, the last one ${result.lastSeq}`],
    ['storage errors', errors.join(', ') || 'none'],
    ['reconnects', result.reconnects],
  ]);
}

function describeVerdict(result: Omit<LedgerCheckResult, 'arrivals'>): string {
  const { longestStall } = result.progress;
  return renderPairs([
    ['acknowledged', result.acknowledged],
    ['found', result.found],
    ['lost', describeFinding(result.lost)],
    ['torn', describeFinding(result.torn)],
    ['reordered', describeFinding(result.reordered)],
    ['duplicated', describeFinding(result.duplicated)],
    ['altered', describeFinding(result.altered)],
    ['unacknowledged', describeFinding(result.unacknowledged)],
    [
      'longest stall',
      longestStall === undefined ? undefined : `${seconds(longestStall.ms)}, after record ${longestStall.afterSeq}`,
    ],
  ]);
}

function describeFinding(finding: Finding): string {
  return finding.firstSeq === undefined ? '0' : `${finding.count}, first at record ${finding.firstSeq}`;
}

function notIntact(path: string, result: Pick<LedgerCheckResult, 'lost' | 'acknowledged'>): AppError {
  const what = `${result.lost.count} of ${result.acknowledged} acknowledged records are lost`;
  return new AppError(
    'dataLoss',
    result.lost.count > 0 ? `${path}: ${what}` : `${path}: nothing is lost, but the file is not as it was written`,
    {
      resource: `file ${path}`,
      reason: 'LedgerNotIntact',
      hint: 'what each word above means is told in docs/reference/ledger-format.md',
    },
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function parseWriter(text: string): string {
  const fault = labelFault(text);
  if (fault !== undefined) throw new AppError('invalid', `the name of a writer ${fault}`);
  return text;
}

function parsePayload(text: string): number {
  const size = parseQuantity(text);
  if (size < 1 || size > MAX_PAYLOAD_BYTES) throw new AppError('range', 'a record holds from 1 byte to 1Mi');
  return size;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new AppError('invalid', 'expected a whole number from 1');
  return Number(text);
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!/^\d{1,6}(?:\.\d{1,3})?$/.test(text) || rate <= 0) throw new AppError('invalid', 'expected a number above 0');
  return rate;
}

function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms <= 0) throw new AppError('invalid', 'expected a time above 0');
  return ms;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
