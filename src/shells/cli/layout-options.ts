/** The options that say how copies make a volume, the same in every command that takes them. */
import { type Command, Option } from 'commander';
import { AppError } from '../../domain/errors.ts';
import type { LayoutRequest } from '../../domain/volume/layout.ts';
import { LAYOUT_WORDS, type LayoutWord } from '../../domain/volume/striped.ts';
import { parsedOption } from './parsed-option.ts';

/** What commander makes of them. */
export interface LayoutOptions {
  readonly layout?: LayoutWord;
  readonly disperseData?: number;
  readonly redundancy?: number;
  readonly shard?: string;
  readonly allowSplitBrain?: boolean;
}

/** Adds them to a command; the numbers of replicas and sets have other names in each. */
export function addLayoutOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--layout <layout>', 'how copies make the volume; striped ones are made with shard').choices(
        LAYOUT_WORDS,
      ),
    )
    .addOption(
      parsedOption<number | undefined>(
        '--disperse-data <number>',
        'dispersed: fragments of each set that are needed to read the data (default: 2)',
        readWhole,
      ),
    )
    .addOption(
      parsedOption<number | undefined>(
        '--redundancy <number>',
        'dispersed: fragments of each set that may be lost (default: 1)',
        readWhole,
      ),
    )
    .option('--shard <size>', 'cut large files into pieces of this size, spread over the sets: 64Mi')
    .option('--allow-split-brain', 'accept 2 plain replicas, which can diverge');
}

/** What of a request they are. */
export function readLayoutOptions(options: LayoutOptions): Omit<LayoutRequest, 'replicas' | 'distribution'> {
  const { layout, disperseData, redundancy, shard, allowSplitBrain = false } = options;
  return {
    ...(layout === undefined ? {} : { layout }),
    ...(disperseData === undefined ? {} : { disperseData }),
    ...(redundancy === undefined ? {} : { redundancy }),
    ...(shard === undefined ? {} : { shard }),
    allowSplitBrain,
  };
}

/** @throws {AppError} invalid */
export function readWhole(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new AppError('invalid', `${JSON.stringify(text.slice(0, 40))} is not a whole number`);
}
