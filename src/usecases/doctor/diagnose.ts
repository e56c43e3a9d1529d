/** Looks at the whole cluster for `holdfast doctor`: what the API holds, and what each agent sees on its machine. */

import { judge } from '../../domain/doctor/judge.ts';
import {
  type DoctorWorld,
  type Examination,
  factsOf,
  isHeard,
  type Judged,
  nameOf,
} from '../../domain/doctor/world.ts';
import { AppError, messageOf } from '../../domain/errors.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { nearest } from '../../domain/nearest.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { NodeFacts } from '../../schemas/node-facts.ts';
import { type RunTaskDeps, runTask } from '../tasks/run-task.ts';

export interface DiagnoseOptions {
  /** Only this node, and what is found about it. */
  readonly node?: string;
  /** How long to wait for an agent. */
  readonly waitMs: number;
  /** Of the program that asks. */
  readonly version: string;
  readonly signal?: AbortSignal;
}

export interface Diagnosis {
  readonly judged: readonly Judged[];
  /** What was seen, by node. */
  readonly facts: ReadonlyMap<string, NodeFacts>;
}

/** creationTimestamp is rounded down to whole seconds. */
const TIMESTAMP_STEP_MS = 1_000;
/** Nodes looked at together. */
const AT_ONCE = 32;

/**
 * Asks every agent that is heard, reads the API, and judges both.
 *
 * @throws {AppError} notFound, when there is no node of that name
 */
export async function diagnose(deps: RunTaskDeps, options: DiagnoseOptions): Promise<Diagnosis> {
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const { items } = await deps.client.list('StorageNode', scope);
  const wanted = choose(items, options.node).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const examinations = new Map<string, Examination>();
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const batch = wanted.slice(at, at + AT_ONCE);
    const seen = await Promise.all(batch.map((node) => examine(deps, node, options)));
    for (const [index, node] of batch.entries())
      examinations.set(nameOf(node), seen[index] ?? { failure: 'not asked' });
  }
  const [nodes, volumes, copies, attachments, clusters] = await Promise.all([
    deps.client.list('StorageNode', scope),
    deps.client.list('Volume', scope),
    deps.client.list('VolumeCopy', scope),
    deps.client.list('VolumeAttachmentRecord', scope),
    deps.client.list('StorageCluster', scope),
  ]);
  const world: DoctorWorld = {
    nodes: nodes.items,
    volumes: volumes.items,
    copies: copies.items,
    attachments: attachments.items,
    clusters: clusters.items,
    examinations,
    version: options.version,
    now: deps.clock.now(),
  };
  const judged = judge(world);
  const { node } = options;
  return { judged: node === undefined ? judged : judged.filter((each) => isAbout(each, node)), facts: factsOf(world) };
}

function choose(nodes: readonly Resource<'StorageNode'>[], name: string | undefined) {
  if (name === undefined) return nodes;
  const found = nodes.filter((node) => nameOf(node) === name);
  if (found.length > 0) return found;
  const meant = nearest(name, nodes.map(nameOf));
  throw new AppError('notFound', `there is no node ${JSON.stringify(name.slice(0, 63))}`, {
    reason: 'NodeNotFound',
    hint: meant === undefined ? 'see: holdfast node list' : `did you mean ${meant}?`,
  });
}

/** Names hold no spaces, so "node kube1" is never found in "node kube1-b". */
function isAbout({ finding }: Judged, node: string): boolean {
  return finding.status === 'ok' || ` ${finding.subject} `.includes(` node ${node} `);
}

async function examine(
  deps: RunTaskDeps,
  node: Resource<'StorageNode'>,
  { waitMs, signal }: DiagnoseOptions,
): Promise<Examination> {
  const name = nameOf(node);
  if (!isHeard(node)) {
    return { failure: `its agent is not heard: ${findCondition(node, 'Ready')?.message ?? 'it has never reported'}` };
  }
  const begunAt = deps.clock.monotonic();
  let task: Resource<'Task'> | undefined;
  try {
    const options = { waitMs, onSeen: (seen: Resource<'Task'>) => (task = seen), ...(signal && { signal }) };
    const done = await runTask(deps, { action: 'checkNode', node: name }, options);
    const facts = NodeFacts.safeParse(done.status?.parts?.[name]?.result?.['facts']);
    if (!facts.success) return { failure: `its agent answers in another form; is it of another version?` };
    const askedAt = Date.parse(done.metadata.creationTimestamp);
    const answeredAt = askedAt + TIMESTAMP_STEP_MS + (deps.clock.monotonic() - begunAt);
    return { facts: facts.data, askedAt, answeredAt };
  } catch (error) {
    signal?.throwIfAborted();
    return { failure: `its agent did not look: ${messageOf(error)}` };
  } finally {
    await forget(deps, task);
  }
}

/** A question is over once it is answered; one that nobody answers in time is not left for later either. */
async function forget({ client }: RunTaskDeps, task: Resource<'Task'> | undefined): Promise<void> {
  if (task === undefined) return;
  try {
    await client.delete('Task', task.metadata.name, { uid: task.metadata.uid });
  } catch {
    // The controller removes it a day later; what was found out counts all the same.
  }
}
