/** `node tools/lockfile/index.ts`: completes package-lock.json after dependencies changed; see complete-lockfile.ts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../project.ts';
import { completeLockfile } from './complete-lockfile.ts';
import type { LockedPackages } from './missing-platforms.ts';

const file = join(ROOT, 'package-lock.json');
const before = readFileSync(file, 'utf8');
const lock = JSON.parse(before) as { packages: LockedPackages };
lock.packages = completeLockfile(lock.packages);
const after = `${JSON.stringify(lock, undefined, 2)}\n`;
if (after !== before) writeFileSync(file, after);
console.log(after === before ? 'package-lock.json is complete' : 'package-lock.json was completed');
