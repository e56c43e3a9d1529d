/** The steps of an adoption: each does one thing that may be repeated, and says when it cannot. */
import {
  ADOPTED_AS_ANNOTATION,
  type MoveStep,
  SAVED_CLAIM_ANNOTATION,
  type SavedClaim,
  saveClaim,
} from '../../domain/adopt/claim-move.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import { claimsOf } from '../../domain/pod-claims.ts';
import { persistentVolumeOf } from '../../domain/volume/persistent-volume.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { addVolume } from '../volumes/add-volume.ts';
import { waitUntilReady } from '../volumes/wait-until-ready.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { type Adoption, refusal } from './read-adoption.ts';

export interface StepOptions {
  readonly step: MoveStep;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** Takes one step. @throws {AppError} precondition, while pods have the claim; timeout */
export async function runStep(deps: WaitDeps, adoption: Adoption, options: StepOptions): Promise<void> {
  const { client } = deps;
  const { signal } = options;
  switch (options.step) {
    case 'keepOld':
      return keepOld(client, adoption, signal);
    case 'addVolume':
      return addShare(deps, adoption, signal);
    case 'awaitVolume':
      if (adoption.volume !== undefined) await waitUntilReady(deps, adoption.volume, options);
      return;
    case 'offer':
      return offer(client, adoption, signal);
    case 'deleteClaim':
      return deleteClaim(client, adoption, signal);
    case 'createClaim':
      return createClaim(client, adoption, signal);
    case 'awaitDeletion':
    case 'awaitBinding':
      return awaitClaim(deps, adoption, options);
  }
}

async function keepOld(client: ResourceClient, adoption: Adoption, signal: AbortSignal): Promise<void> {
  // Before anything else: whoever has the claim open now would have to be stopped anyway.
  await refuseWhileUsed(client, adoption, signal);
  const { old, oldUid: uid, target } = adoption;
  const patch = {
    metadata: { annotations: { [ADOPTED_AS_ANNOTATION]: target } },
    spec: { persistentVolumeReclaimPolicy: 'Retain' },
  };
  await client.patch('PersistentVolume', old.name, patch, { uid, signal });
}

async function addShare(deps: WaitDeps, { old, target }: Adoption, signal: AbortSignal): Promise<void> {
  const { source } = old;
  if (source.kind !== 'nfs')
    throw refusal(old.name, `Volume ${target} is gone`, 'adopt its pool again: docs/how-to/adopt-a-pool.md');
  const { server, path, mountOptions } = source;
  const share = { server, path, ...(mountOptions.length === 0 ? {} : { mountOptions: [...mountOptions] }) };
  try {
    await addVolume(deps, { name: target, size: old.size, engine: 'nfs', share }, { signal });
  } catch (error) {
    // The answer to an earlier call was lost.
    if (!isAppError(error, 'exists')) throw error;
  }
}

async function offer(client: ResourceClient, adoption: Adoption, signal: AbortSignal): Promise<void> {
  const { old, target, volume, claim } = adoption;
  if (volume === undefined || claim === undefined) throw refusal(old.name, 'its claim is gone', 'adopt it again');
  const { storageClass, accessModes } = old;
  const { metadata, ...object } = persistentVolumeOf(
    { name: target, uid: volume.metadata.uid, size: old.size },
    { storageClass, accessModes, reclaimPolicy: 'Retain', claim: old.claim },
  );
  const annotations = {
    ...(metadata['annotations'] as Readonly<Record<string, string>>),
    [SAVED_CLAIM_ANNOTATION]: JSON.stringify(saveClaim(claim)),
  };
  try {
    await client.create('PersistentVolume', { ...object, metadata: { ...metadata, annotations } }, { signal });
  } catch (error) {
    // The answer to an earlier call was lost; one that is somebody else's is refused when it is read.
    if (!isAppError(error, 'exists')) throw error;
  }
}

async function deleteClaim(client: ResourceClient, adoption: Adoption, signal: AbortSignal): Promise<void> {
  await refuseWhileUsed(client, adoption, signal);
  const { old, claim } = adoption;
  const { namespace, name } = old.claim;
  if (claim !== undefined) {
    await client.delete('PersistentVolumeClaim', name, { namespace, uid: claim.metadata.uid, signal });
  }
}

/** Pods that have ended, and those that are on no node yet, have nothing open. */
async function refuseWhileUsed(client: ResourceClient, { old }: Adoption, signal: AbortSignal): Promise<void> {
  const { namespace, name } = old.claim;
  const pods = (await client.list('Pod', { namespace, signal })).items;
  const using = pods.filter(
    (pod) =>
      pod.spec.nodeName !== undefined &&
      !['Succeeded', 'Failed'].includes(pod.status?.phase ?? '') &&
      claimsOf(pod).includes(`${namespace}/${name}`),
  );
  if (using.length === 0) return;
  const names = using.map(({ metadata }) => metadata.name).join(', ');
  throw refusal(
    old.name,
    `its claim ${namespace}/${name} is in use by ${names}`,
    `stop them first, for example: kubectl -n ${namespace} scale statefulset NAME --replicas=0`,
  );
}

async function createClaim(
  client: ResourceClient,
  { old, target, offered }: Adoption,
  signal: AbortSignal,
): Promise<void> {
  const text = offered?.metadata.annotations?.[SAVED_CLAIM_ANNOTATION];
  if (text === undefined) throw refusal(old.name, `PersistentVolume ${target} is gone`, 'adopt it again');
  // Written by saveClaim.
  const saved = JSON.parse(text) as SavedClaim;
  const { namespace } = old.claim;
  const object = { metadata: { ...saved.metadata, namespace }, spec: { ...saved.spec, volumeName: target } };
  try {
    await client.create('PersistentVolumeClaim', object, { namespace, signal });
  } catch (error) {
    // The answer to an earlier call was lost; one that is somebody else's is refused when it is read.
    if (!isAppError(error, 'exists')) throw error;
  }
}

async function awaitClaim(
  deps: WaitDeps,
  { old, claim }: Adoption,
  { step, waitMs, signal }: StepOptions,
): Promise<void> {
  const { namespace, name } = old.claim;
  const isGoing = step === 'awaitDeletion';
  await waitForObject(deps, {
    ...({ kind: 'PersistentVolumeClaim', namespace, name, timeoutMs: waitMs, signal } as const),
    check: (seen) => {
      if (isGoing) return seen?.metadata.uid === claim?.metadata.uid ? undefined : true;
      return seen === undefined || seen.status?.phase === 'Bound' ? true : undefined;
    },
    describeTimeout: () =>
      new AppError(
        'timeout',
        `claim ${namespace}/${name} is not ${isGoing ? 'gone' : 'bound'} after ${waitMs / 1000} s`,
        {
          ...{ resource: `persistentvolumeclaim ${namespace}/${name}`, reason: 'NotMovedInTime' },
          hint: `see: kubectl -n ${namespace} describe pvc ${name}; then the same command again`,
        },
      ),
  });
}
