/** `node tools/lockfile/index.ts`: completes package-lock.json after dependencies changed; see missing-platforms.ts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../project.ts';
import { type LockedPackages, missingPlatforms } from './missing-platforms.ts';

const file = join(ROOT, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: LockedPackages };
const missing = missingPlatforms(lock.packages);
const count = Object.keys(missing).length;
if (count > 0) {
  const all = Object.entries({ ...lock.packages, ...missing });
  // npm's own order, so that its next write changes nothing else.
  lock.packages = Object.fromEntries(all.toSorted(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
}
console.log(count === 0 ? 'package-lock.json is complete' : `added ${count} packages for other platforms`);
