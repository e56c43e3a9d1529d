/** Nodes as people ask for them: the list, and one with the copies and mounts on it. */
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { notAmong } from '../finding/find-named.ts';

export interface ListedNode {
  readonly node: Resource<'StorageNode'>;
  /** Copies of volumes on it. */
  readonly copies: readonly Resource<'VolumeCopy'>[];
  /** While it is fenced. */
  readonly fence?: Resource<'FenceRecord'>;
}

export interface ShownNode extends ListedNode {
  readonly attachments: readonly Resource<'VolumeAttachmentRecord'>[];
}

interface ReadDeps {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}

/** All nodes, by name. */
export async function listNodes(deps: ReadDeps): Promise<readonly ListedNode[]> {
  const scope = deps.signal === undefined ? {} : { signal: deps.signal };
  const [nodes, copies, fences] = await Promise.all([
    deps.client.list('StorageNode', scope),
    deps.client.list('VolumeCopy', scope),
    deps.client.list('FenceRecord', scope),
  ]);
  return nodes.items
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((node) => {
      const { name } = node.metadata;
      const fence = fences.items.find(({ spec }) => spec.node === name);
      const own = copies.items.filter((copy) => copy.spec.node === name);
      return { node, copies: own, ...(fence === undefined ? {} : { fence }) };
    });
}

/**
 * One node.
 *
 * @throws {AppError} notFound, with the nearest name
 */
export async function showNode(deps: ReadDeps, name: string): Promise<ShownNode> {
  const nodes = await listNodes(deps);
  const found = nodes.find(({ node }) => node.metadata.name === name);
  if (found === undefined) {
    const names = nodes.map(({ node }) => node.metadata.name);
    throw notAmong(names, name, { what: 'node', reason: 'NodeNotFound', seeAll: 'holdfast node list' });
  }
  const scope = deps.signal === undefined ? {} : { signal: deps.signal };
  const { items } = await deps.client.list('VolumeAttachmentRecord', scope);
  return { ...found, attachments: items.filter((record) => record.spec.node === name) };
}
