/** Shows what the ports of all nodes speak: each node that is there talks to all others. */
import { findCondition } from '../../domain/find-condition.ts';
import { CLUSTER_NAME } from '../../domain/plan/diff-plan.ts';
import { type SpokenPort, SpokenPorts } from '../../schemas/spoken-port.ts';
import { type RunTaskDeps, runTask } from '../tasks/run-task.ts';

export interface SeenPort extends SpokenPort {
  /** Node that looked. */
  readonly from: string;
}

export interface TlsProof {
  readonly ports: readonly SeenPort[];
  /** What could not be looked at, with the node that tried. */
  readonly blind: readonly string[];
}

/** Asks every node that is there. @throws {AppError} as runTask */
export async function proveTls(
  deps: RunTaskDeps,
  options: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<TlsProof> {
  const { signal } = options;
  const [cluster, nodes] = await Promise.all([
    deps.client.get('StorageCluster', CLUSTER_NAME, { signal }),
    deps.client.list('StorageNode', { signal }),
  ]);
  const there = nodes.items.filter(
    (node) =>
      cluster?.spec.nodes.includes(node.metadata.name) === true && findCondition(node, 'Ready')?.status === 'True',
  );
  /** GlusterFS may know a node by its address. Of nodes that are away nothing can be shown. */
  const nodeAt = (name: string) =>
    there.find(({ metadata, spec: { addresses } }) =>
      [metadata.name, addresses.ip, addresses.internalIp].includes(name),
    )?.metadata.name;
  const seen = await Promise.all(
    there.map(async ({ metadata: { name } }) => {
      const task = await runTask(deps, { action: 'checkEncryption', node: name }, options);
      const { ports, blind } = SpokenPorts.parse(task.status?.parts?.[name]?.result);
      return {
        ports: ports.flatMap((port) => {
          const node = nodeAt(port.node);
          return node === undefined ? [] : [{ ...port, node, from: name }];
        }),
        blind: blind.map((what) => `${name}: ${what}`),
      };
    }),
  );
  return { ports: seen.flatMap(({ ports }) => ports), blind: seen.flatMap(({ blind }) => blind) };
}

/** Between two looks at ports that were silent. */
const LOOK_AGAIN_MS = 2_000;

/**
 * Asks every node until all ports are as they are to be, and returns what was seen last. A daemon or a brick that has just
 * been started is busy and silent for some seconds; one that answers in the wrong way is told of at once.
 *
 * @throws {AppError} as runTask
 */
export async function proveTlsSettled(
  deps: RunTaskDeps,
  options: { readonly isEncrypted: boolean; readonly waitMs: number; readonly signal: AbortSignal },
): Promise<TlsProof> {
  const { isEncrypted, waitMs, signal } = options;
  for (const end = deps.clock.monotonic() + waitMs; ; await deps.clock.sleep(LOOK_AGAIN_MS, signal)) {
    const proof = await proveTls(deps, { waitMs, signal });
    const silent = faultyPorts(proof, isEncrypted).filter(isSilent);
    const isWrong = faultyPorts(proof, isEncrypted).length > silent.length;
    if (silent.length === 0 || isWrong || deps.clock.monotonic() + LOOK_AGAIN_MS > end) return proof;
  }
}

function isSilent({ encrypted, answersPlain }: SeenPort): boolean {
  return encrypted === undefined && !answersPlain;
}

/** The ports that are not as they are to be. */
export function faultyPorts({ ports }: TlsProof, isEncrypted: boolean): readonly SeenPort[] {
  return ports.filter(({ encrypted, answersPlain }) =>
    isEncrypted ? encrypted === undefined || answersPlain : !answersPlain,
  );
}
