/** For each alert what Prometheus has seen, a value each minute, and what it must make of it. */

interface AlertCase {
  /** Values in the notation of promtool. */
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  readonly fires: readonly { readonly summary: string; readonly labels?: Readonly<Record<string, string>> }[];
}

const calls = (code: string) => `holdfast_csi_call_duration_seconds_count{method="CreateVolume",code="${code}"}`;
const NODE = 'holdfast_node_ready{node="n1",pod="a"}';
const DAY = 86_400;

/** By the name of the alert. */
export const CASES: Readonly<Record<string, readonly AlertCase[]>> = {
  HoldfastNodeLost: [
    {
      series: { [NODE]: '1 0x5', 'holdfast_node_ready{node="n2",pod="a"}': '1x6' },
      at: '4m',
      fires: [{ summary: 'Node n1 of Holdfast is not heard of', labels: { node: 'n1' } }],
    },
    { series: { [NODE]: '1 0 1x5' }, at: '4m', fires: [] },
    // Another controller leads meanwhile, and says the same.
    {
      series: { [NODE]: '0 0 0 stale', 'holdfast_node_ready{node="n1",pod="b"}': '_ _ _ 0x5' },
      at: '4m',
      fires: [{ summary: 'Node n1 of Holdfast is not heard of', labels: { node: 'n1' } }],
    },
  ],
  HoldfastAgentAway: [
    {
      series: { 'up{job="holdfast-node",instance="n1:7451"}': '1 0x8', 'up{job="other",instance="x"}': '0x9' },
      at: '7m',
      fires: [
        {
          summary: 'The agent at n1:7451 does not tell its metrics',
          labels: { job: 'holdfast-node', instance: 'n1:7451' },
        },
      ],
    },
  ],
  HoldfastNoLeader: [
    {
      series: { 'holdfast_leader{pod="a"}': '0x5', 'holdfast_leader{pod="b"}': '0x5' },
      at: '3m',
      fires: [{ summary: 'No controller of Holdfast leads' }],
    },
    { series: { other: '1x5' }, at: '3m', fires: [{ summary: 'No controller of Holdfast leads' }] },
    { series: { 'holdfast_leader{pod="a"}': '0x5', 'holdfast_leader{pod="b"}': '1x5' }, at: '3m', fires: [] },
  ],
  HoldfastVolumeUnavailable: [
    {
      series: {
        'holdfast_volume_phase{volume="gv0",phase="Unavailable"}': '_ 1x5',
        'holdfast_volume_phase{volume="gv1",phase="Degraded"}': '1x6',
      },
      at: '3m',
      fires: [{ summary: 'Volume gv0 cannot be used', labels: { volume: 'gv0' } }],
    },
  ],
  HoldfastVolumeMissingCopies: [
    {
      series: { 'holdfast_volume_missing_copies{volume="gv0"}': '2x20' },
      at: '16m',
      fires: [{ summary: '2 copies of volume gv0 do not serve', labels: { volume: 'gv0' } }],
    },
    { series: { 'holdfast_volume_missing_copies{volume="gv0"}': '1x10 0x10' }, at: '16m', fires: [] },
  ],
  HoldfastSplitBrain: [
    {
      series: { 'holdfast_volume_split_brain_entries{volume="gv0"}': '0 3x5' },
      at: '3m',
      fires: [{ summary: 'Copies of volume gv0 differ, and nobody can say which is right', labels: { volume: 'gv0' } }],
    },
    { series: { 'holdfast_volume_split_brain_entries{volume="gv0"}': '0x5' }, at: '3m', fires: [] },
  ],
  HoldfastPoolNearlyFull: [
    {
      series: {
        'holdfast_pool_room_bytes{node="n1",pool="fast"}': '9x20',
        'holdfast_pool_size_bytes{node="n1",pool="fast"}': '100x20',
        'holdfast_pool_room_bytes{node="n2",pool="fast"}': '10x20',
        'holdfast_pool_size_bytes{node="n2",pool="fast"}': '100x20',
        'holdfast_pool_room_bytes{node="n3",pool="fast"}': '0x20',
        'holdfast_pool_size_bytes{node="n3",pool="fast"}': '0x20',
      },
      at: '16m',
      fires: [
        {
          summary: 'Pool fast of node n1 has room for less than a tenth of its size',
          labels: { node: 'n1', pool: 'fast' },
        },
      ],
    },
  ],
  HoldfastCertificateExpiring: [
    {
      // Time begins at 0.
      series: {
        'holdfast_node_certificate_expiry_timestamp_seconds{node="n1"}': `${10 * DAY + 7200}x130`,
        'holdfast_node_certificate_expiry_timestamp_seconds{node="n2"}': `${30 * DAY}x130`,
        'holdfast_certificate_expiry_timestamp_seconds{instance="n3:7451",certificate="c"}': `${2 * DAY + 7200}x130`,
      },
      at: '2h',
      fires: [
        { summary: 'A certificate of n1 ends in 10d 0h 0m 0s', labels: { node: 'n1' } },
        {
          summary: 'A certificate of n3:7451 ends in 2d 0h 0m 0s',
          labels: { instance: 'n3:7451', certificate: 'c' },
        },
      ],
    },
  ],
  HoldfastCsiCallsFailing: [
    {
      series: { [calls('OK')]: '0+1x40', [calls('UNAVAILABLE')]: '0+3x40', [calls('ABORTED')]: '0+1x40' },
      at: '30m',
      fires: [{ summary: 'More than half of the CSI calls CreateVolume fail', labels: { method: 'CreateVolume' } }],
    },
    // To ask again, or for less, is no failure.
    {
      series: { [calls('ABORTED')]: '0+9x40', [calls('RESOURCE_EXHAUSTED')]: '0+9x40', [calls('OK')]: '0+1x40' },
      at: '30m',
      fires: [],
    },
    { series: { [calls('OK')]: '0x40', [calls('UNAVAILABLE')]: '5x40' }, at: '30m', fires: [] },
  ],
  HoldfastDeadMount: [
    {
      series: { 'holdfast_dead_mounts{instance="n1:7451",engine="gluster"}': '0 2x8' },
      at: '7m',
      fires: [
        {
          summary: 'At n1:7451 2 mounts are dead and do not come back',
          labels: { instance: 'n1:7451', engine: 'gluster' },
        },
      ],
    },
    { series: { 'holdfast_dead_mounts{instance="n1:7451",engine="gluster"}': '1 0x8' }, at: '7m', fires: [] },
  ],
};
