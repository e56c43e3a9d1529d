/** The one file that knows the library: counters and histograms as they happen, everything else read at each scrape. */
import { setImmediate } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  type MetricDefinition,
  type MetricName,
  type MetricRole,
  metricsOn,
  type Sample,
  type SampleTable,
} from '../../domain/metrics/definitions.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Metrics, SampleSource } from '../../ports/metrics.ts';

type Kept = Counter | Gauge | Histogram;

/** So many values are taken in between two turns of the event loop: heartbeats and the scheduler do not wait for a scrape. */
const AT_ONCE = 5_000;

/** Creates the metrics of a program; {@link metricsOn} says which it has. */
export function createMetrics(log: Logger, role: MetricRole): Metrics {
  const registry = new Registry();
  const kept = new Map<string, Kept>(metricsOn(role).map(([name, about]) => [name, make(registry, name, about)]));
  const sources = new Set<SampleSource>();
  // One that this program does not have is left out: what is measured must not fail for it.
  const find = (name: MetricName): Kept | undefined => kept.get(name);
  const ask = async (source: SampleSource): Promise<SampleTable> => {
    try {
      const read = await source();
      if ('get' in read) return read;
      return new Map([...Map.groupBy(read, ({ name }) => name)].map(([name, samples]) => [name, () => samples]));
    } catch (error) {
      log.error('metrics could not be read', { err: error });
      return new Map();
    }
  };

  const renderNow = async (): Promise<string> => {
    const tables = await Promise.all([...sources].map(ask));
    const texts: string[] = [];
    for (const [name, metric] of kept) {
      const lists = tables.flatMap((table) => table.get(name as Sample['name'])?.() ?? []);
      if (lists.length > 0) await takeIn(metric, lists);
      texts.push(await registry.getSingleMetricAsString(name));
      // What was read is not kept: of many volumes it is a lot, and an object that is gone must not be told of for ever.
      if (lists.length > 0) metric.reset();
    }
    return texts.map((text) => `${text}\n`).join('\n');
  };

  let last: Promise<string> = Promise.resolve('');
  return {
    count: (name, labels) => (find(name) as Counter | undefined)?.inc(labels as Readonly<Record<string, string>>),
    observe: (name, labels, seconds) =>
      (find(name) as Histogram | undefined)?.observe(labels as Readonly<Record<string, string>>, seconds),
    addSource: (source) => {
      sources.add(source);
      return () => sources.delete(source);
    },
    render: () => {
      // One after the other: they share the values that are read.
      last = last.then(renderNow, renderNow);
      return last;
    },
  };
}

async function takeIn(metric: Kept, samples: readonly Sample[]): Promise<void> {
  metric.reset();
  for (const [at, { labels, value }] of samples.entries()) {
    if (metric instanceof Gauge) metric.set(labels, value);
    else if (metric instanceof Counter) metric.inc(labels, value);
    else throw new Error('a histogram is not read');
    if (at % AT_ONCE === AT_ONCE - 1) await setImmediate();
  }
  await setImmediate();
}

function make(registry: Registry, name: string, { type, help, labels, buckets = [] }: MetricDefinition): Kept {
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === 'counter') return new Counter(options);
  return type === 'gauge' ? new Gauge(options) : new Histogram({ ...options, buckets: [...buckets] });
}
