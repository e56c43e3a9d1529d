/** What tests ask of a Holdfast that a chart has installed. */
import { expect } from 'vitest';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { DRIVER_NAME } from '../../src/shells/csi/identity.ts';
import type { Cluster } from './cluster.ts';
import { pod } from './manifests.ts';

export const PATIENCE_MS = 180_000;

/** kubectl in Holdfast's namespace. */
export function inSystem({ kubectl }: Cluster, ...args: readonly string[]): Promise<string> {
  return kubectl.run('-n', SYSTEM_NAMESPACE, ...args);
}

/** Waits until these are of their newest template. */
export async function rolledOut(cluster: Cluster, ...what: readonly string[]): Promise<void> {
  for (const each of what) {
    await inSystem(cluster, 'rollout', 'status', each, `--timeout=${PATIENCE_MS / 1000}s`);
  }
}

/** One line for each pod of a part: its identity and its image. */
export function podsOf(cluster: Cluster, component: string): Promise<string> {
  const line = '{.metadata.uid} {.spec.containers[0].image}{"\\n"}';
  const selector = ['-l', `app.kubernetes.io/component=${component}`, '--field-selector', 'status.phase=Running'];
  return inSystem(cluster, 'get', 'pods', ...selector, '-o', `jsonpath={range .items[*]}${line}{end}`);
}

/** The image of each pod of a part. */
export async function imagesOf(cluster: Cluster, component: string): Promise<readonly string[]> {
  const lines = (await podsOf(cluster, component)).trim().split('\n');
  return lines.map((line) => line.split(' ')[1] ?? '');
}

/** Waits for the end of a pod. @returns what it printed */
export async function ended({ kubectl }: Cluster, name: string): Promise<string> {
  await kubectl.until(`pod/${name}`, 'jsonpath={.status.phase}=Succeeded', PATIENCE_MS);
  return kubectl.run('logs', name);
}

/** Waits until every node can use volumes and stores. */
export async function nodesReady({ kubectl, lab }: Cluster): Promise<void> {
  for (const host of lab.hostNames) {
    await kubectl.until(`csinode/${host}`, `jsonpath={.spec.drivers[0].name}=${DRIVER_NAME}`, PATIENCE_MS);
    await kubectl.until(`storagenode/${host}`, 'condition=Ready', PATIENCE_MS);
  }
}

/** Bytes of each write. */
const WRITE_BYTES = 64;

/**
 * Starts pod "busy" on the first node, which writes to two claims, one that all nodes can use and one of its own node, until it is
 * told to stop; a write that fails ends it at once.
 */
export async function startBusy(cluster: Cluster, shared: string, local: string): Promise<void> {
  const append = (file: string) =>
    `dd if=/dev/zero of=${file} bs=${WRITE_BYTES} count=1 oflag=append conv=notrunc,fsync 2>/dev/null`;
  const sizes = '$(stat -c %s /data/log) $(stat -c %s /local/log)';
  const script = `n=0; touch /data/begun; until [ -e /data/stop ]; do ${append('/data/log')}; ${append('/local/log')}; n=$((n+1)); done; echo $n ${sizes}`;
  await cluster.kubectl.apply(writerOfTwo(script, shared, local));
  await cluster.kubectl.until('pod/busy', 'jsonpath={.status.phase}=Running', PATIENCE_MS);
}

/** Stops "busy" from the second node, and sees that each of its writes is there. */
export async function expectNoWriteLost(cluster: Cluster, shared: string): Promise<void> {
  const script = 'test -e /data/begun; touch /data/stop';
  await cluster.kubectl.apply(pod({ name: 'stopper', claim: shared, node: 'kube2', script }));
  await ended(cluster, 'stopper');
  const [count = 0, ...sizes] = (await ended(cluster, 'busy')).trim().split(' ').map(Number);
  expect(count).toBeGreaterThan(0);
  expect(sizes).toEqual([WRITE_BYTES * count, WRITE_BYTES * count]);
}

/** A pod with two volumes, at /data and /local. */
function writerOfTwo(script: string, shared: string, local: string): object {
  const made = pod({ name: 'busy', claim: shared, node: 'kube1', script }) as {
    readonly spec: {
      readonly containers: readonly [{ readonly volumeMounts: readonly object[] }];
      readonly volumes: readonly object[];
    };
  };
  const [container] = made.spec.containers;
  return {
    ...made,
    spec: {
      ...made.spec,
      containers: [{ ...container, volumeMounts: [...container.volumeMounts, { name: 'local', mountPath: '/local' }] }],
      volumes: [...made.spec.volumes, { name: 'local', persistentVolumeClaim: { claimName: local } }],
    },
  };
}
