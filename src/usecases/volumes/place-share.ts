/** What is looked at before a volume that is a share of a file server is stored. */
import { AppError } from '../../domain/errors.ts';
import { mountSource } from '../../domain/nfs/share.ts';
import { isUsable } from '../../domain/node/is-usable.ts';
import type { PlacementExplanation } from '../../domain/placement/explain-placement.ts';
import type { PlacedOn } from '../../domain/placement/model.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import { Share } from '../../schemas/volume.ts';

/** The share as it is stored. @throws {AppError} invalid, with every part of it that is none */
export function checkShare(share: Share): Share {
  const read = Share.safeParse(share);
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  const [first] = faults;
  throw new AppError('invalid', `the share cannot be used: ${first?.field} ${first?.message}; nothing was created`, {
    reason: 'InvalidShare',
    faults,
  });
}

interface ShareWish {
  readonly name: string;
  readonly share: Share;
  /** Nodes that may look after it; all when left out. */
  readonly nodes?: readonly string[];
}

/**
 * A share takes no room on any node; one that can mount it has to be there.
 *
 * @throws {AppError} capacity, when there is none
 */
export function placeShare(
  { name, share, nodes }: ShareWish,
  stored: readonly StorageNode[],
): {
  readonly placement: readonly PlacedOn[];
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  readonly explanation: PlacementExplanation;
} {
  const able = stored.filter((node) => isUsable(node, 'nfs') && (nodes?.includes(node.metadata.name ?? '') ?? true));
  if (able.length === 0) {
    const which = nodes === undefined ? 'no node' : `none of ${nodes.join(', ')}`;
    throw new AppError('capacity', `${which} can mount NFS now; nothing was created`, {
      resource: `volume ${name}`,
      reason: 'NoNfsClient',
      hint: 'a node needs a kernel with the module nfs, and mount.nfs (package nfs-common); see: holdfast node show NODE',
    });
  }
  const { subDir, onDelete = 'delete' } = share;
  const end = subDir === undefined ? 'nothing in it is ever deleted' : `its folder when it is deleted: ${onDelete}`;
  const note = `${mountSource(share)}, kept by its file server; nobody enforces its size; ${end}`;
  return { placement: [], reasons: [], notes: [note], explanation: { volume: name, filters: [], nodes: [] } };
}
