/** What a lockfile as npm writes it lacks, and what it has too much, for `npm ci` to work in silence everywhere. */
import { type LockedPackage, type LockedPackages, missingPlatforms } from './missing-platforms.ts';

/**
 * The packages with those for other platforms, and without the versions of Node they ask for: they run on the pinned
 * Node, and npm on an older one, which only starts that, would warn of what never runs on it.
 */
export function completeLockfile(packages: LockedPackages): LockedPackages {
  const all = Object.entries({ ...packages, ...missingPlatforms(packages) });
  // npm's own order, so that its next write changes nothing else.
  const sorted = all.toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  return Object.fromEntries(sorted.map(([path, entry]) => [path, path === '' ? entry : withoutEngines(entry)]));
}

function withoutEngines({ engines: _ignored, ...entry }: LockedPackage): LockedPackage {
  return entry;
}
