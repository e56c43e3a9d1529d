/** Objects as the text of a file. */
import { stringify } from 'yaml';
import type { Json } from './crd-schema.ts';

const NOTE = '# This file is made by `node tools/deploy/index.ts`, from the program itself.';

/** One YAML document for each. */
export function documents(objects: readonly Json[]): string {
  const texts = objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }));
  return `${NOTE}\n${texts.map((text) => `---\n${text}`).join('')}`;
}
