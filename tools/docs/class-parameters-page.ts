/** docs/reference/class-parameters.md: what a StorageClass may ask, from the table that reads it. */
import { PARAMETERS } from '../../src/domain/csi/parameter-table.ts';
import { PARAMETER_WORDS } from './class-parameter-words.ts';
import { code, markdownTable } from './markdown.ts';

/** No parameter means anything by this. */
const NONSENSE = '\u0000';

/** Writes the page. @throws {Error} naming the parameters that have no words, and words that have no parameter */
export function classParametersPage(note: string): string {
  const names = Object.keys(PARAMETERS);
  const silent = names.filter((name) => PARAMETER_WORDS[name] === undefined);
  const idle = Object.keys(PARAMETER_WORDS).filter((name) => PARAMETERS[name] === undefined);
  if (silent.length + idle.length > 0) {
    const lacks = silent.length === 0 ? '' : ` say what these mean: ${silent.join(', ')};`;
    const more = idle.length === 0 ? '' : ` these are read no more: ${idle.join(', ')};`;
    throw new Error(`tools/docs/class-parameter-words.ts:${lacks}${more}`);
  }
  return [
    '# Parameters of a StorageClass',
    note,
    'For classes with `provisioner: csi.holdfast.dev`. Each is read exactly; one that is unknown is refused with the nearest known one. [How to use them](../how-to/use-csi.md).',
    markdownTable(
      ['parameter', 'value', 'left out', 'what it means'],
      names.map((name) => [
        code(name),
        allowed(name),
        PARAMETER_WORDS[name]?.fallback ?? '',
        PARAMETER_WORDS[name]?.meaning ?? '',
      ]),
    ),
  ]
    .join('\n\n')
    .concat('\n');
}

/** What the table itself says about a value that it refuses. */
function allowed(name: string): string {
  const read = PARAMETERS[name]?.(NONSENSE);
  if (read === undefined || !('fault' in read)) return 'any';
  return read.fault.replace(/^(?:must|can only) be /, (start) => (start.startsWith('can') ? 'only ' : ''));
}
