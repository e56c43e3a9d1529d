/** What the code of an action is given, and what it answers. */
import type { Resource } from '../../../ports/resource-client.ts';
import type { TaskPart } from '../../../schemas/task.ts';
import type { AgentDeps } from '../agent-deps.ts';

export interface TaskContext {
  readonly deps: AgentDeps;
  readonly task: Resource<'Task'>;
  /** The volume that the Task names, of the UID that it names. */
  readonly volume: Resource<'Volume'> | undefined;
  /** What this node reported last, also before a restart of the agent. */
  readonly part: TaskPart | undefined;
  /** This node leads: it is the one named, or the anchor of the volume. */
  readonly isLead: boolean;
  readonly signal: AbortSignal;
  /** Reports in the middle of a long step; the answer of the step is reported by itself. */
  report(part: TaskPart): Promise<void>;
}

export interface TaskOutcome {
  readonly part: TaskPart;
  /** When it is still Running: call again after so long. Default 1 s. Other changes of the Task call it at once. */
  readonly againAfterMs?: number;
}

/**
 * An action. `run` is called until its part is finished, also after a restart of the agent in its middle: what it must
 * remember is in `part.result`. Thrown errors of kind unavailable, timeout, conflict and internal are tried again for a
 * while; all others fail the part with their message.
 */
export interface TaskRunner {
  run(context: TaskContext): Promise<TaskOutcome>;
  /** Stops what goes on by itself in the engine. Left out where nothing does. */
  cancel?(context: TaskContext): Promise<void>;
}
