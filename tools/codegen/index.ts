/** `node tools/codegen/index.ts`: writes src/gen anew, after a .proto file or a generator changed. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../project.ts';
import { generate } from './generate.ts';

const folder = join(ROOT, 'src/gen');
rmSync(folder, { recursive: true, force: true });
await generate(folder);
console.log('src/gen was written');
