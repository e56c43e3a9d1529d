/** Reads a pool of the engine that somebody else made, to take it over. */
import type { SeenPool } from '../domain/adopt/seen-pool.ts';

export interface PoolReader {
  /** Looks only. @throws {AppError} unavailable, when the engine's daemon does not run there */
  read(signal: AbortSignal): Promise<SeenPool>;
}
