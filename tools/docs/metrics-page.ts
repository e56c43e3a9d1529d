/** docs/reference/metrics.md: every metric and every alert, from the tables that they are made from. */
import { METRICS, type MetricDefinition, type MetricRole } from '../../src/domain/metrics/definitions.ts';
import { ALERTS } from '../deploy/alerts.ts';
import { code, markdownTable } from './markdown.ts';

const ALL = Object.entries(METRICS) as readonly (readonly [string, MetricDefinition])[];

/** Writes the page. */
export function metricsPage(note: string): string {
  return [
    '# Metrics and alerts',
    note,
    'What `--metrics-listen` serves, in the text format of Prometheus. [How to use it](../how-to/watch-with-prometheus.md). Only the controller that leads tells of the cluster; the name of a `volume` is that of its PersistentVolume where CSI made it.',
    '## Of controllers',
    table((on) => on.length === 1 && on[0] === 'controller'),
    '## Of agents',
    table((on) => on.length === 1 && on[0] === 'agent'),
    '## Of both',
    table((on) => on.length > 1),
    '## Alerts',
    'Of the chart (`metrics.prometheusRule.enabled`) and of `deploy/alerts.yaml`.',
    markdownTable(
      ['alert', 'severity', 'after', 'expression', 'what it means, and what to do'],
      ALERTS.map(({ name, severity, for: holds, expr, description, page }) => [
        code(name),
        severity,
        holds,
        code(expr),
        `${description.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => label.toUpperCase())} [More](${page.replace('docs/', '../')}).`,
      ]),
    ),
  ]
    .join('\n\n')
    .concat('\n');
}

function table(isHere: (on: readonly MetricRole[]) => boolean): string {
  return markdownTable(
    ['metric', 'type', 'labels', 'what it tells'],
    ALL.filter(([, { on }]) => isHere(on)).map(([name, { type, labels, help }]) => [
      code(name),
      type,
      labels.map(code).join(', '),
      help,
    ]),
  );
}
