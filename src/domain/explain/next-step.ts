/** The command that helps a volume on, from how it stands. */
import type { Volume } from '../../schemas/volume.ts';
import { phaseOf } from '../volume/describe-volume.ts';

export interface NextStep {
  readonly why: string;
  /** A command line as it is typed. */
  readonly command: string;
}

export interface SeenForNextStep {
  readonly volume: Volume;
  /** Nodes of the volume that are out of reach. */
  readonly awayNodes: readonly string[];
  /** Nodes whose copy does not serve. */
  readonly downNodes: readonly string[];
  /** Nodes of the volume whose machine was installed anew and has not rejoined. */
  readonly strangers: readonly string[];
  /** Nodes whose mount does not reach every copy. */
  readonly laggingMounts: readonly string[];
}

/** Chooses the next command for `holdfast explain volume`. */
export function nextStep(seen: SeenForNextStep): NextStep {
  const { volume, awayNodes } = seen;
  const name = volume.metadata.name ?? '';
  const [away] = awayNodes;
  const ready = reasonOf(volume, 'Ready');
  switch (phaseOf(volume)) {
    case 'Deleting':
      if (ready === 'InUse') {
        return { why: 'it is deleted when nobody uses it', command: `holdfast volume delete ${name} --detach` };
      }
      return away === undefined ? goesOn(name) : lookAt(away, 'its copy cannot be removed before it is back');
    case 'Pending':
      return forPending(volume, ready);
    case 'Creating':
      return away === undefined ? goesOn(name) : lookAt(away, 'its copy cannot be prepared before it is back');
    case 'Ready':
    case 'Degraded':
    case 'Unavailable':
      return volume.spec.share === undefined ? forServing(seen, name) : forShare(volume, name);
  }
}

function forPending(volume: Volume, ready: string | undefined): NextStep {
  if (ready === 'NoNfsClient') return { why: 'see which engines run on the nodes', command: 'holdfast node list' };
  if (ready !== 'NoPlaceForCopies') return { why: 'the controller has to look at it', command: 'holdfast status' };
  return { why: 'every node against every filter', command: placementCommand(volume) };
}

function forServing(seen: SeenForNextStep, name: string): NextStep {
  const { volume, awayNodes, downNodes, laggingMounts } = seen;
  const [stranger] = seen.strangers;
  if (stranger !== undefined) {
    const why = `the machine of ${stranger} was installed anew, and does not come back by itself`;
    return { why, command: `holdfast node rejoin ${stranger}` };
  }
  const [away = downNodes[0]] = awayNodes.filter((node) => downNodes.includes(node));
  if (away !== undefined) return lookAt(away, 'its copy does not serve');
  if (reasonOf(volume, 'Ready') === 'EngineVolumeLost') {
    return { why: 'GlusterFS holds it no more; see what is left of it', command: `holdfast volume show ${name}` };
  }
  const reason = reasonOf(volume, 'Redundant');
  if (reason === 'SplitBrain') {
    return {
      why: 'see which files differ; none is chosen for you',
      command: `holdfast volume split-brain list ${name}`,
    };
  }
  const [lagging] = laggingMounts;
  if (lagging !== undefined) return lookAt(lagging, 'its mount does not reach every copy');
  if (phaseOf(volume) !== 'Ready') return goesOn(name);
  const node = volume.status?.placement?.[0]?.node ?? '';
  return { why: 'nothing is to be done; try what a loss would do', command: `holdfast simulate lose-node ${node}` };
}

/** No node keeps it: what the file server does not answer, only a look at that one helps. */
function forShare(volume: Volume, name: string): NextStep {
  const command = `holdfast volume show ${name}`;
  if (phaseOf(volume) === 'Ready') return { why: 'nothing is to be done; see how much room it has', command };
  return { why: 'see what is wrong with it, and whether its file server runs', command };
}

function goesOn(name: string): NextStep {
  return { why: 'it goes on by itself; look again', command: `holdfast volume show ${name}` };
}

function lookAt(node: string, why: string): NextStep {
  return { why, command: `holdfast node show ${node}` };
}

function placementCommand({ spec }: Volume): string {
  const parts = [
    `holdfast explain placement --size ${spec.size} --layout ${spec.layout}`,
    spec.replicas === undefined ? '' : `--replicas ${spec.replicas}`,
    spec.distribution === undefined ? '' : `--distribution ${spec.distribution}`,
    spec.disperseData === undefined ? '' : `--disperse-data ${spec.disperseData}`,
    spec.redundancy === undefined ? '' : `--redundancy ${spec.redundancy}`,
    spec.allowSplitBrain === true ? '--allow-split-brain' : '',
    spec.pool === 'default' ? '' : `--pool ${spec.pool}`,
    spec.brick === 'image' ? '' : `--brick ${spec.brick}`,
    (spec.zones ?? []).length === 0 ? '' : `--zones ${spec.zones?.join(',')}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function reasonOf({ status }: Volume, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.reason;
}
