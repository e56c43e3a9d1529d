/** Why a claim that no provisioner makes a volume for is bound to none of those that there are. */
import { parseQuantity } from '../../domain/bytes.ts';
import { nearest } from '../../domain/nearest.ts';
import { CSI_DRIVER } from '../../domain/volume/persistent-volume.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ClaimVerdict, SeenClaim, StoredClaim } from './seen-claim.ts';

/** @param className - undefined where the claim names none, and there is no default */
export function judgeStaticClaim(seen: SeenClaim, className: string | undefined): ClaimVerdict {
  const { claim, classes, persistentVolumes } = seen;
  const own = persistentVolumes.filter(
    ({ spec }) => spec.csi?.driver === CSI_DRIVER && (spec.storageClassName ?? '') === (className ?? ''),
  );
  if (own.length > 0) return judgeAmong(claim, own, className ?? '');
  if (className === undefined) {
    return {
      reason: 'NoClass',
      message: 'it names no StorageClass, and none is the default',
      hint: `name one of: ${classes.map(({ metadata }) => metadata.name).join(', ') || 'none is there yet'}`,
    };
  }
  if (className === '') {
    return {
      reason: 'NoVolumeMatches',
      message: 'it asks for a PersistentVolume without a class, and Holdfast has registered none such',
      hint: 'leave storageClassName out, or name a class',
    };
  }
  const isThere = classes.some(({ metadata }) => metadata.name === className);
  const meant = nearest(
    className,
    classes.map(({ metadata }) => metadata.name),
  );
  return {
    reason: isThere ? 'NoVolumeMatches' : 'ClassNotFound',
    message: isThere
      ? `no PersistentVolume of class ${className} is Holdfast's, and its class makes none`
      : `there is no StorageClass ${className}, and no PersistentVolume of Holdfast's of that class`,
    hint: meant === undefined ? `add one: holdfast volume add SIZE NAME -c ${className}` : `did you mean ${meant}?`,
  };
}

function judgeAmong(claim: StoredClaim, own: readonly Resource<'PersistentVolume'>[], className: string): ClaimVerdict {
  const misfits = own.map((volume) => ({ name: volume.metadata.name, why: misfitOf(volume, claim) }));
  const fitting = misfits.find(({ why }) => why === undefined);
  if (fitting !== undefined) {
    return {
      reason: 'WaitsForBinder',
      message: `PersistentVolume ${fitting.name} fits; Kubernetes binds the claim to it next`,
    };
  }
  const size = claim.spec.resources?.requests?.['storage'] ?? '1Gi';
  return {
    reason: 'NoVolumeMatches',
    message: `no PersistentVolume of class ${JSON.stringify(className)} can be bound`,
    details: misfits.map(({ name, why }) => `${name} ${why}`),
    hint: `add one of at least ${size}: holdfast volume add SIZE NAME -c ${className}`,
  };
}

type Volume = Resource<'PersistentVolume'>;

/** In the order in which Kubernetes looks. */
function misfitOf(volume: Volume, claim: StoredClaim): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined) return 'is being deleted';
  return otherClaimOf(volume, claim) ?? lackOf(volume, claim);
}

function otherClaimOf({ spec: { claimRef }, status }: Volume, { metadata }: StoredClaim): string | undefined {
  if (claimRef === undefined) return undefined;
  const isNamed = claimRef.namespace === metadata.namespace && claimRef.name === metadata.name;
  // One that was kept for the name alone is for any claim of that name.
  if (isNamed && (claimRef.uid ?? metadata.uid) === metadata.uid) return undefined;
  const who = `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`;
  return status?.phase === 'Released' ? `still holds what claim ${who} left` : `is kept for claim ${who}`;
}

function lackOf({ spec }: Volume, claim: StoredClaim): string | undefined {
  const asked = claim.spec.resources?.requests?.['storage'] ?? '0';
  const has = spec.capacity?.['storage'] ?? '0';
  if (parseQuantity(has) < parseQuantity(asked)) return `has ${has}, less than ${asked}`;
  const missing = (claim.spec.accessModes ?? []).find((mode) => !spec.accessModes?.some((each) => each === mode));
  if (missing !== undefined) return `cannot be used as ${missing}`;
  const { volumeMode = 'Filesystem' } = spec;
  return volumeMode === (claim.spec.volumeMode ?? 'Filesystem') ? undefined : `is of volumeMode ${volumeMode}`;
}
