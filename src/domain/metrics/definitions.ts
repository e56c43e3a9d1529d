/** Every metric that Holdfast has: the one table that programs, the reference and the alerts are made from. */

/** Which program has it. */
export type MetricRole = 'controller' | 'agent';
export type MetricType = 'gauge' | 'counter' | 'histogram';

export interface MetricDefinition {
  readonly type: MetricType;
  readonly help: string;
  /** Their values are words of ours or names of objects, so that there is an end to how many series there are. */
  readonly labels: readonly string[];
  readonly on: readonly MetricRole[];
  /** Histograms: upper ends in seconds. */
  readonly buckets?: readonly number[];
}

/** What the controller that leads tells of the whole cluster; the others do not, so that nothing is counted twice. */
const ofCluster = <const L extends readonly string[]>(help: string, labels: L) =>
  ({ type: 'gauge', help, labels, on: ['controller'] }) as const;
const ofAgent = <const L extends readonly string[], T extends MetricType>(type: T, help: string, labels: L) =>
  ({ type, help, labels, on: ['agent'] }) as const;
const ofBoth = <const L extends readonly string[], T extends MetricType>(type: T, help: string, labels: L) =>
  ({ type, help, labels, on: ['controller', 'agent'] }) as const;

const CLUSTER = {
  holdfast_volumes: ofCluster('Volumes, by engine, layout and phase.', ['engine', 'layout', 'phase']),
  holdfast_volume_phase: ofCluster('1 for the phase that a volume is in.', ['volume', 'phase']),
  holdfast_volume_size_bytes: ofCluster('Usable size that was asked for.', ['volume']),
  holdfast_volume_missing_copies: ofCluster(
    'Copies that the layout has and that do not serve now: away, not made yet, or not looked at since their node came back.',
    ['volume'],
  ),
  holdfast_volume_heal_entries: ofCluster(
    'Entries that are not yet the same on all copies, summed over the copies; where the engine can tell.',
    ['volume'],
  ),
  holdfast_volume_split_brain_entries: ofCluster(
    'Entries that differ between copies and need a decision, summed over the copies; where the engine can tell.',
    ['volume'],
  ),
  holdfast_volume_share_size_bytes: ofCluster('Engine nfs: size of the file system behind the share.', ['volume']),
  holdfast_volume_share_free_bytes: ofCluster('Engine nfs: what was free there, for all who use the share.', [
    'volume',
  ]),
  holdfast_copies: ofCluster('Copies on a node, by state; none is the state of those that no agent has spoken of.', [
    'node',
    'state',
  ]),
  holdfast_attachments: ofCluster('Mounts and exports wanted on a node, by state.', ['node', 'state']),
  holdfast_snapshots: ofCluster('Snapshots, by phase.', ['phase']),
  holdfast_fence: ofCluster('1 for the phase that the fence of a node is in; only Held is proven.', ['node', 'phase']),
  holdfast_node_ready: ofCluster('1 while the heartbeat of a node is fresh and its agent has reported.', ['node']),
  holdfast_node_heartbeat_timestamp_seconds: ofCluster("When the agent of a node last beat, by the node's own clock.", [
    'node',
  ]),
  holdfast_node_engine_running: ofCluster('1 while an engine that is installed on a node runs.', ['node', 'engine']),
  holdfast_node_certificate_expiry_timestamp_seconds: ofCluster(
    'Until when the certificate of a node for encrypted storage traffic is valid.',
    ['node'],
  ),
  holdfast_pool_ready: ofCluster('1 while copies can be placed in a pool.', ['node', 'pool']),
  holdfast_pool_size_bytes: ofCluster('Size of the file system of a pool.', ['node', 'pool']),
  holdfast_pool_free_bytes: ofCluster('Free space of the file system of a pool.', ['node', 'pool']),
  holdfast_pool_promised_bytes: ofCluster(
    'Sizes of all copies placed in a pool, those that are not made yet and what snapshots may grow to included.',
    ['node', 'pool'],
  ),
  holdfast_pool_room_bytes: ofCluster('What new copies may take of a pool.', ['node', 'pool']),
} as const;

