/** From the host name in a plan to the name of the StorageNode. */

/** The first label of a host name: storage1.example.com is the node storage1. */
export function nodeNameOf(host: string): string {
  return host.toLowerCase().split('.', 1)[0] ?? '';
}
