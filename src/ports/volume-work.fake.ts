/** Work on volumes in memory: a test says what there is to do, and sees what was asked for. */
import { AppError } from '../domain/errors.ts';
import { folderOf } from '../domain/volume/entry-path.ts';
import type { BrickWork, EntryVersion, SavedVersion } from './brick-work.ts';
import {
  type FullCrawl,
  type HealState,
  NOT_IN_SPLIT_BRAIN,
  type RebalanceState,
  type SplitBrainEntry,
  type VolumeWork,
} from './volume-work.ts';

export interface FakeVolumeWork extends VolumeWork {
  /** By volume; a volume that is not in it has nothing to heal. */
  readonly heals: Map<string, HealState>;
  readonly crawls: Map<string, readonly FullCrawl[]>;
  readonly rebalances: Map<string, RebalanceState>;
  readonly splitBrains: Map<string, readonly SplitBrainEntry[]>;
  /** Nodes whose copies are out of reach; as with GlusterFS, nothing is in split-brain then. */
  readonly silent: Set<string>;
  /** By brick path followed by the path of the entry. */
  readonly versions: Map<string, EntryVersion>;
  /** By Task, copy and path; kept when the version in the brick changes. */
  readonly saved: Map<string, SavedVersion>;
  /** What was asked for, in order: "startHeal gv0". */
  readonly calls: string[];
}

const IDLE: RebalanceState = { state: 'none', movedFiles: 0, movedBytes: 0, lookedAt: 0, failures: 0, skipped: 0 };

/** Creates one where there is nothing to do. */
export function createFakeVolumeWork(): FakeVolumeWork {
  const heals = new Map<string, HealState>();
  const crawls = new Map<string, readonly FullCrawl[]>();
  const rebalances = new Map<string, RebalanceState>();
  const splitBrains = new Map<string, readonly SplitBrainEntry[]>();
  const silent = new Set<string>();
  const versions = new Map<string, EntryVersion>();
  const saved = new Map<string, SavedVersion>();
  const calls: string[] = [];
  const state = { heals, crawls, rebalances, splitBrains, silent, versions, saved, calls };
  return { ...state, ...volumeSide(state), ...brickSide(state) };
}

type State = Omit<FakeVolumeWork, keyof VolumeWork>;

function volumeSide({ heals, crawls, rebalances, splitBrains, silent, versions, calls }: State) {
  /** Volume and folder: as GlusterFS does, it lists a folder until a heal has merged it. */
  const unmerged = new Set<string>();
  return {
    startHeal: async (volume: string, { isFull }: { readonly isFull: boolean }) => {
      calls.push(`startHeal ${volume}${isFull ? ' full' : ''}`);
      const left = (splitBrains.get(volume) ?? []).filter((entry) => !unmerged.has(`${volume} ${entry.path}`));
      splitBrains.set(volume, left);
    },
    healState: async (volume: string) => heals.get(volume) ?? { pending: 0, splitBrain: 0, silent: [] },
    fullCrawls: async (volume: string) => crawls.get(volume) ?? [],
    startRebalance: async (volume: string) => {
      calls.push(`startRebalance ${volume}`);
      rebalances.set(volume, { ...IDLE, state: 'running' });
    },
    rebalanceState: async (volume: string) => rebalances.get(volume) ?? IDLE,
    stopRebalance: async (volume: string) => void calls.push(`stopRebalance ${volume}`),
    listSplitBrain: async (volume: string) => ({
      entries: silent.size > 0 ? [] : (splitBrains.get(volume) ?? []),
      silent: [...silent],
    }),
    keepVersion: async (
      volume: string,
      { path, node, brickPath }: { readonly path: string; readonly node: string; readonly brickPath: string },
    ) => {
      if (silent.size > 0 || (splitBrains.get(volume) ?? []).every((entry) => entry.path !== path)) {
        throw new AppError('precondition', `${path} is not in split-brain`, { reason: NOT_IN_SPLIT_BRAIN });
      }
      const kept = versions.get(`${brickPath}${path}`);
      for (const key of versions.keys()) if (kept !== undefined && key.endsWith(path)) versions.set(key, kept);
      calls.push(`keepVersion ${volume} ${path} ${node}`);
      const before = splitBrains.get(volume) ?? [];
      const left = before.filter((entry) => entry.path !== path);
      splitBrains.set(volume, left);
      if (before.find((entry) => entry.path === path)?.kind !== 'identity') return;
      unmerged.add(`${volume} ${folderOf(path)}`);
      splitBrains.set(volume, [...left, { path: folderOf(path), kind: 'content' }]);
    },
  };
}

function brickSide({ versions, splitBrains, saved, calls }: State): BrickWork {
  return {
    inspectEntry: async (brickPath, path) => versions.get(`${brickPath}${path}`),
    saveEntry: async ({ brickPath, path, place }) => {
      const key = `${place.taskUid} ${place.copyUid} ${path}`;
      const version = saved.get(key) ?? versions.get(`${brickPath}${path}`);
      if (version === undefined) return undefined;
      calls.push(`saveEntry ${brickPath}${path}`);
      const kept = { ...version, savedIn: `${place.poolPath}/.holdfast/saved/${place.taskUid}` };
      saved.set(key, kept);
      return kept;
    },
    putBack: async ({ volume, path, from, aside }) => {
      calls.push(`putBack ${volume} ${path}`);
      const keyOf = ({ taskUid, copyUid }: typeof from) => `${taskUid} ${copyUid} ${path}`;
      const wanted = saved.get(keyOf(from));
      if (wanted === undefined) throw new AppError('notFound', `nothing of ${path} is put aside`);
      const current = [...versions].find(([key]) => key.endsWith(path))?.[1];
      if (current !== undefined && current.sha256 !== wanted.sha256 && !saved.has(keyOf(aside)))
        saved.set(keyOf(aside), { ...current, savedIn: `${aside.poolPath}/.holdfast/saved/${aside.taskUid}` });
      const { savedIn: _, ...version } = wanted;
      for (const key of versions.keys()) if (key.endsWith(path)) versions.set(key, version);
      return saved.get(keyOf(aside));
    },
    readEntry: async ({ volume, path }) => {
      const isSplit = (splitBrains.get(volume) ?? []).some((entry) => entry.path === path);
      const [seen] = [...versions].filter(([key]) => key.endsWith(path)).map(([, version]) => version);
      if (isSplit || seen === undefined) throw new AppError('unavailable', `${path} cannot be read`);
      return { gfid: seen.gfid, sha256: seen.sha256 ?? '' };
    },
    tidyUp: async ({ knownTasks }) => {
      const gone = [...saved.keys()].filter((key) => !knownTasks.has(key.split(' ')[0] ?? ''));
      for (const key of gone) saved.delete(key);
      return gone;
    },
  };
}
