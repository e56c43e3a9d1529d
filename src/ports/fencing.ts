/**
 * What an engine lets see of who is connected to the copies of a volume, for the proof that a fenced node is not. The
 * refusal itself is part of what a volume is wanted to be: DesiredVolume.refusal.
 */
import type { EngineVolumeName } from '../domain/names.ts';

export interface BrickClients {
  /** What the engine calls the machine of the brick. */
  readonly host: string;
  readonly path: string;
  /** Addresses of those that are connected; undefined while its process does not run. */
  readonly clients: readonly string[] | undefined;
}

export interface BrickCalls {
  readonly host: string;
  readonly path: string;
  /** What it works on. A call has the same mark in each look; two calls may share one. */
  readonly calls: readonly string[];
}

export interface EngineFencing {
  /** Bricks that did not answer are missing. @throws {AppError} unavailable */
  clients(volume: EngineVolumeName, signal: AbortSignal): Promise<readonly BrickClients[]>;
  /** Bricks that did not answer are missing. @throws {AppError} unavailable */
  calls(volume: EngineVolumeName, signal: AbortSignal): Promise<readonly BrickCalls[]>;
  /**
   * On the node that was fenced: the engine's own daemons, which were refused too, reach the other nodes again. Repeated, it
   * does no harm.
   *
   * @param addresses - of this node
   * @throws {AppError} unavailable, while a volume refuses them still
   */
  comeBack(addresses: readonly string[], signal: AbortSignal): Promise<void>;
}
