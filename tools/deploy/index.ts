/** `node tools/deploy/index.ts`: writes the generated files of deploy/ anew, after kinds or roles changed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../project.ts';
import { generateDeploy } from './generated-files.ts';

for (const { path, text } of generateDeploy()) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), text);
  console.log(`${path} was written`);
}
