/** How a volume is encrypted, and whether its copies are open: what a person asks of one that does not come up. Pure. */
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { ImageEncryption } from './engines.ts';
import { keySecretName } from './volume-key.ts';

export interface EncryptedCopy {
  readonly node: string;
  /** Left out until its node has opened it once. */
  readonly kind?: ImageEncryption;
  /** open: its node has the key, and uses it. */
  readonly state: 'open' | 'closed';
  /** Why it is closed. */
  readonly message?: string;
}

export interface EncryptionState {
  /** Secret with the key, in the namespace of Holdfast. */
  readonly keySecret: string;
  readonly copies: readonly EncryptedCopy[];
}

/** Undefined of a volume in the clear. */
export function encryptionOf(
  { metadata, spec }: Pick<Volume, 'spec'> & { readonly metadata: { readonly uid: string } },
  copies: readonly Pick<VolumeCopy, 'spec' | 'status'>[],
): EncryptionState | undefined {
  if (spec.encryption !== true) return undefined;
  return { keySecret: keySecretName(metadata.uid), copies: copies.map(seeCopy) };
}

function seeCopy({ spec, status }: Pick<VolumeCopy, 'spec' | 'status'>): EncryptedCopy {
  const kind = status?.encryption === undefined ? {} : { kind: status.encryption };
  if (status?.state === 'Ready') return { node: spec.node, ...kind, state: 'open' };
  const message = status?.message ?? 'its node has not said anything yet';
  return { node: spec.node, ...kind, state: 'closed', message };
}

/** One line: "luks2 on kube1, fscrypt on kube2; closed on kube2: ...; key in Secret ...". */
export function describeEncryption({ keySecret, copies }: EncryptionState): string {
  const kinds = [...new Set(copies.map(({ kind }) => kind ?? 'not made yet'))];
  const on = (kind: string) => copies.filter((copy) => (copy.kind ?? 'not made yet') === kind).map(({ node }) => node);
  const [only = 'not made yet'] = kinds;
  const how = kinds.length <= 1 ? only : kinds.map((kind) => `${kind} on ${on(kind).join(', ')}`).join('; ');
  const closed = copies.flatMap(({ node, state, message }) =>
    state === 'closed' ? [`closed on ${node}: ${message}`] : [],
  );
  return [how, ...closed, `key in Secret ${keySecret}`].join('; ');
}
