/** Metrics kept as lists, for tests to look at. */
import type { Sample } from '../domain/metrics/definitions.ts';
import type { Metrics, SampleSource } from './metrics.ts';

export interface FakeMetrics extends Metrics {
  /** In order: "name{label=value,...}". */
  readonly counted: string[];
  readonly observed: string[];
  /** What the sources tell now. */
  samples(): Promise<readonly Sample[]>;
}

/** Creates an empty one. */
export function createFakeMetrics(): FakeMetrics {
  const counted: string[] = [];
  const observed: string[] = [];
  const sources = new Set<SampleSource>();
  const samples = async () => {
    const read = await Promise.all([...sources].map(async (source) => source()));
    return read.flatMap((each) => ('get' in each ? [...each.values()].flatMap((list) => list()) : each));
  };
  return {
    counted,
    observed,
    samples,
    count: (name, labels) => counted.push(series(name, labels)),
    observe: (name, labels) => observed.push(series(name, labels)),
    addSource: (source) => {
      sources.add(source);
      return () => sources.delete(source);
    },
    render: async () =>
      (await samples()).map(({ name, labels, value }) => `${series(name, labels)} ${value}\n`).join(''),
  };
}

function series(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return `${name}{${pairs.join(',')}}`;
}