const PROGRAMS = {
  holdfast_build_info: ofBoth('gauge', '1 for the version of the program.', ['version', 'role']),
  holdfast_leader: {
    type: 'gauge',
    help: '1 in the controller that leads, 0 in those that wait.',
    labels: [],
    on: ['controller'],
  },
  holdfast_reconcile_duration_seconds: {
    ...ofBoth('histogram', 'Looks of a controller at one object; conflict: somebody else had changed it.', [
      'controller',
      'result',
    ]),
    buckets: [0.01, 0.1, 1, 10, 60],
  },
  holdfast_reconcile_queue_depth: ofBoth('gauge', 'Objects that wait for a look of a controller.', ['controller']),
  holdfast_csi_call_duration_seconds: {
    ...ofBoth('histogram', 'CSI calls that were answered, by the code of the answer.', ['method', 'code']),
    buckets: [0.01, 0.1, 0.5, 1, 5, 15, 60],
  },
  holdfast_extender_request_duration_seconds: {
    type: 'histogram',
    help: 'Questions of the scheduler and the API server about pods.',
    labels: ['question', 'code'],
    on: ['controller'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.25, 1],
  },
  holdfast_engine_steps_total: ofAgent('counter', 'Steps that an agent had an engine do.', [
    'engine',
    'step',
    'result',
  ]),
  holdfast_dead_mounts: ofAgent('gauge', 'Mounts of volumes that nothing serves, when last looked at.', ['engine']),
  holdfast_dead_mounts_found_total: ofAgent('counter', 'Times that a mount was found dead; it is then mounted anew.', [
    'engine',
  ]),
  holdfast_command_duration_seconds: {
    type: 'histogram',
    help: 'Programs that an agent ran; result is how they failed, or ok.',
    labels: ['program', 'result'],
    on: ['agent'],
    buckets: [0.05, 0.25, 1, 5, 30, 120],
  },
  holdfast_certificate_expiry_timestamp_seconds: ofAgent(
    'gauge',
    'Until when a certificate that an agent speaks to the API with is valid.',
    ['certificate'],
  ),
  process_cpu_seconds_total: ofBoth('counter', 'CPU time of the program, user and system.', []),
  process_resident_memory_bytes: ofBoth('gauge', 'Memory that the program has.', []),
  process_start_time_seconds: ofBoth('gauge', 'When the program began.', []),
} as const;

/** By name. */
export const METRICS = { ...CLUSTER, ...PROGRAMS } as const satisfies Readonly<Record<string, MetricDefinition>>;

type Table = typeof METRICS;
export type MetricName = keyof Table;
type OfType<T extends MetricType> = { [N in MetricName]: Table[N]['type'] extends T ? N : never }[MetricName];
export type HistogramName = OfType<'histogram'>;
/** Of what the stored objects say. */
export type ClusterMetricName = keyof typeof CLUSTER;
export type CounterName = OfType<'counter'>;

/** One value for each label of a metric. */
export type LabelsOf<N extends MetricName> = Readonly<Record<Table[N]['labels'][number], string>>;

/** A value that is read when somebody asks: of a gauge, or of a counter that is kept elsewhere. */
export interface Sample {
  readonly name: OfType<'gauge' | 'counter'>;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Samples by the name of their metric, each made when it is asked for: of a large cluster never all are there at once.
 */
export type SampleTable = ReadonlyMap<Sample['name'], () => readonly Sample[]>;

/** A sample with the labels that its metric has. */
export function sample<N extends Sample['name']>(name: N, labels: LabelsOf<N>, value: number): Sample {
  return { name, labels, value };
}

/** The definitions that a program has, as a list. */
export function metricsOn(role: MetricRole): readonly (readonly [MetricName, MetricDefinition])[] {
  const all = Object.entries(METRICS) as readonly (readonly [MetricName, MetricDefinition])[];
  return all.filter(([, { on }]) => on.includes(role));
}
