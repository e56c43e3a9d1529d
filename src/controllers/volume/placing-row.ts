/**
 * Volumes that are placed one right after the other: what room is promised to is read for the first of them, and each next one
 * adds its own place to that. A hundred claims at once would read all volumes and copies a hundred times otherwise.
 *
 * Invariant: a reading is used only in the turn that follows the one that it is of, so that nobody else can have promised room since.
 */
import type { Clock } from '../../ports/clock.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { Turn } from '../runtime/turns.ts';
import type { Reading } from './look-at-volume.ts';

type StoredVolume = Resource<'Volume'>;

/** Room that becomes free is seen again after so long at the latest, however long the row is. */
const MAX_AGE_MS = 5_000;

interface Change {
  readonly before: StoredVolume;
  /** Undefined when it is gone. */
  readonly stored: StoredVolume | undefined;
}

export interface PlacingRow {
  /** What was read for the turn before, with what that one promised; undefined where it has to be read. */
  readingFor(turn: Turn, volume: StoredVolume): Reading | undefined;
  /** Notes what was stored in a turn, and what was read for it. */
  add(turn: Turn, reading: Reading, change: Change): void;
  /** True for a volume as it was before this row placed it: the news of that is on its way. */
  isPlaced(volume: StoredVolume): boolean;
}

/** Creates an empty row. */
export function createPlacingRow(clock: Clock): PlacingRow {
  let kept: { readonly turn: number; readonly readAt: number; readonly reading: Reading } | undefined;
  /** Of volumes before they were placed, by name. */
  const versions = new Map<string, string>();
  return {
    readingFor: (turn, volume) => {
      const found = kept;
      kept = undefined;
      if (found === undefined || turn.number !== found.turn + 1 || !isNew(volume)) return undefined;
      if (clock.monotonic() - found.readAt > MAX_AGE_MS) return undefined;
      kept = found;
      return found.reading;
    },
    add: (turn, reading, { before, stored }) => {
      const { name, uid, resourceVersion } = before.metadata;
      const readAt = kept?.reading.allVolumes === reading.allVolumes ? kept.readAt : clock.monotonic();
      kept = undefined;
      if (!isNew(before) || stored?.status?.placement === undefined) return;
      versions.set(name, resourceVersion);
      // All there is stays in memory only for somebody who comes next.
      if (!turn.isAwaited()) return;
      const volumes = [...reading.allVolumes().filter(({ metadata }) => metadata.uid !== uid), stored];
      kept = { turn: turn.number, readAt, reading: { ...reading, allVolumes: () => volumes } };
    },
    isPlaced: ({ metadata }) => {
      const isBefore = versions.get(metadata.name) === metadata.resourceVersion;
      if (!isBefore) versions.delete(metadata.name);
      return isBefore;
    },
  };
}

/** It is placed for the first time, and begins empty. */
function isNew({ metadata, spec, status }: StoredVolume): boolean {
  return metadata.deletionTimestamp === undefined && status?.placement === undefined && spec.source === undefined;
}
