/** `holdfast lab run`: a command in a host with the volume of a claim, through CSI. */
import type { Command } from 'commander';
import { parseClaim } from '../../../domain/csi/claims.ts';
import { AppError } from '../../../domain/errors.ts';
import { CSI_DRIVER } from '../../../domain/volume/persistent-volume.ts';
import type { Claim } from '../../../schemas/claim.ts';
import { describeRun, type PlannedCall } from '../../../usecases/lab/describe-run.ts';
import type { Labs } from '../../../usecases/lab/labs.ts';
import { type RunDeps, runWithClaim } from '../../../usecases/lab/run-with-claim.ts';
import type { CliContext } from '../context.ts';
import { CommandExit } from '../exit-codes.ts';
import { globalOptions } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import type { Column } from '../table.ts';
import { openLab } from './lab-choice.ts';

/** What only this verb needs. */
export interface LabRunDeps extends RunDeps {
  /** Text of a file on this machine. @throws {AppError} */
  readonly readFile: (path: string) => Promise<string>;
}

interface RunOptions {
  readonly name?: string;
  readonly claim: string;
  readonly host: string;
  readonly accessMode?: string;
  readonly keepVolume?: boolean;
  readonly dryRun?: boolean;
}

/** Registers the verb. */
export function registerRun(
  deps: { readonly labs: Labs; readonly composeRun: () => Promise<LabRunDeps> },
  command: Command,
  context: CliContext,
): void {
  command
    .description('Run a command in a host with the volume of a claim, through CSI; ends with its exit code')
    .option('--name <lab>', 'name of the lab, made with --csi; may be left out when there is only one')
    .requiredOption(
      '--claim <claim>',
      'NAME:SIZE, NAME:SIZE:KEY=VALUE,... with parameters of a class, or a file with a PersistentVolumeClaim',
    )
    .requiredOption('--host <host>', 'host to run in')
    .option('--access-mode <mode>', 'of NAME:SIZE: RWO, RWOP, ROX or RWX (default: RWO)')
    .option('--keep-volume', 'leave the volume for later runs; else it goes with the run that made it')
    .option('--dry-run', 'print the calls, and make none')
    .argument('<command...>', 'the command and its arguments, after --; it starts in the volume, $HOLDFAST_VOLUME_PATH')
    .usage('[options] --claim <claim> --host <host> -- <command...>')
    .action(async ([file = '', ...args]: string[], options: RunOptions, own: Command) => {
      const run = await deps.composeRun();
      const claim = await readClaim(run, options);
      const [isVolumeKept, { host }] = [options.keepVolume === true, options];
      if (options.dryRun === true) {
        const calls = await describeRun(run, { host, claim, command: [file, ...args], isVolumeKept }, context.signal);
        return printCalls(context, own, calls);
      }
      const lab = await openLab(deps, options.name);
      lab.addressOf(host);
      const { timeout: timeoutMs } = globalOptions(own);
      const request = { lab, host, claim, command: { file, args }, isVolumeKept, timeoutMs };
      const talk = { signal: context.signal, say: (line: string) => say(context, line) };
      const code = await runWithClaim(run, request, talk);
      if (code !== 0) throw new CommandExit(code);
    });
}

/** A file has a slash or an ending in its name; a claim's name has neither. */
async function readClaim({ readFile }: LabRunDeps, { claim, accessMode }: RunOptions): Promise<Claim> {
  const isFile = claim.includes('/') || /\.ya?ml$/.test(claim);
  if (!isFile) return parseClaim(claim, accessMode);
  if (accessMode !== undefined) {
    throw new AppError('invalid', '--access-mode is for NAME:SIZE: the claim in a file has its own', {
      hint: 'leave it out, or change the accessModes in the file',
    });
  }
  const { readClaimManifest } = await import('../../../schemas/claim-manifest.ts');
  return readClaimManifest(await readFile(claim), claim, CSI_DRIVER);
}

const COLUMNS: readonly Column<PlannedCall>[] = [
  { name: 'service', value: ({ service }) => service },
  { name: 'call', value: ({ call }) => call },
  { name: 'request', value: ({ request }) => JSON.stringify(request) },
];

async function printCalls(context: CliContext, own: Command, calls: readonly PlannedCall[]): Promise<void> {
  await printResult<PlannedCall>(context, globalOptions(own), {
    data: { items: calls },
    names: calls.map(({ call }) => `call/${call}`),
    table: { columns: COLUMNS, items: calls, empty: '' },
  });
}
