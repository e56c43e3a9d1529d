/**
 * Work on what a volume holds, which a person asks for once with a Task. Every call is safe to repeat. Refusals are
 * AppErrors with the engine's own words; kind unavailable or conflict when trying again may help.
 */
import type { EngineVolumeName } from '../domain/names.ts';
import type { BrickWork } from './brick-work.ts';

/** What a volume has to heal, over all its copies. */
export interface HealState {
  /** Entries that are not the same on all copies; undefined while a copy cannot be asked. */
  readonly pending: number | undefined;
  /** Entries of which nobody can tell which copy is right. */
  readonly splitBrain: number;
  /** Nodes whose copy could not be asked. */
  readonly silent: readonly string[];
}

/** A look at everything, as the engine's daemons report it: by node, when it began and whether it has ended. */
export interface FullCrawl {
  readonly id: string;
  readonly isEnded: boolean;
}

export interface RebalanceState {
  readonly state: 'none' | 'running' | 'done' | 'stopped' | 'failed';
  readonly movedFiles: number;
  readonly movedBytes: number;
  readonly lookedAt: number;
  readonly failures: number;
  readonly skipped: number;
}

/** An entry whose copies contradict each other. */
export interface SplitBrainEntry {
  /** From the root of the volume; "gfid:UUID" where the engine does not know its name. */
  readonly path: string;
  /** content: data, owner or mode differ. identity: made on several nodes at once, so they are different entries of one name. */
  readonly kind: 'content' | 'identity';
}

export interface SplitBrainLook {
  readonly entries: readonly SplitBrainEntry[];
  /** Nodes whose copy could not be asked: there may be more. */
  readonly silent: readonly string[];
}

/** Reason of an error: the copies of the entry do not contradict each other, or no longer. */
export const NOT_IN_SPLIT_BRAIN = 'NotInSplitBrain';

export interface VolumeWork extends BrickWork {
  /**
   * Sends the engine over everything that it knows to differ, or over everything.
   *
   * @throws {AppError} unavailable, while it cannot
   */
  startHeal(
    volume: EngineVolumeName,
    options: { readonly isFull: boolean; readonly signal: AbortSignal },
  ): Promise<void>;
  healState(volume: EngineVolumeName, signal: AbortSignal): Promise<HealState>;
  fullCrawls(volume: EngineVolumeName, signal: AbortSignal): Promise<readonly FullCrawl[]>;

  /** Lays folders out over all sets of copies, and moves files to where they belong. */
  startRebalance(volume: EngineVolumeName, signal: AbortSignal): Promise<void>;
  rebalanceState(volume: EngineVolumeName, signal: AbortSignal): Promise<RebalanceState>;
  /** No error when none runs. */
  stopRebalance(volume: EngineVolumeName, signal: AbortSignal): Promise<void>;

  listSplitBrain(volume: EngineVolumeName, signal: AbortSignal): Promise<SplitBrainLook>;
  /**
   * Makes one copy's version of an entry the only one. What the others held is gone then.
   *
   * @throws {AppError} precondition with reason {@link NOT_IN_SPLIT_BRAIN}, when there is nothing to choose
   */
  keepVersion(
    volume: EngineVolumeName,
    choice: { readonly path: string; readonly node: string; readonly brickPath: string },
    signal: AbortSignal,
  ): Promise<void>;
}
