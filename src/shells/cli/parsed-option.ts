/** Options whose values are more than text. */
import { InvalidArgumentError, Option } from 'commander';
import { messageOf } from '../../domain/errors.ts';

/**
 * Creates an option whose value is what `parse` makes of the text; what `parse` throws is told with the option's name.
 *
 * @param parse - for options that may be given several times it also gets what came before, or the default
 */
export function parsedOption<T>(flags: string, description: string, parse: (text: string, previous: T) => T): Option {
  return new Option(flags, description).argParser((text: string, previous: T) => {
    try {
      return parse(text, previous);
    } catch (error) {
      throw new InvalidArgumentError(messageOf(error));
    }
  });
}
