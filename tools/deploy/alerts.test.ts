/** Alerts: by the real promtool, and by what the programs have to tell. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { METRICS, type MetricDefinition } from '../../src/domain/metrics/definitions.ts';
import { findPromtool } from '../monitoring/promtool.ts';
import { ROOT, runTool } from '../project.ts';
import { CASES } from './alert-cases.ts';
import { ALERTS } from './alerts.ts';

const RULES = join(ROOT, 'deploy/alerts.yaml');
const PROMTOOL_MS = 60_000;

/** The series that a metric shows. */
function seriesOf(name: string, { type }: MetricDefinition): readonly string[] {
  return type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`) : [name];
}

describe.each(ALERTS)('$name', ({ expr, page, summary, description }) => {
  test('asks for what is told, by labels that it has', () => {
    const known = new Map(
      Object.entries(METRICS).flatMap(([name, about]) => seriesOf(name, about).map((series) => [series, about.labels])),
    );
    const asked = [...expr.matchAll(/\b(?:holdfast|process)_\w+/g)].map(([name]) => name);
    expect(asked.length + (expr.match(/\bup\{/g) ?? []).length).toBeGreaterThan(0);
    for (const name of asked) expect([...known.keys()], name).toContain(name);
    const labels = [...expr.matchAll(/(\w+)=~?"/g), ...expr.matchAll(/by \((\w+)(?:, (\w+))?\)/g)].flatMap(
      ([, first, second]) => [first, second].filter((label) => label !== undefined),
    );
    const told = new Set([...asked.flatMap((name) => known.get(name) ?? []), 'job', 'instance']);
    for (const label of labels) expect([...told], expr).toContain(label);
    // `node` of what agents tell comes from the ServiceMonitor.
    const shown = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
    for (const label of shown) expect([...told], summary).toContain(label);
  });

  test('leads to a part of the documentation that is there', () => {
    const [path = '', anchor] = page.split('#');
    const headings = readFileSync(join(ROOT, path), 'utf8').matchAll(/^#+ (.*)$/gm);
    const anchors = [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    if (anchor !== undefined) expect(anchors).toContain(anchor);
    expect(anchors.length).toBeGreaterThan(0);
  });
});

test('each alert has a case', () => {
  expect(Object.keys(CASES)).toEqual(ALERTS.map(({ name }) => name));
});

describe('promtool', () => {
  test('takes the rules', async ({ skip }) => {
    const file = await findPromtool(skip);
    const { code, output } = await runTool({
      file,
      args: ['check', 'rules', RULES],
      timeoutMs: PROMTOOL_MS,
      output: 'capture',
    });
    expect(output).toContain(`SUCCESS: ${ALERTS.length} rules found`);
    expect(code).toBe(0);
  });

  test('finds that each alert fires when it should, says what it should, and is silent otherwise', async ({ skip }) => {
    const file = await findPromtool(skip);
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-alerts-'));
    try {
      const tests = ALERTS.flatMap(({ name, severity, description, page }) =>
        (CASES[name] ?? []).map(({ series, at, fires }) => ({
          interval: '1m',
          input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
          alert_rule_test: [
            {
              eval_time: at,
              alertname: name,
              exp_alerts: fires.map(({ summary, labels = {} }) => ({
                exp_labels: { severity, ...labels },
                exp_annotations: { summary, description: filled(description, labels), runbook: page },
              })),
            },
          ],
        })),
      );
      await writeFile(join(folder, 'tests.yaml'), stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }));
      const args = ['test', 'rules', join(folder, 'tests.yaml')];
      const { code, output } = await runTool({ file, args, timeoutMs: PROMTOOL_MS, output: 'capture' });
      expect(output).toContain('SUCCESS');
      expect(code, output).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** What Prometheus makes of a text that has labels in it. */
function filled(text: string, labels: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '');
}
