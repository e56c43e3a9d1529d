/** Checks of the engine's own cluster: its daemon, who is joined to whom, ports, op-versions, quorum. */
import type { NodeFacts } from '../../schemas/node-facts.ts';
import { adviseOnHalf, type HalfMember } from './half-members.ts';
import { type Check, type DoctorWorld, factsOf, isHeard, nameOf, type Observation, poolSpeaker } from './world.ts';

type Peer = NodeFacts['engine']['peers'][number];

export const ENGINE_RUNS: Check = {
  id: 'HF003',
  title: 'GlusterFS runs as it should',
  look: (world) =>
    [...factsOf(world)].flatMap(([node, { engine }]): readonly Observation[] => {
      if (!engine.isAnswering) {
        return [
          {
            status: 'failed',
            subject: `node ${node}`,
            evidence: engine.message ?? 'glusterd does not answer',
            meaning:
              'bricks that run go on serving, but nothing can be started, changed or healed from this node, and others count it as lost',
            fix: `on ${node}: systemctl start glusterd; see /var/log/glusterfs/glusterd.log if it ends again`,
          },
        ];
      }
      if (engine.noticesLostPeers) return [];
      return [
        {
          status: 'failed',
          subject: `node ${node}`,
          evidence: engine.message ?? 'glusterd runs without a ping-timeout',
          meaning: 'when a node is cut off, commands about volumes hang for minutes and keep the volumes locked',
          fix: `on ${node}: set "option ping-timeout 10" in /etc/glusterfs/glusterd.vol and restart glusterd (volumes go on meanwhile)`,
        },
      ];
    }),
};

export const PORTS_REACHABLE: Check = {
  id: 'HF005',
  title: 'Nodes reach the ports of each other',
  look: (world) => {
    const facts = factsOf(world);
    return [...facts].flatMap(([from, { unreachable }]) => {
      const heard = unreachable.filter(
        // What a node does not even answer itself is no matter of the way to it.
        ({ node }) => isHeard(find(world, node)) && facts.get(node)?.engine.isAnswering !== false,
      );
      const byNode = Map.groupBy(heard, ({ node }) => node);
      return [...byNode].map(([to, endpoints]) => ({
        status: 'failed' as const,
        subject: `node ${from} to node ${to}`,
        evidence: endpoints.map(({ port, serves, why }) => `port ${port} (${serves}): ${why}`).join('; '),
        meaning: `both are heard, but ${from} does not get through to ${to}: it mounts, heals and manages volumes without the copies there`,
        fix: `look at the cable, the routes and the firewall between them: 24007 and the brick ports (49152-60999) must be open; on ${from}: ping ${to}`,
      }));
    });
  },
};

export const PEERS_JOINED: Check = {
  id: 'HF006',
  title: 'All nodes are whole members of one pool',
  look: (world) => {
    const facts = answering(world);
    return [...facts].flatMap(([from, { engine }]) => {
      const halves: HalfMember[] = [];
      const wrong = [...facts].flatMap(([to, other]) => {
        if (to === from) return [];
        const peer = findPeer(engine.peers, to, other);
        if (peer === undefined) return [`does not know ${to}`];
        if (!peer.isMember) {
          halves.push({ from, to, stateText: peer.stateText });
          return [`knows ${to} as "${peer.stateText || 'no member'}"`];
        }
        return peer.isConnected ? [] : [`is not connected to ${to}`];
      });
      const names = world.nodes.map(nameOf);
      const strangers = engine.peers
        .filter((peer) => !peer.names.some((name) => names.includes(name)) && !isKnownId(facts, peer.uuid))
        .map((peer) => `also knows ${peer.names.join(', ')}, which is no node here`);
      if (wrong.length === 0 && strangers.length === 0) return [];
      const evidence = `${from} ${[...wrong, ...strangers].join('; ')}`;
      return [{ subject: `node ${from}`, evidence, ...adviseOnPool(from, wrong.length > 0, halves) }];
    });
  },
};

function adviseOnPool(
  from: string,
  isWrong: boolean,
  [half]: readonly HalfMember[],
): Pick<Observation, 'status' | 'meaning' | 'fix'> {
  const meaning = 'volumes cannot be made or changed across members that do not agree on who belongs to the pool';
  if (!isWrong) {
    const fix = `if it is gone for good, on ${from}: gluster peer detach NAME; else add it to the plan and apply it`;
    return { status: 'warning', meaning, fix };
  }
  const stuck = half === undefined ? undefined : adviseOnHalf(half);
  if (stuck !== undefined) return { status: 'failed', meaning: `${stuck.meaning}; ${meaning}`, fix: stuck.fix };
  const fix = `the agents join nodes by themselves as soon as they can; see what hinders it: holdfast node show ${from}, and /var/log/glusterfs/glusterd.log on ${from}`;
  return { status: 'failed', meaning, fix };
}

