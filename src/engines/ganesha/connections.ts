/**
 * What the server is connected to, from the kernel: its connections to the bricks of a volume. Pure.
 *
 * A client of GlusterFS that takes on another view of a volume (another set of bricks) connects to all bricks of that one
 * first and closes the old connections once it has gone over, so a brick with exactly one connection is in the only view
 * that there is. (Measured with NFS-Ganesha 4.3 and GlusterFS 10.3: one connection for each brick and export.)
 */

/** Where a brick listens. */
export interface BrickEndpoint {
  /** Every address that the brick's machine has by its name. */
  readonly addresses: readonly string[];
  /** Undefined while it does not run. */
  readonly port?: number | undefined;
}

/** Peers, as ADDRESS:PORT, of the established connections of a process in the answer of `ss --tcp --processes`. */
export function peersOf(answer: string, pid: number): readonly string[] {
  const ofProcess = `pid=${pid},`;
  return answer.split('\n').flatMap((line) => {
    if (!line.includes(ofProcess)) return [];
    const words = line.trim().split(/\s+/);
    // Recv-Q Send-Q Local Peer Process; the column with the state is left out where one was asked for.
    const peer = words.at(-2);
    return peer === undefined ? [] : [peer.replace(/^\[::ffff:(.+)\]/, '$1')];
  });
}

/** How many bricks have exactly one connection among the peers. */
export function countConnected(bricks: readonly BrickEndpoint[], peers: readonly string[]): number {
  return bricks.filter(({ addresses, port }) => {
    if (port === undefined) return false;
    const names = new Set(addresses.map((address) => `${address}:${port}`));
    return peers.filter((peer) => names.has(peer)).length === 1;
  }).length;
}
