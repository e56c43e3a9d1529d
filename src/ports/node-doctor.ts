/** How an agent looks at its own machine for `holdfast doctor`, and the few repairs that cannot lose anything. */
import type { Repair } from '../domain/doctor/repair.ts';
import type { EngineFacts } from '../schemas/node-facts.ts';

export interface ExamineRequest {
  /** Pools of this node. */
  readonly pools: readonly { readonly name: string; readonly path: string }[];
}

/** What the engine knows of itself on one node. */
export interface EngineDoctor {
  /** Looks; changes nothing, and does not throw for what it finds missing: that is what it is asked for. */
  examine(request: ExamineRequest, signal: AbortSignal): Promise<EngineFacts>;
  /**
   * Carries out one repair, having looked once more whether it is still right. Safe to repeat.
   *
   * @throws {AppError} as the engine refuses it; precondition, when what is there is not what the repair is for
   */
  repair(repair: Repair, signal: AbortSignal): Promise<void>;
}

/** What an agent can tell without any engine. */
export interface NodeSenses {
  /** Undefined when something accepts a TCP connection there, else why not. */
  reach(endpoint: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<string | undefined>;
  /** Certificates that the agent works with; `notAfter` in milliseconds since the epoch. */
  certificates(): Promise<readonly { readonly name: string; readonly notAfter: number }[]>;
}
