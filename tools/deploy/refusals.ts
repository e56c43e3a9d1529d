/** Values of the chart that would do nothing by themselves: refused in a sentence, where a schema could only say "value must be true". */

interface Refusal {
  /** What is asked for. */
  readonly value: string;
  /** What has to be asked for as well. */
  readonly needs: string;
  /** Without quotation marks. */
  readonly why: string;
}

const NOTHING_SERVED = 'without it nothing is served that Prometheus could read';
const NOBODY_TO_ASK = 'without it there is nobody to ask where the data of a pod is';

const REFUSALS: readonly Refusal[] = [
  { value: 'metrics.serviceMonitor.enabled', needs: 'metrics.enabled', why: NOTHING_SERVED },
  { value: 'metrics.prometheusRule.enabled', needs: 'metrics.enabled', why: NOTHING_SERVED },
  { value: 'scheduling.webhook', needs: 'scheduling.enabled', why: NOBODY_TO_ASK },
  { value: 'scheduler.enabled', needs: 'scheduling.enabled', why: NOBODY_TO_ASK },
];

/** A template without objects, at which helm stops where a value lacks the one that it needs. */
export function refusals(): string {
  return REFUSALS.map(({ value, needs, why }) =>
    [
      `# {{- if .Values.${value} }}`,
      `# {{- if not .Values.${needs} }}`,
      `# {{- fail "${value} needs ${needs}=true: ${why}" }}`,
      '# {{- end }}',
      '# {{- end }}\n',
    ].join('\n'),
  ).join('');
}
