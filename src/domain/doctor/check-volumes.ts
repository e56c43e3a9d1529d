/** Checks of volumes, their bricks and their mounts. */
import { nextStep } from '../explain/next-step.ts';
import { findCondition } from '../find-condition.ts';
import { describeUse } from '../nfs-export/names.ts';
import { strangersAmong } from '../node/is-usable.ts';
import { phaseOf, stateMessage } from '../volume/describe-volume.ts';
import { engineNameOf, volumeNamed } from '../volume/engine-name.ts';
import { type Check, type DoctorWorld, factsOf, isHeard, nameOf, type Observation } from './world.ts';

export const VOLUMES_SERVE: Check = {
  id: 'HF010',
  title: 'Volumes serve, with every copy current',
  look: (world) =>
    world.volumes.flatMap((volume): readonly Observation[] => {
      const phase = phaseOf(volume);
      const isSplit = findCondition(volume, 'Redundant')?.reason === 'SplitBrain';
      if (phase === 'Ready' || isSplit) return [];
      const isDown = phase === 'Unavailable';
      const { command, why } = nextStep({ volume, ...seenOf(world, nameOf(volume)) });
      return [
        {
          status: isDown ? 'failed' : 'warning',
          subject: `volume ${nameOf(volume)}`,
          evidence: `${phase}: ${stateMessage(volume)}`,
          meaning: isDown
            ? 'too few copies serve: reads and writes fail until more are back; nothing is lost by that'
            : MEANINGS[phase],
          fix: `${command} (${why})`,
        },
      ];
    }),
};

const MEANINGS: Readonly<Record<'Pending' | 'Creating' | 'Deleting' | 'Degraded' | 'Unavailable', string>> = {
  Pending: 'it has no copies yet, and cannot be used',
  Creating: 'its copies are being made; it cannot be used yet',
  Deleting: 'it was deleted, but something of it is still there',
  Degraded: 'it serves, but the loss of one more copy may stop it or lose what only one copy has',
  Unavailable: 'reads and writes fail',
};

function seenOf({ nodes, volumes }: DoctorWorld, name: string) {
  const volume = volumes.find((candidate) => nameOf(candidate) === name);
  const away = nodes.filter((node) => !isHeard(node)).map(nameOf);
  const placed = (volume?.status?.placement ?? []).map(({ node }) => node);
  const bricks = volume?.status?.engine?.bricks ?? [];
  const down = bricks.filter((brick) => !brick.isOnline || !brick.isReadable).map(({ node }) => node);
  const awayNodes = away.filter((node) => placed.includes(node));
  const strangers = strangersAmong(nodes, placed);
  return { awayNodes, downNodes: [...new Set([...awayNodes, ...down])], strangers, laggingMounts: [] };
}

export const SPLIT_BRAIN: Check = {
  id: 'HF011',
  title: 'No entries differ between copies',
  look: ({ volumes }) =>
    volumes.flatMap((volume) => {
      const split = findCondition(volume, 'Redundant');
      if (split?.reason !== 'SplitBrain') return [];
      const name = nameOf(volume);
      return [
        {
          status: 'failed' as const,
          subject: `volume ${name}`,
          evidence: split.message,
          meaning: 'GlusterFS refuses these files to everybody, since nothing tells which copy is right',
          fix: `see them side by side: holdfast volume split-brain list ${name}`,
        },
      ];
    }),
};

export const BRICKS_RUN: Check = {
  id: 'HF012',
  title: 'Brick processes run',
  look: (world) =>
    [...factsOf(world)].flatMap(([node, { engine }]) =>
      engine.bricks
        .filter((brick) => !brick.isOnline && brick.diskError === undefined)
        .map(({ volume, path }) => ({
          status: 'failed' as const,
          subject: `volume ${volumeNamed(world.volumes, volume)} on node ${node}`,
          evidence: `the engine says that no process serves the brick ${path}`,
          meaning: 'this copy does not serve and falls behind the others',
          fix: `gluster volume start ${volume} force (starts only what is down)`,
          remedy: { node, repair: { repair: 'startBricks' as const, volume } },
        })),
    ),
};

export const BRICK_DISKS: Check = {
  id: 'HF013',
  title: 'Disks of bricks can be read',
  look: (world) =>
    [...factsOf(world)].flatMap(([node, { engine }]) =>
      engine.bricks.flatMap(({ volume, path, isOnline, diskError }) => {
        if (diskError === undefined) return [];
        const name = volumeNamed(world.volumes, volume);
        const still = isOnline ? ', though "volume status" still calls it online' : '';
        return [
          {
            status: 'failed' as const,
            subject: `volume ${name} on node ${node}`,
            evidence: `${path} cannot be read: ${diskError}${still}`,
            meaning: 'this copy is out of use; the other copies serve alone until it is back or replaced',
            fix: `look into the kernel log of ${node} (dmesg). A disk that works comes back with a new mount or a restart of ${node}; one that does not has to be exchanged, and its copies filled anew: holdfast disk replace ${node}`,
          },
        ];
      }),
    ),
};

