/** What is to be true of a volume before a piece of work on it is asked for, and the piece of work then. */
import { AppError } from '../../domain/errors.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import type { TaskSpec } from '../../schemas/task.ts';
import { showVolume } from '../volumes/read-volumes.ts';

interface ReadDeps {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}

/** Layouts whose copies hold the same, so that they can differ. */
const WITH_COPIES: ReadonlySet<string> = new Set(['replicated', 'arbiter', 'distributed-replicated']);
const WITH_REDUNDANCY: ReadonlySet<string> = new Set([...WITH_COPIES, 'dispersed', 'distributed-dispersed']);

/**
 * A heal of a volume.
 *
 * @throws {AppError} notFound; unsupported, without a second copy; precondition, while it is not served
 */
export async function healTask(deps: ReadDeps, name: string, { isFull }: { isFull: boolean }): Promise<TaskSpec> {
  const volume = await servedVolume(deps, name);
  requireLayout(volume, WITH_REDUNDANCY, 'has one copy of everything, so there is nothing to heal it from');
  return { action: 'heal', ...about(volume), ...(isFull ? { isFull } : {}) };
}

/** A rebalance of a volume. Errors as {@link healTask}, unsupported for a volume of one set. */
export async function rebalanceTask(deps: ReadDeps, name: string): Promise<TaskSpec> {
  const volume = await servedVolume(deps, name);
  if ((volume.spec.distribution ?? 1) < 2) {
    throw new AppError(
      'unsupported',
      `volume ${name} (${volume.spec.layout}) has one set of copies; nothing to rebalance`,
      {
        resource: `volume ${name}`,
        reason: 'OneSet',
        hint: 'only a volume whose files are spread over several sets can be rebalanced',
      },
    );
  }
  return { action: 'rebalance', ...about(volume) };
}

type SplitBrainAction = Extract<TaskSpec['action'], `${string}SplitBrain`>;

/** A look at, or a choice in, what is in split-brain. Errors as {@link healTask}. */
export async function splitBrainTask(
  deps: ReadDeps,
  name: string,
  more: Omit<TaskSpec, 'action' | 'volume' | 'volumeUid'> & { readonly action: SplitBrainAction },
): Promise<TaskSpec> {
  const volume = await servedVolume(deps, name);
  requireLayout(volume, WITH_COPIES, 'has no copies that could contradict each other');
  if (more.keep !== undefined) requireDataNode(volume, more.keep);
  return { ...about(volume), ...more };
}

function about({ metadata }: Resource<'Volume'>): Pick<TaskSpec, 'volume' | 'volumeUid'> {
  return { volume: metadata.name, volumeUid: metadata.uid };
}

async function servedVolume(deps: ReadDeps, name: string): Promise<Resource<'Volume'>> {
  const { volume } = await showVolume(deps, name);
  if (volume.status?.engine?.state === 'Started') return volume;
  throw new AppError('precondition', `volume ${name} is not served yet`, {
    resource: `volume ${name}`,
    reason: 'NotServed',
    hint: `see why: holdfast explain volume ${name}`,
  });
}

function requireLayout({ metadata, spec }: Resource<'Volume'>, layouts: ReadonlySet<string>, why: string): void {
  if (layouts.has(spec.layout)) return;
  throw new AppError('unsupported', `volume ${metadata.name} (${spec.layout}) ${why}`, {
    resource: `volume ${metadata.name}`,
    reason: 'LayoutWithoutCopies',
  });
}

function requireDataNode({ metadata, status }: Resource<'Volume'>, node: string): void {
  const nodes = (status?.placement ?? []).filter((placed) => placed.role === 'data').map((placed) => placed.node);
  if (nodes.includes(node)) return;
  throw new AppError('invalid', `node ${node} holds no data of volume ${metadata.name}`, {
    reason: 'NoSuchCopy',
    hint: `name one of: ${[...new Set(nodes)].join(', ')}`,
  });
}
