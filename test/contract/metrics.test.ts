/** Metrics by the library and by the fake: what is counted is told, and what is read is as it is now. */
import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/adapters/metrics/registry.ts';
import { sample } from '../../src/domain/metrics/definitions.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { createFakeMetrics } from '../../src/ports/metrics.fake.ts';

describe.each([
  ['library', () => createMetrics(createFakeLogger(), 'controller')],
  ['fake', () => createFakeMetrics()],
])('%s', (_, create) => {
  test('a source is asked each time, until it is taken away', async () => {
    const metrics = create();
    let value = 1;
    const forget = metrics.addSource(() => [sample('holdfast_snapshots', { phase: 'Ready' }, value)]);
    expect(await metrics.render()).toMatch(/^holdfast_snapshots\{phase="?Ready"?\} 1$/m);
    value = 2;
    expect(await metrics.render()).toMatch(/^holdfast_snapshots\{phase="?Ready"?\} 2$/m);
    forget();
    expect(await metrics.render()).not.toContain('holdfast_snapshots{');
  });
});

describe('the library', () => {
  test('what is gone is told no more', async () => {
    const metrics = createMetrics(createFakeLogger(), 'controller');
    let nodes = ['n1', 'n2'];
    metrics.addSource(() => nodes.map((node) => sample('holdfast_node_ready', { node }, 1)));
    expect(await metrics.render()).toContain('holdfast_node_ready{node="n2"} 1');
    nodes = ['n1'];
    const text = await metrics.render();
    expect(text).toContain('holdfast_node_ready{node="n1"} 1');
    expect(text).not.toContain('n2');
  });

  test('what is counted adds up, also over scrapes that come at once', async () => {
    const metrics = createMetrics(createFakeLogger(), 'agent');
    let cpu = 0;
    metrics.addSource(() => [sample('process_cpu_seconds_total', {}, ++cpu)]);
    for (const result of ['ok', 'ok', 'error']) {
      metrics.count('holdfast_engine_steps_total', { engine: 'gluster', step: 'mountVolume', result });
    }
    metrics.observe('holdfast_command_duration_seconds', { program: 'mount', result: 'ok' }, 0.1);
    const texts = await Promise.all([metrics.render(), metrics.render()]);
    for (const text of texts) {
      expect(text).toContain('holdfast_engine_steps_total{engine="gluster",step="mountVolume",result="ok"} 2');
      expect(text).toContain('holdfast_command_duration_seconds_bucket{le="0.25",program="mount",result="ok"} 1');
    }
    expect(texts.map((text) => /^process_cpu_seconds_total (\d+)$/m.exec(text)?.[1])).toEqual(['1', '2']);
  });

  test('a source that fails takes nothing from the others', async () => {
    const log = createFakeLogger();
    const metrics = createMetrics(log, 'controller');
    metrics.addSource(() => Promise.reject(new Error('away')));
    metrics.addSource(() => [sample('holdfast_leader', {}, 1)]);
    expect(await metrics.render()).toContain('holdfast_leader 1');
    expect(log.entries).toHaveLength(1);
  });

  test('names of objects cannot break out of their line', async () => {
    const metrics = createMetrics(createFakeLogger(), 'controller');
    metrics.addSource(() => [sample('holdfast_node_ready', { node: 'a"} 1\nholdfast_leader 5' }, 0)]);
    expect((await metrics.render()).split('\n')).not.toContain('holdfast_leader 5');
  });
});
