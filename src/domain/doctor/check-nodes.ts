/** Checks of each machine: heard, looked at, clock, kernel, versions, certificates. */
import { findCondition } from '../find-condition.ts';
import { type Check, type DoctorWorld, factsOf, isHeard, nameOf, type Observation } from './world.ts';

/** Below this a difference harms nobody; heartbeats and file times are told in seconds. */
const SKEW_WARNING_MS = 2_000;
const SKEW_FAILED_MS = 30_000;
/** creationTimestamp has whole seconds. */
const DAY_MS = 86_400_000;
const CERTIFICATE_WARNING_DAYS = 30;

export const NODE_HEARD: Check = {
  id: 'HF001',
  title: 'Nodes are heard',
  look: ({ nodes }) =>
    nodes
      .filter((node) => !isHeard(node))
      .map((node) => {
        const name = nameOf(node);
        const ready = findCondition(node, 'Ready');
        return {
          status: 'failed',
          subject: `node ${name}`,
          evidence: ready?.message ?? 'its agent has never reported',
          meaning: 'its copies do not serve; what the others hold of them decides whether volumes go on',
          fix: `start the machine; if it is up, start its agent (holdfast node --name ${name}) and see that it reaches the API. Without it: holdfast simulate lose-node ${name}`,
        };
      }),
};

export const NODE_EXAMINED: Check = {
  id: 'HF002',
  title: 'Nodes can be examined',
  look: ({ examinations }) =>
    [...examinations].flatMap(([node, examination]) => {
      if ('facts' in examination) {
        const { blind } = examination.facts.engine;
        return blind.map((why) => unseen(node, why));
      }
      return [unseen(node, examination.failure)];
    }),
};

function unseen(node: string, why: string): Observation {
  return {
    status: 'unknown',
    subject: `node ${node}`,
    evidence: why,
    meaning: 'what can only be seen on this machine was not checked; nothing is claimed about it',
    fix: `run it again when the node is heard: holdfast doctor --node ${node}`,
  };
}

export const CLOCKS_AGREE: Check = {
  id: 'HF004',
  title: 'Clocks agree',
  look: ({ examinations }) =>
    [...examinations].flatMap(([node, examination]) => {
      if (!('facts' in examination)) return [];
      const { facts, askedAt, answeredAt } = examination;
      // Only what is certain: the node cannot have begun before it was asked, nor finished after its answer was there.
      const behind = askedAt - facts.startedAt;
      const ahead = facts.finishedAt - answeredAt;
      const skew = Math.max(behind, ahead);
      if (skew <= SKEW_WARNING_MS) return [];
      const word = behind > ahead ? 'behind' : 'ahead of';
      return [
        {
          status: skew > SKEW_FAILED_MS ? ('failed' as const) : ('warning' as const),
          subject: `node ${node}`,
          evidence: `its clock is at least ${(skew / 1000).toFixed(1)} s ${word} the clock of the API server`,
          meaning:
            'times of files jump when a program moves to another node, and certificates count as not yet or no longer valid',
          fix: `on ${node}: let a time service set the clock (apt-get install chrony), then: chronyc makestep`,
        },
      ];
    }),
};

export const KERNEL_FEATURES: Check = {
  id: 'HF021',
  title: 'The kernel has what is needed',
  look: (world) => [
    ...[...factsOf(world)].flatMap(([node, { kernel }]) => {
      const missing = [
        ...(kernel.hasFuse ? [] : ['fuse (mounts of volumes)']),
        ...(kernel.hasXfs ? [] : ['xfs (pools and copies)']),
        ...(kernel.hasLoop ? [] : ['loop (copies in images)']),
      ];
      if (missing.length === 0) return [];
      return [
        {
          status: 'failed' as const,
          subject: `node ${node}`,
          evidence: `kernel ${kernel.release} lacks ${missing.join(', ')}`,
          meaning: 'copies cannot be made, or volumes cannot be mounted, on this node',
          fix: `on ${node}: load what is missing (modprobe ${missing.map((word) => word.split(' ')[0]).join('; modprobe ')}), or install the full kernel image of the distribution`,
        },
      ];
    }),
    ...withoutReflink(world),
  ],
};

