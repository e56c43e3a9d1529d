/** Two volumes with copies on two of three nodes, the third being for pods only, and where pods that use them end up. */
import { expect } from 'vitest';
import type { Cluster } from './cluster.ts';
import { claim, PAIR, type PodWish, pod, storageClass } from './manifests.ts';

/** Nodes that have the copies. */
export const WITH_COPY: readonly string[] = ['kube1', 'kube2'];
/** The node for pods only. */
export const WITHOUT_COPY = 'kube3';

/** What the scheduler made of a pod. */
export interface PodPlace {
  readonly scheduler: string;
  readonly node: string;
}

/** Makes the claims, once {@link WITHOUT_COPY} is labelled: "shared", whose pods prefer a copy, and "tied", whose pods must have one. */
export async function makeClaims({ kubectl }: Cluster, patienceMs: number): Promise<void> {
  await kubectl.until(`storagenode/${WITHOUT_COPY}`, 'jsonpath={.status.isComputeOnly}=true', patienceMs);
  await kubectl.apply(
    storageClass({ name: 'near', parameters: PAIR }),
    storageClass({ name: 'at', parameters: { ...PAIR, locality: 'strict' } }),
    claim({ name: 'shared', storageClass: 'near', size: '128Mi', accessMode: 'ReadWriteMany' }),
    claim({ name: 'tied', storageClass: 'at', size: '128Mi', accessMode: 'ReadWriteMany' }),
  );
  for (const name of ['shared', 'tied']) {
    await kubectl.until(`pvc/${name}`, 'jsonpath={.status.phase}=Bound', patienceMs);
  }
}

/** A pod that looks into the volume of a claim, and ends. */
export const looker = (wish: Omit<PodWish, 'script'>): object => pod({ ...wish, script: 'ls /data' });

/** Runs pods to their ends side by side, says which scheduler put each where, and deletes them. */
export async function placesOf(
  cluster: Cluster,
  patienceMs: number,
  ...wishes: readonly Omit<PodWish, 'script'>[]
): Promise<readonly PodPlace[]> {
  await cluster.kubectl.apply(...wishes.map(looker));
  return Promise.all(wishes.map(({ name }) => placeOf(cluster, patienceMs, name)));
}

async function placeOf({ kubectl }: Cluster, patienceMs: number, name: string): Promise<PodPlace> {
  await kubectl.until(`pod/${name}`, 'jsonpath={.status.phase}=Succeeded', patienceMs);
  const [scheduler = '', node = ''] = (
    await kubectl.read(`pod/${name}`, '{.spec.schedulerName} {.spec.nodeName}')
  ).split(' ');
  await kubectl.run('delete', `pod/${name}`, '--wait');
  return { scheduler, node };
}

/**
 * Closes the nodes with copies: a pod of "shared" goes to the third, one of "tied" waits and says what for, until they are open again.
 *
 * @returns where each was in the end
 */
export async function placesWhenFull(
  cluster: Cluster,
  patienceMs: number,
): Promise<{ readonly mild: PodPlace | undefined; readonly strict: PodPlace }> {
  const { kubectl } = cluster;
  await kubectl.run('cordon', ...WITH_COPY);
  const [mild] = await placesOf(cluster, patienceMs, { name: 'mild', claim: 'shared' });
  await kubectl.apply(looker({ name: 'waits', claim: 'tied' }));
  const volume = await kubectl.read('pvc/tied', '{.spec.volumeName}');
  const events = () =>
    kubectl.run(
      ...['get', 'events', '--field-selector', 'involvedObject.name=waits,reason=FailedScheduling'],
      ...['-o', 'jsonpath={.items[*].message}'],
    );
  await expect
    .poll(events, { timeout: patienceMs })
    .toContain(`1 no copy of volume ${volume} that serves (locality strict)`);
  expect(await kubectl.read('pod/waits', '{.status.phase}')).toBe('Pending');
  await kubectl.run('uncordon', ...WITH_COPY);
  return { mild, strict: await placeOf(cluster, patienceMs, 'waits') };
}

/** The scheduler that a new pod with this claim would be given; nothing is stored. */
export async function schedulerFor({ kubectl }: Cluster, claimName: string): Promise<string> {
  const made = await kubectl.dryRun(looker({ name: 'nobody', claim: claimName }));
  return (JSON.parse(made) as { readonly spec: { readonly schedulerName: string } }).spec.schedulerName;
}
