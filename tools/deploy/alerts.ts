/** The alerts of the chart, few on purpose: each says what it means, and what to do is a page or a command. */
import type { Json } from './crd-schema.ts';

export interface Alert {
  readonly name: string;
  readonly expr: string;
  /** How long it must be so. */
  readonly for: string;
  /** critical: somebody cannot use data, or data may be at risk, now. */
  readonly severity: 'critical' | 'warning';
  /** With labels of the expression. */
  readonly summary: string;
  /** What it means and what to do. */
  readonly description: string;
  /** Page of the documentation, from the project's folder. */
  readonly page: string;
}

/** Of ServiceMonitors, Services, and of the scrape configuration in docs/how-to/watch-with-prometheus.md. */
export const JOBS = { controller: 'holdfast-controller', agent: 'holdfast-node' } as const;

const WRONG = 'docs/how-to/when-something-is-wrong.md';
/** Codes that say that the storage failed, not that the caller asked for what cannot be, or is to ask again. */
const FAILED = 'INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED|DATA_LOSS|UNKNOWN';
const CSI_CALLS = 'holdfast_csi_call_duration_seconds_count';
/** Certificates for storage traffic renew themselves when 30 days are left. */
const EXPIRY_DAYS = 14;

/**
 * Only the controller that leads tells of the cluster: another pod after a take-over. max by (...) keeps that from being
 * another alert.
 */
export const ALERTS: readonly Alert[] = [
  {
    ...{ name: 'HoldfastNodeLost', for: '2m', severity: 'critical', page: `${WRONG}#a-node-is-lost` },
    expr: 'max by (node) (holdfast_node_ready) == 0',
    summary: 'Node {{ $labels.node }} of Holdfast is not heard of',
    description:
      'Its copies do not serve, and volumes may not bear the loss of another node. Run: holdfast simulate lose-node {{ $labels.node }}; then start the machine or its agent.',
  },
  {
    ...{ name: 'HoldfastAgentAway', for: '5m', severity: 'warning', page: WRONG },
    expr: `up{job="${JOBS.agent}"} == 0`,
    summary: 'The agent at {{ $labels.instance }} does not tell its metrics',
    description:
      'Volumes that are mounted there go on; nothing is mounted, healed or repaired there while the agent is away. Run: holdfast status.',
  },
  {
    ...{ name: 'HoldfastNoLeader', for: '2m', severity: 'critical', page: WRONG },
    expr: 'absent(holdfast_leader == 1)',
    summary: 'No controller of Holdfast leads',
    description:
      'Mounted volumes go on serving; nothing is created, moved, fenced or repaired. Look at the pods holdfast-controller, their logs and the Lease holdfast-controller.',
  },
  {
    ...{ name: 'HoldfastVolumeUnavailable', for: '1m', severity: 'critical', page: `${WRONG}#copies-are-down` },
    expr: 'max by (volume) (holdfast_volume_phase{phase="Unavailable"}) == 1',
    summary: 'Volume {{ $labels.volume }} cannot be used',
    description:
      'Too few of its copies serve, so that it is read-only or fails and nobody reads what is out of date; or its file server is away. Run: holdfast explain volume {{ $labels.volume }}; bring nodes back.',
  },
  {
    ...{ name: 'HoldfastVolumeMissingCopies', for: '15m', severity: 'warning', page: `${WRONG}#copies-are-down` },
    expr: 'max by (volume) (holdfast_volume_missing_copies) > 0',
    summary: '{{ $value }} copies of volume {{ $labels.volume }} do not serve',
    description:
      'It goes on with the others, and may not bear the loss of one of those. Run: holdfast explain volume {{ $labels.volume }}.',
  },
  {
    ...{ name: 'HoldfastSplitBrain', for: '1m', severity: 'critical', page: `${WRONG}#copies-differ` },
    expr: 'max by (volume) (holdfast_volume_split_brain_entries) > 0',
    summary: 'Copies of volume {{ $labels.volume }} differ, and nobody can say which is right',
    description:
      'What differs cannot be read until somebody decides. Run: holdfast volume split-brain list {{ $labels.volume }}.',
  },
  {
    ...{ name: 'HoldfastPoolNearlyFull', for: '15m', severity: 'warning', page: `${WRONG}#there-is-no-room` },
    expr: 'max by (node, pool) (holdfast_pool_room_bytes) / max by (node, pool) (holdfast_pool_size_bytes > 0) < 0.1',
    summary: 'Pool {{ $labels.pool }} of node {{ $labels.node }} has room for less than a tenth of its size',
    description:
      'Volumes that have their place keep it; new ones, growth and snapshots find none there. Add a disk, a pool or a node, or let volumes or snapshots go.',
  },
  {
    ...{ name: 'HoldfastCertificateExpiring', for: '1h', severity: 'warning', page: 'docs/reference/checks.md' },
    expr: [
      `max by (node) (holdfast_node_certificate_expiry_timestamp_seconds) - time() < ${EXPIRY_DAYS} * 86400`,
      `holdfast_certificate_expiry_timestamp_seconds - time() < ${EXPIRY_DAYS} * 86400`,
    ].join(' or '),
    summary: 'A certificate of {{ or $labels.node $labels.instance }} ends in {{ $value | humanizeDuration }}',
    description:
      'After that the node is not let in any more. Those for storage traffic renew themselves long before: something keeps this one from it. Run: holdfast doctor. An agent gets another one with: holdfast controller kubeconfig.',
  },
  {
    ...{ name: 'HoldfastCsiCallsFailing', for: '15m', severity: 'warning', page: WRONG },
    expr: `sum by (method) (rate(${CSI_CALLS}{code=~"${FAILED}"}[10m])) / sum by (method) (rate(${CSI_CALLS}[10m])) > 0.5`,
    summary: 'More than half of the CSI calls {{ $labels.method }} fail',
    description:
      'Claims or pods wait. The log of the controller or agent has a line "CSI call failed" for each, with the reason; events of the claim say it too. Run: holdfast doctor.',
  },
  {
    ...{ name: 'HoldfastDeadMount', for: '5m', severity: 'critical', page: WRONG },
    expr: 'holdfast_dead_mounts > 0',
    summary: 'At {{ $labels.instance }} {{ $value }} mounts are dead and do not come back',
    description:
      'What uses them gets errors. The agent mounts anew by itself within seconds; here it does not succeed. Run: holdfast doctor.',
  },
];

/** The groups of a rule file of Prometheus, and of a PrometheusRule. */
export function alertGroups(): readonly Json[] {
  return [
    {
      name: 'holdfast',
      rules: ALERTS.map(({ name, expr, severity, summary, description, page, for: holds }) => ({
        ...{ alert: name, expr, for: holds, labels: { severity } },
        annotations: { summary, description, runbook: page },
      })),
    },
  ];
}
