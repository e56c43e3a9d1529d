/** What `holdfast doctor --fix` may do: only things that cannot lose anything, carried out by the agent of one node. */

/** Volumes go by the names that the engine gives them: what it finds itself is repaired, whoever made it. */
export type Repair =
  /** Raises the op-version of the pool to what all members support. It is never lowered. */
  | { readonly repair: 'raiseOpVersion'; readonly version: number }
  /** Lets the engine write its descriptions of the volume anew. */
  | { readonly repair: 'rewriteVolumeFiles'; readonly volume: string }
  | { readonly repair: 'startBricks'; readonly volume: string }
  | { readonly repair: 'healVolume'; readonly volume: string }
  /** Takes a mount away that no process serves; the agent mounts anew what it is to mount. */
  | { readonly repair: 'detachMount'; readonly path: string }
  /** Removes a volume's ID from a directory that is empty and no brick. */
  | { readonly repair: 'removeVolumeId'; readonly path: string };

/** The repair in one line, as it is shown before it is asked for. */
export function describeRepair(repair: Repair): string {
  switch (repair.repair) {
    case 'raiseOpVersion':
      return `raise the op-version of the pool to ${repair.version}`;
    case 'rewriteVolumeFiles':
      return `let GlusterFS write its descriptions of volume ${repair.volume} anew`;
    case 'startBricks':
      return `start the bricks of volume ${repair.volume} that are down`;
    case 'healVolume':
      return `launch a heal of volume ${repair.volume}`;
    case 'detachMount':
      return `detach the dead mount at ${repair.path}`;
    case 'removeVolumeId':
      return `remove the volume ID from the empty directory ${repair.path}`;
  }
}
