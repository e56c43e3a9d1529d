/** Counting and measuring as a port. Whoever takes it takes it optionally: where nobody asks, nothing is counted. */
import type { CounterName, HistogramName, LabelsOf, Sample, SampleTable } from '../domain/metrics/definitions.ts';

/** Read at each scrape, as a list or, where there are many, as a table; what throws is left out and logged. */
export type SampleSource = () => SampleTable | readonly Sample[] | Promise<readonly Sample[]>;

export interface Metrics {
  /** Adds one. */
  count<N extends CounterName>(name: N, labels: LabelsOf<N>): void;
  /** Takes in how long something took. */
  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, seconds: number): void;
  /** Has a source asked at each scrape from now on. Returns its removal. */
  addSource(source: SampleSource): () => void;
  /** All of it in the text format of Prometheus. */
  render(): Promise<string>;
}
