/** How a failure is told on a terminal: the sentence, the faults, the next step; and the exit code. */
import { stripVTControlCharacters, styleText } from 'node:util';
import { AppError, type Fault, messageOf } from '../../domain/errors.ts';
import type { CliContext } from './context.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** More are counted, not shown: nobody corrects a hundred at once. */
const MAX_FAULTS = 50;

/** Prints a failure to stderr. @returns the exit code */
export function reportError(error: unknown, context: Pick<CliContext, 'stderr' | 'signal' | 'env'>): number {
  const isInterrupted = context.signal.aborted && !(error instanceof AppError && error.kind !== 'cancelled');
  if (isInterrupted) {
    context.stderr.write('interrupted\n');
    return EXIT_CODES.cancelled;
  }
  const label = paint(context, 'red', 'error:');
  if (!(error instanceof AppError)) {
    context.stderr.write(`${label} ${plain(messageOf(error))}\n`);
    const stack = error instanceof Error ? error.stack : undefined;
    if (context.env['HOLDFAST_DEBUG'] === '1' && stack !== undefined) context.stderr.write(`${stack}\n`);
    else context.stderr.write('hint: this is a mistake in Holdfast; HOLDFAST_DEBUG=1 shows where\n');
    return EXIT_CODES.internal;
  }
  const faults = error.faults.slice(0, MAX_FAULTS).map((fault) => `  ${describeFault(fault)}\n`);
  const more = error.faults.length - faults.length;
  if (more > 0) faults.push(`  and ${more} more\n`);
  const hint = error.hint === undefined ? '' : `${paint(context, 'cyan', 'hint:')} ${plain(error.hint)}\n`;
  context.stderr.write(`${label} ${plain(error.message)}\n${faults.join('')}${hint}`);
  return EXIT_CODES[error.kind];
}

function describeFault({ line, column, field, message }: Fault): string {
  const place = line === undefined ? '' : `line ${line}, column ${column ?? 1}: `;
  return plain(`${place}${field}: ${message}`);
}

/** Text that came from elsewhere must not steer the terminal. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
}

function paint({ stderr, env }: Pick<CliContext, 'stderr' | 'env'>, color: 'red' | 'cyan', text: string): string {
  const isPlain = stderr.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  // Whether to colour was decided from the context's own streams, not from the process's.
  return isPlain ? text : styleText(color, text, { validateStream: false });
}
