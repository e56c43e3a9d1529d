/** What the sidecars of Kubernetes and kubelet make of a claim: the name of its volume, its access mode, and paths. */
import type { Claim } from '../../schemas/claim.ts';
import { parseQuantity } from '../bytes.ts';
import { AppError } from '../errors.ts';
import type { HashText } from '../ledger/record.ts';
import { labelFault } from '../names.ts';
import type { AccessMode } from './access.ts';

/** Of claims that name none. */
const NAMESPACE = 'default';
/** As external-provisioner reads them: its own business, and no parameters of a driver. */
const RESERVED = 'csi.storage.k8s.io/';
const FS_TYPE = `${RESERVED}fstype`;

type ClaimMode = Claim['accessModes'][number];

/** Words for access modes, as kubectl abbreviates them. */
const MODES: Readonly<Record<string, ClaimMode>> = {
  RWO: 'ReadWriteOnce',
  RWOP: 'ReadWriteOncePod',
  ROX: 'ReadOnlyMany',
  RWX: 'ReadWriteMany',
};

/** The strongest first: what external-attacher takes of several. */
const CSI_MODES: readonly (readonly [ClaimMode, AccessMode])[] = [
  ['ReadWriteMany', 'MultiNodeMultiWriter'],
  ['ReadOnlyMany', 'MultiNodeReaderOnly'],
  ['ReadWriteOncePod', 'SingleNodeSingleWriter'],
  // Several pods of one node may write, which this driver says that it can.
  ['ReadWriteOnce', 'SingleNodeMultiWriter'],
];

/**
 * Reads "data:1Gi" or "data:1Gi:engine=local,fsType=ext4".
 *
 * @param mode - RWO, RWOP, ROX, RWX, or the word in full
 * @throws {AppError} invalid, range
 */
export function parseClaim(text: string, mode = 'RWO'): Claim {
  const [name = '', size = '', ...rest] = text.split(':');
  const fault = labelFault(name);
  if (fault !== undefined || size === '') {
    throw new AppError('invalid', `${JSON.stringify(text.slice(0, 80))} is no claim`, {
      hint: 'write NAME:SIZE, NAME:SIZE:KEY=VALUE,KEY=VALUE, or the path of a manifest, such as ./claim.yaml',
    });
  }
  const { parameters, fsType } = readClassParameters(readPairs(rest.join(':')));
  return {
    ...{ namespace: NAMESPACE, name, requiredBytes: parseQuantity(size), accessModes: [parseMode(mode)] },
    ...{ parameters, fsType, mountOptions: [] },
  };
}

function readPairs(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new AppError('invalid', `${JSON.stringify(pair.slice(0, 80))} is no parameter of a class`, {
        hint: 'write KEY=VALUE, for example engine=local',
      });
    }),
  );
}

function parseMode(word: string): ClaimMode {
  const mode = MODES[word] ?? Object.values(MODES).find((each) => each === word);
  if (mode !== undefined) return mode;
  throw new AppError('invalid', `${JSON.stringify(word.slice(0, 40))} is no access mode`, {
    hint: `choose ${Object.keys(MODES).join(', ')}`,
  });
}

/**
 * Tells the file system, which is said beside the parameters, from those.
 *
 * @throws {AppError} unsupported, for what needs an API server with Secrets
 */
export function readClassParameters(all: Readonly<Record<string, string>>): Pick<Claim, 'parameters' | 'fsType'> {
  const { [FS_TYPE]: fsType = '', ...parameters } = all;
  const reserved = Object.keys(parameters).find((key) => key.startsWith(RESERVED));
  if (reserved === undefined) return { parameters, fsType };
  throw new AppError('unsupported', `${reserved} cannot be followed in a lab`, {
    hint: 'it names objects of an API server that the sidecars of Kubernetes read; leave it out',
  });
}

/** Name that external-provisioner would call the volume: from the UID, or in its place a hash of what names the claim. */
export function volumeNameOf({ uid, namespace, name }: Claim, sha256: HashText): string {
  if (uid !== undefined) return `pvc-${uid.toLowerCase()}`;
  const hash = sha256(`${namespace}/${name}`);
  const parts = [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)];
  return `pvc-${parts.join('-')}`;
}

/** What external-provisioner adds with --extra-create-metadata. */
export function metadataOf(
  { namespace, name }: Pick<Claim, 'namespace' | 'name'>,
  volumeName: string,
): Readonly<Record<`${typeof RESERVED}${string}`, string>> {
  return {
    [`${RESERVED}pvc/name`]: name,
    [`${RESERVED}pvc/namespace`]: namespace,
    [`${RESERVED}pv/name`]: volumeName,
  };
}

/** Modes of CSI for those of the claim, the one that it is published with first. */
export function csiModesOf({ accessModes }: Pick<Claim, 'accessModes'>): readonly AccessMode[] {
  return CSI_MODES.filter(([mode]) => accessModes.includes(mode)).map(([, mode]) => mode);
}

/** Where kubelet has a volume staged, and mounted for a pod. */
export function kubeletPaths(
  root: string,
  about: { readonly driver: string; readonly volumeId: string; readonly volumeName: string; readonly pod: string },
  sha256: HashText,
): { readonly staging: string; readonly target: string } {
  const { driver, volumeId, volumeName, pod } = about;
  return {
    staging: `${root}/plugins/kubernetes.io/csi/${driver}/${sha256(volumeId)}/globalmount`,
    target: `${root}/pods/${pod}/volumes/kubernetes.io~csi/${volumeName}/mount`,
  };
}
