/** The one place that writes text for a remote shell: sshd hands every command line to the user's login shell. */
import { AppError } from '../../domain/errors.ts';

/**
 * A word as a POSIX shell (sh, bash, dash, zsh, ksh) reads it back unchanged.
 *
 * @throws {AppError} invalid, for a NUL, which no argument of a program can hold
 */
export function quoteForShell(word: string): string {
  if (word.includes('\0'))
    throw new AppError('invalid', 'an argument of a command holds a NUL', { reason: 'BadArgument' });
  // Between single quotes only the single quote itself is special (POSIX.1-2017, Shell Command Language, 2.2.2).
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command line that starts exactly this program with exactly these arguments. */
export function shellLine(argv: readonly string[]): string {
  return argv.map(quoteForShell).join(' ');
}
