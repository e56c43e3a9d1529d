/** Work on volumes in memory: a test says what there is to heal, and sees what was asked for. */
import type { HealState, VolumeWork } from './volume-work.ts';

export interface FakeVolumeWork extends VolumeWork {
  /** By volume; a volume that is not in it has nothing to heal. */
  readonly heals: Map<string, HealState>;
  /** What was asked for, in order: "startHeal gv0". */
  readonly calls: string[];
}

/** Creates one where there is nothing to do. */
export function createFakeVolumeWork(): FakeVolumeWork {
  const heals = new Map<string, HealState>();
  const calls: string[] = [];
  return {
    heals,
    calls,
    startHeal: async (volume, { isFull }) => void calls.push(`startHeal ${volume}${isFull ? ' full' : ''}`),
    healState: async (volume) => heals.get(volume) ?? { pending: 0, splitBrain: 0, silent: [] },
  };
}