function withoutReflink({ nodes }: DoctorWorld): readonly Observation[] {
  return nodes.flatMap((node) =>
    (node.status?.pools ?? [])
      .filter((pool) => pool.isReady && pool.hasReflink === false)
      .map((pool) => ({
        status: 'warning' as const,
        subject: `pool ${pool.name} on node ${nameOf(node)}`,
        evidence: `its file system (${pool.fsType ?? 'unknown'}) has no reflink`,
        meaning: 'copies in this pool cannot be snapshotted or cloned; everything else works',
        fix: 'use a pool on XFS made with reflink=1, which is the default of mkfs.xfs since 5.1',
      })),
  );
}

export const AGENT_VERSIONS: Check = {
  id: 'HF022',
  title: 'Agents and controller are of one version',
  look: (world) => {
    const { nodes, version, clusters } = world;
    // A controller of before it said so was installed together with this program.
    const wanted = clusters.find(({ status }) => status?.controllerVersion !== undefined)?.status?.controllerVersion;
    const others = nodes.flatMap((node) => {
      const seen = node.status?.agentVersion;
      if (seen === undefined || seen === (wanted ?? version)) return [];
      return [
        {
          status: 'warning' as const,
          subject: `node ${nameOf(node)}`,
          evidence: `its agent is ${seen}, the controller is ${wanted ?? version}`,
          meaning: UNKNOWN_ASKED,
          fix: `install ${wanted ?? version} on ${nameOf(node)} and restart its agent`,
        },
      ];
    });
    return wanted === undefined || wanted === version ? others : [...others, otherProgram(version, wanted)];
  },
};

const UNKNOWN_ASKED = 'what one version asks for the other may not know; it would then be left undone and said so';

function otherProgram(version: string, controller: string): Observation {
  return {
    status: 'warning',
    subject: 'cluster',
    evidence: `this program is ${version}, the controller is ${controller}`,
    meaning: UNKNOWN_ASKED,
    fix: `use holdfast ${controller}, as it is on the controller's machine, or upgrade the controller to ${version}`,
  };
}

export const PACKAGE_VERSIONS: Check = {
  id: 'HF023',
  title: 'Storage programs are of one version',
  look: (world) => {
    const facts = factsOf(world);
    const names = new Set([...facts.values()].flatMap(({ packages }) => Object.keys(packages)));
    return [...names].toSorted().flatMap((name) => {
      const nodesByVersion = Map.groupBy(facts.keys(), (node) => facts.get(node)?.packages[name] ?? 'none');
      if (nodesByVersion.size < 2) return [];
      const evidence = [...nodesByVersion].map(([version, nodes]) => `${version} on ${nodes.join(', ')}`).join('; ');
      return [
        {
          status: 'warning' as const,
          subject: `program ${name}`,
          evidence,
          meaning: 'fine while an upgrade is under way; for longer, features of the newer one stay off',
          fix: `bring all nodes to one version, one node at a time, each only when holdfast status shows every copy current`,
        },
      ];
    });
  },
};

export const CERTIFICATES: Check = {
  id: 'HF024',
  title: 'Certificates are valid for long enough',
  look: (world) =>
    [...factsOf(world)].flatMap(([node, { certificates }]) =>
      certificates.flatMap(({ name, notAfter }) => {
        const days = (notAfter - world.now) / DAY_MS;
        if (days > CERTIFICATE_WARNING_DAYS) return [];
        const isOver = days <= 0;
        return [
          {
            status: isOver ? ('failed' as const) : ('warning' as const),
            subject: `node ${node}`,
            evidence: `${name} ${isOver ? 'ended' : 'ends'} at ${new Date(notAfter).toISOString()}`,
            meaning: isOver
              ? 'the API refuses the agent: the node counts as away, while its copies go on serving'
              : 'after that the API refuses the agent and the node counts as away',
            fix: `issue a new kubeconfig for ${node} on the controller's machine, put it in place and restart the agent`,
          },
        ];
      }),
    ),
};
