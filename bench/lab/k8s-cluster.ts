/** A real Kubernetes with Holdfast on it for benchmarks, and what they watch there. */
import { constants } from 'node:os';
import { AppError } from '../../src/domain/errors.ts';
import type { CreateInput, Resource } from '../../src/ports/resource-client.ts';
import { type Cluster, startCluster } from '../../test/k8s/cluster.ts';
import { runHoldfast } from '../../test/k8s/holdfast.ts';
import type { Kubectl } from '../../test/k8s/kubectl.ts';
import { whyNotBuilt } from '../../tools/k8s/build.ts';
import { installForKit } from '../../tools/k8s/install.ts';
import { HOSTS } from './bench-lab.ts';

/** Sparse: room for all crowds. */
const DATA_DISK_BYTES = 200 * 1024 ** 3;
/** All claims and pods are there. */
export const NAMESPACE = 'default';
/** That {@link runHoldfast} starts. */
export const CONTROLLER = 'controller-a';
const WAIT_MS = 600_000;

export interface Bench {
  readonly cluster: Cluster;
  readonly kubectl: Kubectl;
}

/**
 * Hands out the cluster, and removes it in the end, also when the benchmark is interrupted.
 *
 * @throws {Error} what is missing on this machine
 */
export async function* withCluster<T>(work: (bench: Bench) => AsyncGenerator<T>): AsyncGenerator<T> {
  const reason = (await installForKit((line) => console.error(line))) ?? (await whyNotBuilt());
  if (reason !== undefined) throw new Error(`${reason}: no Kubernetes can be made here`);
  const starting = startCluster({ name: 'benchk8s', nodes: HOSTS.length, dataDiskBytes: DATA_DISK_BYTES });
  let removal: Promise<void> | undefined;
  // One that could not be started has removed itself.
  const remove = () =>
    (removal ??= starting.then(
      (cluster) => cluster.remove(),
      () => undefined,
    ));
  const interrupted = (signal: 'SIGINT' | 'SIGTERM'): void => {
    console.error('the cluster is being removed');
    const leave = (): never => process.exit(128 + constants.signals[signal]);
    void remove().then(leave, leave);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
  try {
    const cluster = await starting;
    await runHoldfast(cluster);
    yield* work({ cluster, kubectl: cluster.kubectl });
  } finally {
    await remove();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupted);
  }
}

type Watched = 'PersistentVolumeClaim' | 'Pod';

/** Creates objects side by side. */
export async function createAll({ cluster }: Bench, kind: Watched, objects: readonly object[]): Promise<void> {
  const create = (object: object) =>
    cluster.client.create(kind, object as CreateInput<Watched>, { namespace: NAMESPACE });
  await Promise.all(objects.map(create));
}

interface Phase {
  readonly kind: Watched;
  readonly phase: string;
  readonly count: number;
  /** Of this crowd only. */
  readonly crowd?: string;
}

/** Waits until so many of a kind are in a phase. */
export async function untilPhase({ cluster: { client } }: Bench, wish: Phase): Promise<void> {
  const { kind, phase, count, crowd } = wish;
  const signal = AbortSignal.timeout(WAIT_MS);
  const of = { namespace: NAMESPACE, signal, ...(crowd === undefined ? {} : { labelSelector: `crowd=${crowd}` }) };
  const reached = new Set<string>();
  const isLast = ({ metadata, status }: Resource<Watched>): boolean => {
    if (status?.phase === phase) reached.add(metadata.name);
    return reached.size >= count;
  };
  // The API server ends a watch that is not read as fast as it is told things.
  while (!signal.aborted) {
    const { items, resourceVersion } = await client.list(kind, of);
    if (items.some(isLast)) return;
    for await (const event of client.watch(kind, { ...of, resourceVersion })) {
      if (event.type !== 'BOOKMARK' && isLast(event.object)) return;
    }
  }
  throw new AppError('timeout', `${reached.size} of ${count} are ${phase}`);
}

/** Removes all of these from the namespace, and waits until they are gone. */
export async function removeAll({ kubectl }: Bench, ...resources: readonly string[]): Promise<void> {
  for (const each of resources) await kubectl.run('delete', each, '--all', '-n', NAMESPACE, '--wait');
}
