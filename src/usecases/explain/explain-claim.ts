/** Why a claim of a cluster has its volume or has none yet: for `holdfast explain claim`. Only reads. */
import { AppError } from '../../domain/errors.ts';
import { nearest } from '../../domain/nearest.ts';
import { claimsOf } from '../../domain/pod-claims.ts';
import type { Clock } from '../../ports/clock.ts';
import { ALL_NAMESPACES } from '../../ports/resource-client.ts';
import type { ReadDeps } from '../simulate/read-cluster.ts';
import { readPlaces } from '../volumes/fit-volume.ts';
import type { ClaimExplanation } from './claim-words.ts';
import { judgeClaim, volumeNameFor } from './judge-claim.ts';

/** Namespace of claims that are named without one, as in kubectl. */
const NAMESPACE = 'default';

/**
 * Explains one claim.
 *
 * @param text - "data", "shop/data"
 * @throws {AppError} notFound, with the nearest name; invalid
 */
export async function explainClaimOf(
  { client, clock, signal }: ReadDeps & { readonly clock: Clock },
  text: string,
): Promise<ClaimExplanation> {
  const [namespace, name] = parseClaimName(text);
  const scope = signal === undefined ? {} : { signal };
  const claim = await client.get('PersistentVolumeClaim', name, { ...scope, namespace });
  if (claim === undefined) {
    const all = await client.list('PersistentVolumeClaim', { ...scope, namespace: ALL_NAMESPACES });
    throw noClaim(
      `${namespace}/${name}`,
      all.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    );
  }
  const [classes, persistentVolumes, pods, volume, places] = await Promise.all([
    client.list('StorageClass', scope),
    client.list('PersistentVolume', scope),
    client.list('Pod', { ...scope, namespace, fieldSelector: 'status.phase=Pending' }),
    client.get('Volume', volumeNameFor(claim), scope),
    readPlaces(client, scope),
  ]);
  return judgeClaim({
    ...{ claim, volume, places },
    classes: classes.items,
    persistentVolumes: persistentVolumes.items,
    pods: pods.items.filter((pod) => claimsOf(pod).includes(`${namespace}/${name}`)),
    now: clock.now(),
  });
}

function parseClaimName(text: string): readonly [string, string] {
  const parts = text.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2 || parts.includes('')) {
    throw new AppError('invalid', `${JSON.stringify(text.slice(0, 80))} names no claim`, {
      hint: 'write NAME or NAMESPACE/NAME',
    });
  }
  return second === undefined ? [NAMESPACE, first] : [first, second];
}

function noClaim(name: string, known: readonly string[]): AppError {
  const meant = nearest(name, known);
  return new AppError('notFound', `there is no claim ${JSON.stringify(name.slice(0, 120))}`, {
    reason: 'ClaimNotFound',
    hint: meant === undefined ? 'see: kubectl get pvc --all-namespaces' : `did you mean ${meant}?`,
  });
}
