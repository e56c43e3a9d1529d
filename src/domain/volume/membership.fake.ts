/** What is seen of a volume's members, as a test has it; said with as few words as it takes. */
import type { BrickStatus, PlacedCopy } from '../../schemas/volume.ts';
import type { SeenMember, SeenMembership } from './membership.ts';

/** Since when every node has been ready. */
export const SINCE = 'since';

/** A copy of the volume, prepared. */
export function member(name: string, node: string, part: Partial<SeenMember> = {}): SeenMember {
  return {
    name,
    node,
    pool: 'default',
    role: 'data',
    path: `/p/${name}`,
    isReady: true,
    isReleased: false,
    isDeleting: false,
    ...part,
  };
}

/** A place of the volume. */
export function placed(copy: string, node: string, part: Partial<PlacedCopy> = {}): PlacedCopy {
  return { copy, node, pool: 'default', role: 'data', ...part };
}

/** What the engine says of a copy that serves. */
export function brick(copy: string, node: string, part: Partial<BrickStatus> = {}): BrickStatus {
  return { copy, node, isOnline: true, isReadable: true, nodeReadySince: SINCE, pendingHeals: 0, ...part };
}

/** Three copies at rest. */
export const THREE = [placed('a', 'n1'), placed('b', 'n2'), placed('c', 'n3')];
/** Two copies and an arbiter at rest. */
export const ARBITER = [placed('a', 'n1'), placed('b', 'n2'), placed('c', 'n3', { role: 'arbiter' })];
/** All nodes of the cluster; a copy is on none twice. */
export const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];

/** How what is seen differs from three copies at rest. */
export interface Scene {
  readonly placement?: readonly PlacedCopy[];
  readonly members?: readonly SeenMember[];
  readonly bricks?: readonly BrickStatus[];
  /** Names of the copies that the engine has it made of. */
  readonly held?: readonly string[];
  readonly part?: Partial<SeenMembership>;
}

/** What is seen then; the engine has the placement unless said otherwise. */
export function see({ placement = THREE, members, bricks, held, part = {} }: Scene): SeenMembership {
  const known = members ?? placement.map(({ copy, node }) => member(copy, node));
  const names = held ?? placement.map((each) => each.copy);
  const paths = names.map((name) => {
    const found = known.find((each) => each.name === name);
    return `${found?.node}:/p/${name}`;
  });
  return {
    spec: { layout: 'replicated', replicas: 3 },
    placement,
    members: known,
    engine: {
      ...{ observedBy: 'n1', epoch: 1, state: 'Started', engineId: 'id', members: paths },
      bricks: [...(bricks ?? known.map(({ name, node }) => brick(name, node)))],
    },
    anchor: 'n1',
    epoch: 1,
    usableNodes: new Map(NODES.map((node) => [node, SINCE])),
    bootIds: new Map(NODES.map((node) => [node, `boot-${node}`])),
    drainingNodes: new Set(),
    placeOne: ({ node = 'n4' }) => ({ ok: true, copy: 'new', node, pool: 'default' }),
    ...part,
  };
}

/** These nodes are to hold nothing. */
export function draining(...nodes: readonly string[]): Pick<SeenMembership, 'drainingNodes'> {
  return { drainingNodes: new Set(nodes) };
}

/** The first of the three is being replaced by `new` on n4. */
export function replacing(part: Partial<PlacedCopy> = {}): readonly PlacedCopy[] {
  const witnesses = { n2: 'boot-n2', n3: 'boot-n3' };
  return [placed('new', 'n4', { replaces: 'a', witnesses, ...part }), placed('b', 'n2'), placed('c', 'n3')];
}

/** The copies then. */
export function withNew(part: Partial<SeenMember> = {}): readonly SeenMember[] {
  return [member('a', 'n1'), member('b', 'n2'), member('c', 'n3'), member('new', 'n4', part)];
}
