/** Asks for encrypted or plain storage traffic, and follows the change to its end. */
import { AppError } from '../../domain/errors.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { describeUse } from '../../domain/nfs-export/names.ts';
import { CLUSTER_NAME } from '../../domain/plan/diff-plan.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { TlsPhase } from '../../schemas/storage-cluster.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';

type Scope = { readonly signal?: AbortSignal };

/** What a change would do. */
export interface TlsForesight {
  readonly isEnabled: boolean;
  /** It is so already, and nothing is under way. */
  readonly isDone: boolean;
  /** Mounts that end and return, as "gv0 at /data on kube1". */
  readonly mounts: readonly string[];
  /** Volumes that are stopped and started. */
  readonly volumes: readonly string[];
  /** Nodes whose daemons are restarted. */
  readonly nodes: readonly string[];
  /** Nodes that are away: they follow when they return, and serve nothing until then. */
  readonly away: readonly string[];
}

export interface SwitchOptions extends Scope {
  /** How long to wait for the end; does not wait when left out. */
  readonly waitMs?: number;
  readonly onProgress: (message: string) => void;
}

/** Looks at what the change would interrupt; changes nothing. @throws {AppError} notFound, precondition */
export async function foreseeTls(deps: WaitDeps, isEnabled: boolean, scope: Scope): Promise<TlsForesight> {
  const { client } = deps;
  const [cluster, nodes, volumes, records, tasks] = await Promise.all([
    demandCluster(deps, scope),
    client.list('StorageNode', scope),
    client.list('Volume', scope),
    client.list('VolumeAttachmentRecord', scope),
    client.list('Task', scope),
  ]);
  const isReady = (name: string) => {
    const node = nodes.items.find(({ metadata }) => metadata.name === name);
    return node !== undefined && findCondition(node, 'Ready')?.status === 'True';
  };
  refuseWhileWorking(tasks.items);
  const { tls } = cluster.status ?? {};
  return {
    isEnabled,
    isDone: (cluster.spec.tls?.isEnabled === true) === isEnabled && (tls?.phase ?? 'Off') === endOf(isEnabled),
    mounts: records.items
      .filter(({ spec, status }) => isReady(spec.node) && status !== undefined && status.state !== 'Waiting')
      .map(({ spec }) => `${spec.volume} ${describeUse(spec)} on ${spec.node}`),
    volumes: volumes.items
      .filter(({ status }) => status?.engine?.state === 'Started')
      .map(({ metadata }) => metadata.name),
    nodes: cluster.spec.nodes.filter(isReady),
    away: cluster.spec.nodes.filter((node) => !isReady(node)),
  };
}

/** A heal or a choice between versions would be cut off in the middle. */
function refuseWhileWorking(tasks: readonly Resource<'Task'>[]): void {
  const busy = tasks.filter(
    ({ spec, status }) => spec.volume !== undefined && status?.state !== 'Succeeded' && status?.state !== 'Failed',
  );
  if (busy.length === 0) return;
  const names = busy.map(({ metadata }) => metadata.name).join(', ');
  throw new AppError('precondition', `work on volumes is under way: ${names}`, {
    resource: 'cluster',
    reason: 'TasksRunning',
    hint: 'wait until it has ended, or cancel it',
  });
}

/**
 * Stores the wish, and waits until it is so. A wait that is given up leaves the change to go on by itself.
 *
 * @throws {AppError} timeout, with what is waited for; notFound
 */
export async function switchTls(deps: WaitDeps, isEnabled: boolean, options: SwitchOptions): Promise<void> {
  const scope: Scope = options.signal === undefined ? {} : { signal: options.signal };
  await deps.client.patch('StorageCluster', CLUSTER_NAME, { spec: { tls: { isEnabled } } }, scope);
  const { waitMs, onProgress } = options;
  if (waitMs === undefined) return;
  let said = '';
  await waitForObject(deps, {
    ...{ kind: 'StorageCluster', name: CLUSTER_NAME, timeoutMs: waitMs, ...scope },
    check: (cluster) => {
      const { phase, message } = cluster?.status?.tls ?? {};
      const line = `${phase ?? 'Off'}${message === undefined ? '' : `: ${message}`}`;
      if (line !== said) onProgress(line);
      said = line;
      return phase === endOf(isEnabled) ? true : undefined;
    },
    describeTimeout: (cluster) => notDone(cluster, isEnabled, waitMs),
  });
}

function endOf(isEnabled: boolean): TlsPhase {
  return isEnabled ? 'On' : 'Off';
}

function notDone(cluster: Resource<'StorageCluster'> | undefined, isEnabled: boolean, waitMs: number): AppError {
  const { phase, message = 'the controller has not begun' } = cluster?.status?.tls ?? {};
  const back = `holdfast cluster tls ${isEnabled ? 'disable' : 'enable'}`;
  const isInterrupting = phase === 'Unmounting' || phase === 'Stopping' || phase === 'Restarting';
  return new AppError('timeout', `the change is not done after ${waitMs / 1000} s: ${message}`, {
    resource: 'cluster',
    reason: 'NotDoneInTime',
    hint: `it goes on by itself${isInterrupting ? ', and volumes are interrupted until then' : ''}; to take it back: ${back}`,
  });
}

async function demandCluster({ client }: WaitDeps, scope: Scope): Promise<Resource<'StorageCluster'>> {
  const cluster = await client.get('StorageCluster', CLUSTER_NAME, scope);
  if (cluster !== undefined) return cluster;
  throw new AppError('notFound', 'there is no cluster yet', {
    resource: 'cluster',
    reason: 'NoCluster',
    hint: 'describe its nodes in a plan and apply it: holdfast plan apply -f FILE',
  });
}
