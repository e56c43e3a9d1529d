/** What a node serves by NFS, and why it does not serve the rest. Pure. */
import type { NfsExport, VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import type { EngineVolumeName } from '../names.ts';
import type { EngineName } from '../volume/engines.ts';
import { ONE_WRITER_HINT } from './beside-one-node.ts';
import { clientsBeyond } from './clients.ts';
import type { ServedExport } from './served-export.ts';

/** One record of an export, and its volume. */
export interface SeenExport<
  R extends Pick<VolumeAttachmentRecord, 'spec'> & { readonly metadata: { readonly name: string } },
> {
  readonly record: R;
  /** It is to go. */
  readonly isEnding: boolean;
  /** Nobody on the node may use volumes while the encryption of storage traffic is changed. */
  readonly isHeldBack: boolean;
  /** The node is cut off from all volumes. */
  readonly isFenced?: boolean;
  /** Why its clients may not write: a claim has the volume for one node. Only of one that is not served yet as it is said. */
  readonly oneWriter?: string | undefined;
  /** Undefined where there is none. */
  readonly volume?: {
    readonly engine: EngineName;
    readonly engineName: EngineVolumeName;
    readonly copies: number;
    readonly isStarted: boolean;
    /** A snapshot is being put in its place. */
    readonly isHolding: boolean;
    /** Who may mount it, by its own list and as a node; undefined where there is no list: everybody. */
    readonly allowed?: readonly string[];
  };
}

export type ExportDecision<R> = { readonly record: R } & (
  | {
      readonly action: 'serve';
      readonly wanted: ServedExport;
      /** Whom it is not served to though it was asked for. */
      readonly message?: string;
    }
  | { readonly action: 'end' }
  | { readonly action: 'wait'; readonly state: 'Waiting' | 'HeldBack' | 'Failed'; readonly message: string }
);

type AnyRecord = Pick<VolumeAttachmentRecord, 'spec'> & { readonly metadata: { readonly name: string } };

/**
 * Decides about all exports of a node. Of two with the same number or path the first by name is served: a server that got
 * both would give the files of one to clients of the other.
 */
export function decideExports<R extends AnyRecord>(exports: readonly SeenExport<R>[]): readonly ExportDecision<R>[] {
  const ids = new Map<number, string>();
  const paths = new Map<string, string>();
  const inOrder = exports.toSorted((a, b) => (a.record.metadata.name < b.record.metadata.name ? -1 : 1));
  return inOrder.map((seen): ExportDecision<R> => {
    const { record } = seen;
    if (seen.isEnding) return { record, action: 'end' };
    const { export: exported, mountPath, volume, isReadOnly } = record.spec;
    const wait = reasonToWait(seen);
    if (wait !== undefined) return { record, action: 'wait', ...wait };
    if (exported === undefined || seen.volume === undefined) return { record, action: 'end' };
    const twin = ids.get(exported.id) ?? paths.get(mountPath);
    if (twin !== undefined) {
      const message = `volume ${twin} is exported here with the same number or path; take this export away and export ${volume} anew`;
      return { record, action: 'wait', state: 'Failed', message };
    }
    ids.set(exported.id, volume);
    paths.set(mountPath, volume);
    const { clients, ...left } = leaveOut(exported, seen.volume.allowed);
    if (clients.length === 0) return { record, action: 'wait', state: 'Failed', message: left.message ?? '' };
    const { id, squash } = exported;
    const { engineName, copies } = seen.volume;
    const wanted = { id, volume: engineName, copies, path: mountPath, clients, isReadOnly, squash };
    return { record, action: 'serve', wanted, ...left };
  });
}

/** The list may have become shorter since the export was asked for. */
function leaveOut(
  { clients, mayGoBeyond }: Pick<NfsExport, 'clients' | 'mayGoBeyond'>,
  allowed: readonly string[] | undefined,
): { readonly clients: readonly string[]; readonly message?: string } {
  const beyond = mayGoBeyond || allowed === undefined ? [] : clientsBeyond(clients, allowed);
  if (beyond.length === 0) return { clients };
  return {
    clients: clients.filter((client) => !beyond.includes(client)),
    message: `not served to ${beyond.join(', ')}, who may not mount the volume itself any more`,
  };
}

function reasonToWait({
  record: { spec },
  isHeldBack,
  isFenced,
  oneWriter,
  volume,
}: SeenExport<AnyRecord>): { readonly state: 'Waiting' | 'HeldBack' | 'Failed'; readonly message: string } | undefined {
  const { volume: name } = spec;
  if (isHeldBack) {
    return { state: 'HeldBack', message: 'served again when the encryption of storage traffic has been changed' };
  }
  if (isFenced === true) return { state: 'HeldBack', message: `node ${spec.node} is fenced` };
  if (oneWriter !== undefined) return { state: 'Failed', message: `${oneWriter}; ${ONE_WRITER_HINT}` };
  if (volume === undefined) return { state: 'Waiting', message: `there is no volume ${name}` };
  if (volume.engine !== 'gluster') {
    return { state: 'Failed', message: `a volume of engine ${volume.engine} cannot be exported; gluster can` };
  }
  if (volume.isHolding) return { state: 'Waiting', message: `a snapshot is being put in the place of ${name}` };
  return volume.isStarted ? undefined : { state: 'Waiting', message: `volume ${name} is not ready yet` };
}
