/** The option of every plan command that reads a file. */
import type { Command } from 'commander';

export const DEFAULT_FILE = 'holdfast.yaml';

export interface FileOption {
  readonly file: string;
}

/** Adds `-f FILE`. */
export function addFileOption(command: Command): Command {
  return command.option('-f, --file <file>', 'plan file, or - for standard input', DEFAULT_FILE);
}
