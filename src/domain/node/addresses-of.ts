import type { StorageNodeSpec } from '../../schemas/storage-node.ts';

/** Every address that a node is known by. */
export function addressesOf({ addresses: { ip, internalIp } }: Pick<StorageNodeSpec, 'addresses'>): readonly string[] {
  return internalIp === undefined ? [ip] : [ip, internalIp];
}
