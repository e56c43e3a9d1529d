/** Claims: what they ask for, and whether the class or a PersistentVolume of the same files can give it. */
import { parseQuantity } from '../bytes.ts';
import { isOfShare } from '../csi/class-share.ts';
import { isAppError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { CSI_DRIVER } from '../volume/persistent-volume.ts';
import { claimPathsOf } from './find-objects.ts';
import {
  listAt,
  type ManifestObject,
  type ManifestPath,
  type RuleFinding,
  textAt,
  textsAt,
  valueAt,
} from './finding.ts';
import { readClass } from './read-class.ts';

const MODES = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'];
const SHORT: Readonly<Record<string, string>> = {
  RWO: 'ReadWriteOnce',
  ROX: 'ReadOnlyMany',
  RWX: 'ReadWriteMany',
  RWOP: 'ReadWriteOncePod',
};
const SIZE: ManifestPath = ['spec', 'resources', 'requests', 'storage'];

interface ClaimAt {
  readonly object: ManifestObject;
  readonly at: ManifestPath;
  readonly size: number | undefined;
  readonly modes: readonly string[];
  /** As a field or as an annotation. */
  readonly className: string | undefined;
}

/** The rule: every claim says how much and how, and no class of the same files is asked for what it cannot give. */
export function checkClaims(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  const claims = objects.flatMap((object) => claimPathsOf(object).map((at) => readClaim(object, at)));
  return [
    ...claims.flatMap((claim) => [
      ...checkSize(claim),
      ...checkModes(claim.object, claim.at, true),
      ...checkClass(claim, objects),
    ]),
    ...claims.flatMap((claim) => checkVolumes(claim, objects)),
    ...objects.filter(({ kind }) => kind === 'PersistentVolume').flatMap((volume) => checkModes(volume, [], false)),
  ];
}

function readClaim(object: ManifestObject, at: ManifestPath): ClaimAt {
  const { value } = object;
  return {
    ...{ object, at },
    size: sizeOf(valueAt(value, [...at, ...SIZE])),
    modes: modesAt(value, at),
    className:
      textAt(value, [...at, 'spec', 'storageClassName']) ??
      textAt(value, [...at, 'metadata', 'annotations', 'volume.beta.kubernetes.io/storage-class']),
  };
}

function modesAt(value: unknown, at: ManifestPath): readonly string[] {
  return listAt(value, [...at, 'spec', 'accessModes']).filter((mode) => typeof mode === 'string');
}

function sizeOf(said: unknown): number | undefined {
  try {
    return typeof said === 'string' || typeof said === 'number' ? parseQuantity(String(said)) : undefined;
  } catch (error) {
    // What cannot be read is told by checkSize.
    if (isAppError(error)) return undefined;
    throw error;
  }
}

function checkSize({ object, at, size }: ClaimAt): readonly RuleFinding[] {
  const path = [...at, ...SIZE];
  const said = valueAt(object.value, path);
  const place = { rule: 'claim-size', severity: 'error', object, path } as const;
  if (said === undefined || said === null) {
    return [
      {
        ...place,
        message: 'the claim does not say how much it needs',
        fix: 'write resources: { requests: { storage: 5Gi } } in its spec',
      },
    ];
  }
  if (size !== undefined && size > 0) return [];
  return [
    {
      ...place,
      message: `the size ${JSON.stringify(said)} is none that Kubernetes reads`,
      fix: 'write a number and a unit, such as 500Mi, 10Gi or 1.5Ti',
    },
  ];
}

function checkModes(object: ManifestObject, at: ManifestPath, isClaim: boolean): readonly RuleFinding[] {
  const path = [...at, 'spec', 'accessModes'];
  const modes = listAt(object.value, path);
  const place = { rule: 'access-mode', severity: 'error', object } as const;
  if (modes.length === 0) {
    const what = isClaim ? 'the claim' : 'the PersistentVolume';
    return [{ ...place, path, message: `${what} has no accessModes`, fix: `choose of ${MODES.join(', ')}` }];
  }
  return modes.flatMap((mode, index) => {
    if (typeof mode === 'string' && MODES.includes(mode)) return [];
    const word = String(mode);
    // The abbreviations of kubectl's tables mean one mode each.
    const meant = Object.hasOwn(SHORT, word) ? SHORT[word] : undefined;
    const near = meant ?? nearest(word, MODES);
    return [
      {
        ...place,
        path: [...path, index],
        message: `${JSON.stringify(mode)} is no access mode`,
        fix: near === undefined ? `choose of ${MODES.join(', ')}` : `write ${near}`,
        ...(meant === undefined ? {} : { edits: [{ path: [...path, index], set: meant }] }),
      },
    ];
  });
}

function checkClass(
  { object, at, modes, className }: ClaimAt,
  objects: readonly ManifestObject[],
): readonly RuleFinding[] {
  const found = objects.find((each) => each.kind === 'StorageClass' && each.name === className);
  if (found === undefined || textAt(found.value, ['provisioner']) !== CSI_DRIVER) return [];
  const read = readClass(textsAt(found.value, ['parameters']));
  if ('faults' in read) return [];
  const { wish } = read;
  const many = modes.find((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany');
  const isBlock = textAt(object.value, [...at, 'spec', 'volumeMode']) === 'Block';
  const isLocal = wish.engine === 'local' && !isOfShare(wish);
  const place = { rule: 'claim-class', severity: 'error', object } as const;
  return [
    ...(isLocal && many !== undefined
      ? [
          {
            ...{ ...place, path: [...at, 'spec', 'accessModes'] },
            message: `class ${found.name} is of engine local, whose volumes are used on one node, and the claim asks for ${many}`,
            fix: 'ask for ReadWriteOnce, or choose a class of engine gluster or nfs',
          },
        ]
      : []),
    ...(isBlock && !isLocal
      ? [
          {
            ...{ ...place, path: [...at, 'spec', 'volumeMode'] },
            message: `class ${found.name} makes file systems, and the claim asks for a block device`,
            fix: 'leave volumeMode out, or choose a class of engine local',
          },
        ]
      : []),
  ];
}

/** A claim that names a class without a StorageClass, or one volume, is for the volumes of these files. */
function checkVolumes(claim: ClaimAt, objects: readonly ManifestObject[]): readonly RuleFinding[] {
  const { object, at, className } = claim;
  if (object.kind !== 'PersistentVolumeClaim') return [];
  const named = textAt(object.value, [...at, 'spec', 'volumeName']);
  const hasClass = objects.some((each) => each.kind === 'StorageClass' && each.name === className);
  const volumes = objects.filter((each) => each.kind === 'PersistentVolume');
  const meant = volumes.filter((each) => (named === undefined ? isOfClass(each, className) : each.name === named));
  if (volumes.length === 0 || hasClass) return [];
  const place = { rule: 'claim-volume', object, path: [...at, 'spec'] } as const;
  if (meant.length === 0) {
    if (className === undefined && named === undefined) return [otherClass(claim, volumes)];
    return [];
  }
  const reasons = meant.map((volume) => misfitOf(claim, volume));
  if (reasons.includes(undefined)) return [];
  const told = meant.map(({ name }, index) => `${name} ${reasons[index] ?? ''}`).join('; ');
  return [
    {
      ...place,
      severity: 'error',
      message: `no PersistentVolume of these files fits: ${told}`,
      fix: 'ask for less, or offer more',
    },
  ];
}

function isOfClass(volume: ManifestObject, className: string | undefined): boolean {
  return (textAt(volume.value, ['spec', 'storageClassName']) ?? '') === (className ?? '') && className !== undefined;
}

/** Without a class a claim is of the default class, and no PersistentVolume of another one is bound to it. */
function otherClass({ object, at }: ClaimAt, volumes: readonly ManifestObject[]): RuleFinding {
  const list = volumes
    .map((each) => `${each.name} (class ${textAt(each.value, ['spec', 'storageClassName']) ?? '""'})`)
    .join(', ');
  return {
    ...({ rule: 'claim-volume', severity: 'warning', object, path: [...at, 'spec'] } as const),
    message: `the claim names no class, so it gets a new volume of the cluster's default class, and not ${list}`,
    fix: 'write the storageClassName of the PersistentVolume if that one is meant',
  };
}

function misfitOf({ size, modes }: ClaimAt, { value }: ManifestObject): string | undefined {
  const has = sizeOf(valueAt(value, ['spec', 'capacity', 'storage']));
  if (size !== undefined && has !== undefined && has < size) return 'is smaller than what the claim asks for';
  const offered = modesAt(value, []);
  const missing = modes.find((mode) => !offered.includes(mode));
  return missing === undefined ? undefined : `does not offer ${missing}`;
}
