/**
 * Classes of other storage systems, and what they are as classes of Holdfast: the parameters of StorageOS, Ondat, Heketi and
 * csi-driver-nfs are read with the meaning that they have there, so a class needs another provisioner and little else.
 */
import { PARAMETERS } from '../csi/parameter-table.ts';
import { CSI_DRIVER } from '../volume/persistent-volume.ts';
import { type Edit, type ManifestObject, type RuleFinding, textAt, textsAt } from './finding.ts';
import { readClass } from './read-class.ts';

interface Foreign {
  /** As people call it. */
  readonly name: string;
  /** Release of Kubernetes that has it no more; left out for what is no part of Kubernetes. */
  readonly removedIn?: string;
}

/** Provisioners whose classes can be followed. */
export const FOLLOWED: Readonly<Record<string, Foreign>> = {
  storageos: { name: 'StorageOS' },
  'kubernetes.io/storageos': { name: 'StorageOS', removedIn: '1.25' },
  'csi.storageos.com': { name: 'StorageOS' },
  'kubernetes.io/glusterfs': { name: 'GlusterFS with Heketi', removedIn: '1.26' },
  'gluster.org/glusterfs': { name: 'GlusterFS with Heketi' },
  'nfs.csi.k8s.io': { name: 'csi-driver-nfs' },
};
/** Those whose parameters say nothing that has a place here. */
const REMOVED: Readonly<Record<string, string>> = {
  'kubernetes.io/flocker': '1.25',
  'kubernetes.io/quobyte': '1.25',
  'kubernetes.io/scaleio': '1.22',
  'kubernetes.io/cephfs': '1.31',
  'kubernetes.io/rbd': '1.31',
  'kubernetes.io/photon-pd': '1.11',
};
/** Secrets of another driver, which the sidecars of Kubernetes would look for. */
const SECRET = /^csi\.storage\.k8s\.io\/(?!fstype$)/;
/** Logins, and what is the same left out; none has a meaning here. */
const WITHOUT_MEANING: ReadonlySet<string> = new Set([
  ...[
    'resturl',
    'restuser',
    'restuserkey',
    'restauthenabled',
    'secretNamespace',
    'secretName',
    'clusterid',
    'snapfactor',
  ],
  ...['description', 'adminSecretNamespace', 'adminSecretName'],
]);

/** The changes that make a class one of Holdfast; undefined for one that cannot be followed, or is of Holdfast already. */
export function importClass({ kind, value }: ManifestObject): readonly Edit[] | undefined {
  const provisioner = textAt(value, ['provisioner']);
  if (kind !== 'StorageClass' || provisioner === undefined || !Object.hasOwn(FOLLOWED, provisioner)) return undefined;
  // A class of csi-driver-nfs is followed by that driver as well: only whoever imports it wants another.
  const useless = Object.keys(textsAt(value, ['parameters'])).filter(
    (key) => SECRET.test(key) || WITHOUT_MEANING.has(key),
  );
  return [
    { path: ['provisioner'], set: CSI_DRIVER },
    ...useless.map((key) => ({ path: ['parameters', key], remove: true }) as const),
  ];
}

/** The rule: classes of provisioners that Kubernetes does not have any more. */
export function checkProvisioners(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) => {
    const provisioner = object.kind === 'StorageClass' ? textAt(object.value, ['provisioner']) : undefined;
    if (provisioner === undefined) return [];
    const place = { rule: 'provisioner', severity: 'error', object, path: ['provisioner'] } as const;
    const removed = Object.hasOwn(REMOVED, provisioner) ? REMOVED[provisioner] : undefined;
    if (removed !== undefined) {
      const message = `provisioner ${provisioner} was removed from Kubernetes ${removed}`;
      return [
        { ...place, message, fix: `write a class of provisioner ${CSI_DRIVER}: docs/reference/class-parameters.md` },
      ];
    }
    const edits = provisioner === 'nfs.csi.k8s.io' ? undefined : importClass(object);
    if (edits === undefined) return [];
    const { name, removedIn } = FOLLOWED[provisioner] ?? { name: provisioner };
    const why = removedIn === undefined ? 'is not maintained any more' : `was removed from Kubernetes ${removedIn}`;
    const message = `provisioner ${provisioner} (${name}) ${why}`;
    return [{ ...place, message, fix: `write provisioner: ${CSI_DRIVER}, which understands its parameters`, edits }];
  });
}

/** The rule: parameters that Holdfast's driver would refuse. */
export function checkParameters(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) => {
    if (object.kind !== 'StorageClass' || textAt(object.value, ['provisioner']) !== CSI_DRIVER) return [];
    const read = readClass(textsAt(object.value, ['parameters']));
    const faults = 'faults' in read ? read.faults : [];
    return faults.map(({ field, message }) => ({
      ...({ rule: 'class-parameter', severity: 'error', object, path: ['parameters', field] } as const),
      message: `the class parameter ${field} ${message}`,
      fix: Object.hasOwn(PARAMETERS, field)
        ? 'give it a value that is offered: docs/reference/class-parameters.md'
        : 'write it as docs/reference/class-parameters.md has it, or remove it',
    }));
  });
}