export const VOLUME_FILES: Check = {
  id: 'HF014',
  title: "GlusterFS's descriptions of volumes have contents",
  look: (world) =>
    [...factsOf(world)].flatMap(([node, { engine }]) =>
      engine.emptyVolumeFiles.map((volume) => ({
        status: 'failed' as const,
        subject: `volume ${volumeNamed(world.volumes, volume)} on node ${node}`,
        evidence: `a file of /var/lib/glusterd/vols/${volume} has 0 bytes, as after a power loss`,
        meaning: 'neither its brick nor a mount starts on this node',
        fix: `gluster volume set ${volume} network.ping-timeout N, with the N that it has now: glusterd then writes them anew`,
        ...(engine.isAnswering ? { remedy: { node, repair: { repair: 'rewriteVolumeFiles' as const, volume } } } : {}),
      })),
    ),
};

export const MOUNTS_ANSWER: Check = {
  id: 'HF015',
  title: 'Mounts answer',
  look: (world) =>
    [...factsOf(world)].flatMap(([node, { engine }]) =>
      engine.mounts.flatMap(({ path, source, state, message }): readonly Observation[] => {
        if (state === 'answering') return [];
        const about = { subject: `mount ${path} on node ${node}`, evidence: `${source}: ${message ?? state}` };
        if (state === 'dead') {
          return [
            {
              ...about,
              status: 'failed',
              meaning: 'every access to it fails and will never work again: the process behind it is gone',
              fix: `on ${node}: umount -l ${path}`,
              remedy: { node, repair: { repair: 'detachMount', path } },
            },
          ];
        }
        return [
          {
            ...about,
            status: 'failed',
            meaning:
              'programs that use it hang or get errors; it recovers with every open file when enough copies are in reach again',
            fix: `see what its volume lacks: holdfast status. If every copy is current and it stays silent, end what uses it, then on ${node}: umount -l ${path}`,
          },
        ];
      }),
    ),
};

export const ATTACHMENTS: Check = {
  id: 'HF016',
  title: 'Volumes are mounted where they are wanted',
  look: ({ attachments, nodes }) =>
    attachments
      .filter(({ spec, status }) => {
        const isAway = !isHeard(nodes.find((node) => nameOf(node) === spec.node));
        return !isAway && (status?.state !== 'Mounted' || lacks(status));
      })
      .map(describeAttachment),
};

const UNREPORTED = { state: 'Waiting', message: 'its node has not reported on it yet' } as const;

function describeAttachment({ spec, status = UNREPORTED }: DoctorWorld['attachments'][number]): Observation {
  const isFailed = status.state === 'Failed' || status.state === 'Waiting';
  const reach = lacks(status) ? `reaches ${status.connectedCopies ?? 0} of ${status.copies} copies` : undefined;
  const reasons = [status.message, reach].filter((part) => part !== undefined);
  return {
    status: isFailed ? 'failed' : 'warning',
    subject: `volume ${spec.volume} on node ${spec.node}`,
    evidence: `${status.state} ${describeUse(spec)}: ${reasons.join('; ') || 'no reason given'}`,
    meaning: isFailed
      ? 'programs on this node cannot use the volume'
      : 'what is written through this mount may not get to every copy at once',
    fix: `holdfast explain volume ${spec.volume}`,
  };
}

function lacks(status: DoctorWorld['attachments'][number]['status']): boolean {
  return status?.copies !== undefined && (status.connectedCopies ?? 0) < status.copies;
}

export const COPIES_CURRENT: Check = {
  id: 'HF025',
  title: 'Nothing waits to be healed',
  look: (world) => {
    const facts = factsOf(world);
    return world.volumes.flatMap((volume) => {
      const bricks = volume.status?.engine?.bricks ?? [];
      const pending = Math.max(0, ...bricks.map((brick) => brick.pendingHeals ?? 0));
      const areAllThere = bricks.every((brick) => brick.isOnline && brick.isReadable);
      if (pending === 0 || !areAllThere) return [];
      const name = nameOf(volume);
      const anchor = volume.status?.anchor;
      const canAct = anchor !== undefined && facts.get(anchor)?.engine.isAnswering === true;
      return [
        {
          status: 'warning' as const,
          subject: `volume ${name}`,
          evidence: `${pending} entries are not yet the same on all copies, and all copies are there`,
          meaning: 'it heals by itself; until then one copy alone may hold the newest data, so take no node down',
          fix: `holdfast volume heal ${name}`,
          ...(canAct
            ? { remedy: { node: anchor, repair: { repair: 'healVolume' as const, volume: engineNameOf(volume) } } }
            : {}),
        },
      ];
    });
  },
};
