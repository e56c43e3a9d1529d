/** `node tools/docs/index.ts`: writes the generated pages of docs/reference anew, after commands, kinds or parameters changed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../project.ts';
import { generatePages } from './generated-pages.ts';

for (const { path, text } of await generatePages()) {
  writeFileSync(join(ROOT, path), text);
  console.log(`${path} was written`);
}
