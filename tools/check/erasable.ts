/**
 * Strips the types of every source file exactly as Node does when it runs a .ts file: what Node can't run is found here.
 * TypeScript's erasableSyntaxOnly says the same of our own files; vitest would accept enums, namespaces and the like.
 */
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { messageOf } from '../../src/domain/errors.ts';
import { ROOT } from '../project.ts';

// Node warns once that stripTypeScriptTypes may still change; the version of Node is pinned here.
process.removeAllListeners('warning');

const files = globSync(['src/**/*.ts', 'test/**/*.ts', 'tools/**/*.ts', 'bench/**/*.ts'], { cwd: ROOT }).toSorted();
let faults = 0;
for (const file of files) {
  try {
    stripTypeScriptTypes(readFileSync(join(ROOT, file), 'utf8'), { mode: 'strip' });
  } catch (error) {
    faults += 1;
    console.error(`${file}: ${messageOf(error)}`);
  }
}
console.log(`stripped ${files.length} files`);
process.exitCode = faults === 0 ? 0 : 1;