export const NODE_IDENTITY: Check = {
  id: 'HF007',
  title: 'Each node is the one that its peers know',
  look: (world) => {
    const facts = answering(world);
    return [...facts].flatMap(([node, { engine }]) => {
      const others = [...facts].filter(([other]) => other !== node);
      const knownAs = new Map(
        others.flatMap(([other, seen]) => {
          const peer = seen.engine.peers.find((candidate) => candidate.names.includes(node));
          return peer === undefined || peer.uuid === engine.id ? [] : [[other, peer.uuid] as const];
        }),
      );
      const [first] = knownAs;
      if (first === undefined || engine.id === undefined) return [];
      return [
        {
          status: 'failed' as const,
          subject: `node ${node}`,
          evidence: `glusterd on ${node} is ${engine.id}, but ${[...knownAs.keys()].join(', ')} know ${node} as ${first[1]}`,
          meaning: 'the machine was installed anew: its peers wait for the old one for ever, and its copies are gone',
          fix: `holdfast node rejoin ${node}`,
        },
      ];
    });
  },
};

export const OP_VERSION: Check = {
  id: 'HF008',
  title: 'The op-version is raised and the same everywhere',
  look: (world) => {
    const facts = answering(world);
    const versions = Map.groupBy(facts.keys(), (node) => facts.get(node)?.engine.opVersion);
    versions.delete(undefined);
    const evidence = [...versions].map(([version, nodes]) => `${version} on ${nodes.join(', ')}`).join('; ');
    if (versions.size > 1) {
      return [
        {
          status: 'failed',
          subject: 'cluster',
          evidence: `op-versions differ: ${evidence}`,
          meaning: 'members of one pool must speak the same; those that differ are rejected when they come back',
          fix: 'on the nodes with the lower one: restart glusterd, which takes the op-version of the pool over',
        },
      ];
    }
    const speaker = poolSpeaker(world);
    const { opVersion, maxOpVersion } = (speaker === undefined ? undefined : facts.get(speaker)?.engine) ?? {};
    if (speaker === undefined || opVersion === undefined || maxOpVersion === undefined) return [];
    if (opVersion >= maxOpVersion) return [];
    return [
      {
        status: 'warning',
        subject: 'cluster',
        evidence: `the op-version is ${opVersion}, all members support ${maxOpVersion}`,
        meaning: 'features and repairs of the installed GlusterFS stay off, as after an upgrade',
        fix: `gluster volume set all cluster.op-version ${maxOpVersion} (it cannot be lowered again; clients must be of that release too)`,
        remedy: { node: speaker, repair: { repair: 'raiseOpVersion', version: maxOpVersion } },
      },
    ];
  },
};

export const SERVER_QUORUM: Check = {
  id: 'HF009',
  title: 'Each node sees more than half of the pool',
  look: (world) =>
    [...answering(world)].flatMap(([node, { engine }]) => {
      const members = engine.peers.filter((peer) => peer.isMember);
      const seen = members.filter((peer) => peer.isConnected).length + 1;
      const total = members.length + 1;
      if (seen * 2 > total) return [];
      return [
        {
          status: 'failed' as const,
          subject: `node ${node}`,
          evidence: `it sees ${seen} of ${total} members of the pool, itself among them`,
          meaning: 'without more than half GlusterFS stops the bricks on this node, so that no two halves both write',
          fix: 'bring the missing nodes or the link to them back; the bricks start by themselves then: holdfast status',
        },
      ];
    }),
};

/** Facts of nodes that are heard and whose daemon answers: only those can be compared with each other. */
function answering(world: DoctorWorld): ReadonlyMap<string, NodeFacts> {
  const members = new Set(world.clusters.flatMap(({ spec }) => spec.nodes));
  return new Map([...factsOf(world)].filter(([node, { engine }]) => engine.isAnswering && members.has(node)));
}

function findPeer(peers: readonly Peer[], node: string, { engine }: NodeFacts): Peer | undefined {
  return peers.find((peer) => peer.names.includes(node) || peer.uuid === engine.id);
}

function isKnownId(facts: ReadonlyMap<string, NodeFacts>, uuid: string): boolean {
  return [...facts.values()].some(({ engine }) => engine.id === uuid);
}

function find({ nodes }: DoctorWorld, name: string) {
  return nodes.find((node) => nameOf(node) === name);
}
