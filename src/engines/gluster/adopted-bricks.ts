/**
 * The bricks of a volume that somebody else made. GlusterFS may know their machines by other names than the nodes have: by
 * addresses, or in full. It renames no brick, so what it calls them is part of who the volume is. Pure.
 */
import type { AdoptedVolume, ObservedBrick, ObservedVolume } from '../../ports/engine.ts';

/**
 * The bricks by the nodes that they are on; one that is none of those that were adopted stays as the engine has it.
 *
 * @param bricks - with what the engine calls their machines
 */
export function nameNodes(
  adopted: AdoptedVolume | undefined,
  bricks: readonly ObservedBrick[],
): readonly ObservedBrick[] {
  if (adopted === undefined) return bricks;
  return bricks.map((brick) => {
    const known = adopted.bricks.find(({ host, path }) => host === brick.node && path === brick.path);
    return known === undefined ? brick : { ...brick, node: known.node, host: brick.node };
  });
}

/** True for the very volume that was adopted: its identity and all its bricks, as the engine calls them, in their order. */
export function isAdopted(adopted: AdoptedVolume, observed: ObservedVolume): boolean {
  return (
    observed.engineId === adopted.engineId.toLowerCase() &&
    observed.bricks.map(nameBrick).join('\n') === adopted.bricks.map(nameBrick).join('\n')
  );
}

/** As the engine writes it: HOST:PATH. */
export function nameBrick({ node, host, path }: AdoptedVolume['bricks'][number]): string {
  return `${host ?? node}:${path}`;
}
