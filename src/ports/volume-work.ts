/**
 * Work on what a volume holds, which a person asks for once with a Task. Every call is safe to repeat. Refusals are
 * AppErrors with the engine's own words; kind unavailable or conflict when trying again may help.
 */

/** What a volume has to heal, over all its copies. */
export interface HealState {
  /** Entries that are not the same on all copies; undefined while a copy cannot be asked. */
  readonly pending: number | undefined;
  /** Entries of which nobody can tell which copy is right. */
  readonly splitBrain: number;
  /** Nodes whose copy could not be asked. */
  readonly silent: readonly string[];
}

export interface VolumeWork {
  /** Sends the engine over everything that it knows to differ. @throws {AppError} unavailable, while it cannot */
  startHeal(volume: string, options: { readonly isFull: boolean; readonly signal: AbortSignal }): Promise<void>;
  healState(volume: string, signal: AbortSignal): Promise<HealState>;
}
